package transform

import (
	"github.com/scf-etl/scf-etl/internal/rawjson"

	"github.com/scf-etl/scf-etl/pkg/yamlfile"
)

// setRule gives fields values: constants, properties of the record, results of
// expressions. The rules of one set are applied in their order. nil as the result of
// an expression removes the field.
type setRule struct{ sets []setting }

type setting struct {
	path     *path
	constant value
	meta     func(*state) value
	expr     *expression
}

func (l *loader) set(n *yamlfile.Node) rule {
	r := &setRule{}
	if n.Kind != yamlfile.Mapping {
		l.Fault(n, "write set: {name: value}", "set has to be a mapping of fields to values")
		return r
	}
	for i, key := range n.Keys {
		v := n.Values[i]
		known := anyType
		s := setting{path: newPath(key.Text)}
		if key.Text == "" {
			l.Fault(key, "", "the name of a field is empty")
		}
		switch v.Kind {
		case yamlfile.Scalar:
			s.constant, known = constantValue(v)
		case yamlfile.Nothing:
			s.constant = value{null, []byte("null")}
		default:
			l.setting(&s, v)
		}
		r.sets = append(r.sets, s)
		if _, old := l.shape.find(s.path); !old || len(s.path.parts) == 1 {
			l.shape.fields[key.Text] = known
		}
	}
	return r
}

func (l *loader) setting(s *setting, n *yamlfile.Node) {
	t := l.Table(n, "a value", "expr", "from")
	e, from := t.Get("expr"), t.Get("from")
	switch {
	case (e == nil) == (from == nil):
		l.Fault(n, "write {expr: ...} or {from: topic}", "a value needs one of expr and from")
	case e != nil:
		s.expr = l.expression(e)
	default:
		name := l.Text(from, "from")
		if s.meta = metaValue(name); s.meta == nil {
			l.Fault(from, yamlfile.Suggest(name, metaNames()), "a record has no %q", name)
		}
	}
}

// constantValue reads a scalar as YAML does: quoted it is a text, without quotes it
// may be a number or a boolean.
func constantValue(n *yamlfile.Node) (value, fieldType) {
	raw := []byte(n.Text)
	if n.Plain {
		switch {
		case n.Text == "true" || n.Text == "false":
			return value{boolean, raw}, boolType
		case len(raw) > 0 && (raw[0] == '-' || raw[0]-'0' <= 9) && rawjson.Valid(raw):
			if _, ok := whole(raw); ok {
				return value{number, raw}, intType
			}
			return value{number, raw}, floatType
		}
	}
	return value{text, raw}, stringType
}

func (r *setRule) start() step {
	s := &setStep{rule: r}
	for i := range r.sets {
		s.evaluators = append(s.evaluators, r.sets[i].expr.start())
	}
	return s
}

type setStep struct {
	rule       *setRule
	evaluators []evaluator
}

func (t *setStep) apply(s *state) (verdict, error) {
	for i := range t.rule.sets {
		set := &t.rule.sets[i]
		v := set.constant
		switch {
		case set.meta != nil:
			v = set.meta(s)
		case set.expr != nil:
			var err error
			if v, err = t.evaluators[i].value(s); err != nil {
				return pass, err
			}
		}
		s.doc.set(set.path, v)
	}
	return pass, nil
}
