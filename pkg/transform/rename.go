package transform

import "github.com/scf-etl/scf-etl/pkg/yamlfile"

// renameRule gives fields other names, in their places. A field that has the new
// name already goes. A field that is not there is left out.
type renameRule struct{ pairs [][2]*path }

func (l *loader) rename(n *yamlfile.Node) rule {
	r := &renameRule{}
	if n.Kind != yamlfile.Mapping {
		l.Fault(n, "write rename: {old: new}", "rename has to be a mapping of old names to new ones")
		return r
	}
	for i, key := range n.Keys {
		from := l.field(key)
		to := newPath(l.Text(n.Values[i], "the new name"))
		if to.text == "" {
			l.Fault(n.Values[i], "", "the new name is empty")
		}
		r.pairs = append(r.pairs, [2]*path{from, to})
		known, _ := l.shape.find(from)
		delete(l.shape.fields, from.text)
		l.shape.fields[to.text] = known
	}
	return r
}

func (r *renameRule) start() step { return r }

func (r *renameRule) apply(s *state) (verdict, error) {
	for _, pair := range r.pairs {
		from, to := pair[0], pair[1]
		f := s.doc.findText(from.text)
		if f == nil || len(to.parts) > 1 {
			v := s.doc.get(from)
			if v.kind != missing {
				s.doc.remove(from)
				s.doc.set(to, v)
			}
			continue
		}
		if from.text == to.text {
			continue
		}
		v, key := f.value, to.key
		s.doc.remove(to)
		f.value = value{}
		// A new name in the old place: only the index of wide records has to be made again.
		f.name, f.key, f.value = to.name, key, v
		s.doc.index.size = 0
		s.doc.names |= nameBit(to.name)
	}
	return pass, nil
}
