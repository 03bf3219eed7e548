package transform

import "github.com/scf-etl/scf-etl/pkg/yamlfile"

// filterRule lets the records through for which the condition holds.
type filterRule struct{ condition *expression }

func (l *loader) filter(n *yamlfile.Node) rule { return &filterRule{l.condition(n)} }

func (r *filterRule) start() step { return &filterStep{r.condition.start()} }

type filterStep struct{ condition evaluator }

func (f *filterStep) apply(s *state) (verdict, error) {
	ok, err := f.condition.truth(s)
	if err != nil || ok {
		return pass, err
	}
	return filtered, nil
}
