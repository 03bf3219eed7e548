package transform

import (
	"fmt"
	"time"
	_ "time/tzdata" // a function's image need not have the time zones

	"github.com/scf-etl/scf-etl/pkg/yamlfile"
)

// timestampRule makes a field the event time of the record.
type timestampRule struct {
	field   *path
	layouts []layout
	keep    bool // the record keeps its time where the field has none
	into    *path
}

func (l *loader) timestamp(n *yamlfile.Node) rule {
	if n.Kind == yamlfile.Scalar {
		n = &yamlfile.Node{Pos: n.Pos, Kind: yamlfile.Mapping, Keys: []*yamlfile.Node{{Pos: n.Pos, Text: "field"}}, Values: []*yamlfile.Node{n}}
	}
	t := l.Table(n, "timestamp", "field", "layouts", "zone", "failure", "into")
	r := &timestampRule{keep: t.Choice("failure", "fail", "keep") == "keep"}
	if f := t.Need("field"); f != nil {
		r.field = l.field(f)
	}
	zone := time.UTC
	if z := t.Get("zone"); z != nil {
		var err error
		if zone, err = time.LoadLocation(l.Text(z, "zone")); err != nil {
			l.Fault(z, "write UTC, Asia/Shanghai or another name of the IANA database", "%q is no time zone", z.Text)
			zone = time.UTC
		}
	}
	layouts := l.Texts(t.Get("layouts"), "layouts")
	if layouts == nil {
		layouts = []*yamlfile.Node{{Text: "rfc3339"}, {Text: "common_log"}, {Text: "datetime"}, {Text: "syslog"}}
	}
	for _, name := range layouts {
		read, ok := layoutOf(name.Text, zone)
		if !ok {
			l.Fault(name, yamlfile.Suggest(name.Text, layoutNames()), "%q is neither a layout's name nor a layout of Go such as 2006-01-02 15:04", name.Text)
		}
		r.layouts = append(r.layouts, read)
	}
	if into := t.Get("into"); into != nil {
		r.into = newPath(l.Text(into, "into"))
		l.shape.fields[r.into.text] = stringType
	}
	return r
}

func (r *timestampRule) start() step { return r }

// maxYear is the last that RFC 3339 can write.
const maxYear = 9999

func (r *timestampRule) apply(s *state) (verdict, error) {
	v := s.doc.get(r.field)
	if v.kind == missing || v.kind == null {
		if r.keep {
			return pass, nil
		}
		return pass, &failure{field: r.field.text, err: ErrMissing}
	}
	source := s.doc.text(v)
	for _, read := range r.layouts {
		at, ok := read(source, s.timestamp)
		if !ok || at.Year() < 0 || at.Year() > maxYear {
			continue
		}
		s.timestamp = at.UnixMilli()
		if r.into != nil {
			begin := len(s.doc.arena)
			s.doc.arena = at.UTC().AppendFormat(s.doc.arena, "2006-01-02T15:04:05.000Z")
			s.doc.set(r.into, value{kind: text, raw: s.doc.since(begin)})
		}
		return pass, nil
	}
	if r.keep {
		return pass, nil
	}
	return pass, &failure{field: r.field.text, value: source, err: fmt.Errorf("%w (failure: keep leaves the record its time)", ErrTime)}
}
