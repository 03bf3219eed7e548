package transform

import (
	"github.com/scf-etl/scf-etl/internal/rawjson"

	"github.com/scf-etl/scf-etl/pkg/yamlfile"
)

// keepRule removes every field but some. user.id keeps of an object user the member
// id.
type keepRule struct{ fields []*path }

func (l *loader) keep(n *yamlfile.Node) rule {
	r := &keepRule{fields: l.fields(l.Texts(n, "keep"))}
	kept := map[string]fieldType{}
	for _, p := range r.fields {
		if t, ok := l.shape.fields[p.text]; ok || len(p.parts) == 1 {
			if !ok {
				t = anyType
			}
			kept[p.text] = t
		} else {
			kept[p.parts[0]] = anyType
			kept[p.text] = anyType
		}
	}
	l.shape = shape{fields: kept}
	return r
}

func (r *keepRule) start() step { return r }

func (r *keepRule) apply(s *state) (verdict, error) {
	for i := range s.doc.fields {
		f := &s.doc.fields[i]
		if f.kind != missing && !r.names(f.name) {
			f.value = r.part(&s.doc, f)
		}
	}
	return pass, nil
}

func (r *keepRule) names(name []byte) bool {
	for _, p := range r.fields {
		if p.text == string(name) {
			return true
		}
	}
	return false
}

// part returns the object of f with only the members that are kept.
func (r *keepRule) part(d *document, f *field) value {
	out := value{}
	for _, p := range r.fields {
		if f.kind != object || len(p.parts) < 2 || p.parts[0] != string(f.name) {
			continue
		}
		member, _, _ := rawjson.Get(f.raw, p.parts[1:])
		if member == nil {
			continue
		}
		if out.kind == missing {
			out = value{object, []byte("{}")}
		}
		before := out.raw
		begin := len(d.arena)
		d.arena = rawjson.Put(d.arena, before, p.parts[1:], member)
		out.raw = d.since(begin)
	}
	return out
}
