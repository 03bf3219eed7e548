package transform

import (
	"github.com/scf-etl/scf-etl/internal/rawjson"

	"github.com/scf-etl/scf-etl/pkg/yamlfile"
)

// csvFormat is one line of RFC 4180 with known columns. A quote inside of a field
// without quotes is an error, as in encoding/csv.
type csvFormat struct {
	separator byte
	slots     []slot
}

func (l *loader) csvFormat(t *yamlfile.Table, prefix string) format {
	f := &csvFormat{separator: l.separator(t, ',')}
	columns := t.Need("columns")
	seen := map[string]bool{}
	for _, n := range l.Texts(columns, "columns") {
		if seen[n.Text] || n.Text == "" {
			l.Fault(n, "", "each column needs a name of its own")
		}
		seen[n.Text] = true
		s := slot{name: []byte(prefix + n.Text)}
		s.key, _ = rawjson.AppendString(nil, s.name)
		f.slots = append(f.slots, s)
		l.shape.add(prefix+n.Text, stringType)
	}
	return f
}

func (f *csvFormat) start() parser { return f }

func (f *csvFormat) parse(line []byte, d *document) error {
	for i, p := 0, 0; ; i++ {
		if i == len(f.slots) {
			return faultf("there are more than %d columns", len(f.slots))
		}
		v, end, err := f.column(line, p, d)
		if err != nil {
			return err
		}
		d.put(f.slots[i].name, f.slots[i].key, v)
		if end == len(line) {
			if i+1 < len(f.slots) {
				return faultf("there are %d columns of %d", i+1, len(f.slots))
			}
			return nil
		}
		p = end + 1
	}
}

// column reads from p to the next separator or the end.
func (f *csvFormat) column(line []byte, p int, d *document) (v value, end int, err error) {
	if p == len(line) || line[p] != '"' {
		for end = p; end < len(line) && line[end] != f.separator; end++ {
			if line[end] == '"' || line[end] == '\n' {
				return v, end, faultf("a quote or a line break outside of quotes at byte %d", end)
			}
		}
		return value{text, line[p:end:end]}, end, nil
	}
	open, begin := p, len(d.arena)
	for p++; ; p++ {
		switch {
		case p >= len(line):
			return v, p, faultf("a quote without its end at byte %d", open)
		case line[p] != '"':
			d.arena = append(d.arena, line[p])
		case p+1 < len(line) && line[p+1] == '"':
			d.arena = append(d.arena, '"')
			p++
		case p+1 < len(line) && line[p+1] != f.separator:
			return v, p, faultf("something right after a quote at byte %d", p+1)
		default:
			return value{text, d.since(begin)}, p + 1, nil
		}
	}
}
