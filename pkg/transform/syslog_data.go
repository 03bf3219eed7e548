package transform

import (
	"bytes"
	"unicode/utf8"

	"github.com/scf-etl/scf-etl/internal/rawjson"
)

// structuredData reads RFC 5424 6.3 into an object of objects.
func (s *syslogParser) structuredData() error {
	if s.p < len(s.line) && s.line[s.p] == '-' {
		s.p++
		return nil
	}
	if s.p >= len(s.line) || s.line[s.p] != '[' {
		return s.fault("structured data or - is missing")
	}
	d := s.doc
	begin := len(d.arena)
	d.arena = append(d.arena, '{')
	for s.p < len(s.line) && s.line[s.p] == '[' {
		if len(d.arena) > begin+1 {
			d.arena = append(d.arena, ',')
		}
		s.p++
		if err := s.element(); err != nil {
			return err
		}
	}
	d.arena = append(d.arena, '}')
	s.put(syslogData, value{object, d.since(begin)})
	return nil
}

// name reads an SD-NAME: 1 to 32 printable characters without = ] ".
func (s *syslogParser) name() ([]byte, error) {
	begin := s.p
	for s.p < len(s.line) && s.line[s.p] > ' ' && s.line[s.p] <= '~' && bytes.IndexByte([]byte(`=]"`), s.line[s.p]) < 0 {
		s.p++
	}
	if s.p == begin || s.p-begin > 32 {
		return nil, s.fault("a name in structured data is empty or too long")
	}
	return s.line[begin:s.p], nil
}

// element reads an SD-ELEMENT behind its bracket.
func (s *syslogParser) element() error {
	id, err := s.name()
	if err != nil {
		return err
	}
	d := s.doc
	d.arena, _ = rawjson.AppendString(d.arena, id)
	d.arena = append(d.arena, ":{"...)
	for first := true; s.p < len(s.line) && s.line[s.p] == ' '; first = false {
		s.p++
		name, err := s.name()
		if err != nil {
			return err
		}
		if !first {
			d.arena = append(d.arena, ',')
		}
		d.arena, _ = rawjson.AppendString(d.arena, name)
		d.arena = append(d.arena, ':')
		if err := s.parameter(); err != nil {
			return err
		}
	}
	if s.p >= len(s.line) || s.line[s.p] != ']' {
		return s.fault("structured data without its end")
	}
	s.p++
	d.arena = append(d.arena, '}')
	return nil
}

// parameter reads ="value", where a backslash is before each " \ and ].
func (s *syslogParser) parameter() error {
	if !bytes.HasPrefix(s.line[s.p:], []byte(`="`)) {
		return s.fault("a value in structured data is missing")
	}
	s.p += 2
	d := s.doc
	d.arena = append(d.arena, '"')
	for s.p < len(s.line) {
		switch b := s.line[s.p]; {
		case b == '"':
			s.p++
			d.arena = append(d.arena, '"')
			return nil
		case b == ']':
			return s.fault("a ] without a backslash before it")
		case b == '\\' && s.p+1 < len(s.line) && bytes.IndexByte([]byte(`"\]`), s.line[s.p+1]) >= 0:
			s.p++
			s.character(1)
		default:
			_, size := utf8.DecodeRune(s.line[s.p:])
			if b >= utf8.RuneSelf && size == 1 {
				return s.fault("a value in structured data is not UTF-8")
			}
			s.character(size)
		}
	}
	return s.fault("a value in structured data without its end")
}

// character adds one character of a value as JSON.
func (s *syslogParser) character(size int) {
	d := s.doc
	begin := len(d.arena)
	d.arena, _ = rawjson.AppendString(d.arena, s.line[s.p:s.p+size])
	copy(d.arena[begin:], d.arena[begin+1:len(d.arena)-1]) // without its quotes
	d.arena = d.arena[:len(d.arena)-2]
	s.p += size
}
