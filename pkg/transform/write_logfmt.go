package transform

import (
	"unicode/utf8"

	"github.com/scf-etl/scf-etl/internal/rawjson"
)

// logfmt writes the fields in their order. What a name cannot hold becomes an
// underscore; objects and arrays are their JSON in quotes.
func (w *writer) logfmt(s *state) ([]byte, error) {
	b := w.buffer[:0]
	for i := range s.doc.fields {
		f := &s.doc.fields[i]
		if f.kind == missing {
			continue
		}
		if len(b) > 0 {
			b = append(b, ' ')
		}
		b = append(logfmtName(b, f.name), '=')
		v := s.doc.text(f.value)
		if f.kind == null || !quotes(v) {
			if f.kind != null {
				b = append(b, v...)
			}
			continue
		}
		var clean bool
		if b, clean = rawjson.AppendString(b, v); !clean && !w.output.replace {
			w.buffer = b
			return nil, notText(f)
		}
	}
	if b == nil {
		b = []byte{}
	}
	w.buffer = b
	return b, nil
}

func logfmtName(dst, name []byte) []byte {
	if len(name) == 0 {
		return append(dst, '_')
	}
	for _, c := range name {
		if c <= ' ' || c == '=' || c == '"' || c == 0x7f {
			c = '_'
		}
		dst = append(dst, c)
	}
	return dst
}

// quotes tells whether a value cannot stand without quotes. An empty one has them,
// because without it is nothing.
func quotes(v []byte) bool {
	for _, c := range v {
		if c <= ' ' || c == '=' || c == '"' || c == '\\' || c == 0x7f || c >= utf8.RuneSelf {
			return true
		}
	}
	return len(v) == 0
}
