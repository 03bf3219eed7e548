package transform

import (
	"fmt"

	"github.com/scf-etl/scf-etl/internal/rawjson"
)

// jsonFormat makes a field of each member of a JSON object.
type jsonFormat struct{ prefix string }

func (j jsonFormat) start() parser { return j }

func (j jsonFormat) parse(line []byte, d *document) error {
	members, err := rawjson.Object(line, d.members[:0])
	d.members = members
	if err != nil {
		return fmt.Errorf("%w: %w", ErrParse, err)
	}
	for _, m := range members {
		j.add(d, m)
	}
	return nil
}

// add puts a member into the document. Of several with one name the last counts, as
// for most readers; the others go, lest a mask hides one and another is read.
func (j jsonFormat) add(d *document, m rawjson.Member) {
	name, key := m.Key[1:len(m.Key)-1], m.Key
	if m.Escaped {
		name = d.text(value{quoted, m.Key})
	}
	if j.prefix != "" {
		name, key = d.prefixed(j.prefix, name)
	}
	f := d.put(name, key, jsonValue(m.Value))
	f.begin, f.end = m.Begin, m.At+len(m.Value)
}

// prefixed returns a name with a prefix, and it as JSON.
func (d *document) prefixed(prefix string, name []byte) (full, key []byte) {
	full = d.keep(func(dst []byte) []byte { return append(append(dst, prefix...), name...) })
	return full, d.encoded(full)
}

// encoded returns a name as JSON.
func (d *document) encoded(name []byte) []byte {
	return d.keep(func(dst []byte) []byte {
		return d.appendJSON(dst, value{text, name})
	})
}
