package transform

import (
	"bytes"

	"github.com/scf-etl/scf-etl/pkg/yamlfile"
)

// keyValueFormat is pairs such as a=1;b=2. White space around names and values goes.
// A value in quotes may hold the separator; \" and \\ stand for a quote and a
// backslash there.
type keyValueFormat struct {
	prefix            string
	separator, assign byte
}

func (l *loader) keyValueFormat(t *yamlfile.Table, prefix string) format {
	f := keyValueFormat{prefix: prefix, separator: l.separator(t, ' '), assign: '='}
	if n := t.Get("assign"); n != nil {
		if s := l.Text(n, "assign"); len(s) == 1 && s[0] > ' ' && s[0] < 0x7f && s[0] != '"' {
			f.assign = s[0]
		} else {
			l.Fault(n, `write "=" or ":"`, "assign has to be one visible ASCII character, and no quote")
		}
	}
	if f.assign == f.separator {
		l.Fault(t.Node, "", "separator and assign are the same")
	}
	return f
}

func (f keyValueFormat) start() parser { return f }

func (f keyValueFormat) parse(line []byte, d *document) error {
	for p := 0; p < len(line); {
		if line[p] == f.separator || line[p] == ' ' {
			p++
			continue
		}
		size := bytes.IndexByte(line[p:], f.assign)
		if size < 0 || bytes.IndexByte(line[p:p+size], f.separator) >= 0 {
			return faultf("a pair without %q at byte %d", f.assign, p)
		}
		name := bytes.TrimSpace(line[p : p+size])
		if len(name) == 0 {
			return faultf("the name of a field is missing at byte %d", p)
		}
		v, end, err := f.value(line, p+size+1, d)
		if err != nil {
			return err
		}
		p = end
		full, key := d.prefixed(f.prefix, name)
		d.put(full, key, v)
	}
	return nil
}

func (f keyValueFormat) value(line []byte, p int, d *document) (v value, end int, err error) {
	for p < len(line) && line[p] == ' ' && f.separator != ' ' {
		p++
	}
	if p == len(line) || line[p] != '"' {
		end = len(line)
		if size := bytes.IndexByte(line[p:], f.separator); size >= 0 {
			end = p + size
		}
		return value{text, bytes.TrimSpace(line[p:end])}, end, nil
	}
	open, begin := p, len(d.arena)
	for p++; p < len(line) && line[p] != '"'; p++ {
		if line[p] == '\\' && p+1 < len(line) && (line[p+1] == '"' || line[p+1] == '\\') {
			p++
		}
		d.arena = append(d.arena, line[p])
	}
	if p >= len(line) {
		return v, p, faultf("a quote without its end at byte %d", open)
	}
	for p++; p < len(line) && line[p] == ' ' && f.separator != ' '; {
		p++
	}
	if p < len(line) && line[p] != f.separator {
		return v, p, faultf("something right after a quote at byte %d", p)
	}
	return value{text, d.since(begin)}, p, nil
}
