package transform

import "github.com/scf-etl/scf-etl/pkg/yamlfile"

// dropRule removes fields. What is not there needs no removing.
type dropRule struct{ fields []*path }

func (l *loader) drop(n *yamlfile.Node) rule {
	r := &dropRule{fields: l.fields(l.Texts(n, "drop"))}
	for _, p := range r.fields {
		delete(l.shape.fields, p.text)
	}
	return r
}

func (r *dropRule) start() step { return r }

func (r *dropRule) apply(s *state) (verdict, error) {
	for _, p := range r.fields {
		s.doc.remove(p)
	}
	return pass, nil
}
