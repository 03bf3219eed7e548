package sls

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

var sourceType = regexp.MustCompile(`^[a-z][a-zA-Z0-9]*$`)

func isTypeByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-'
}

func (p *variableParser) wrong(what string, at int) error {
	return fmt.Errorf("%s at character %d of %q", what, at+1, clip(p.s))
}

func (p *variableParser) open() error {
	return fmt.Errorf("a ${ without its } in %q", clip(p.s))
}

func (p *variableParser) deep() error {
	return fmt.Errorf("variables are nested deeper than %d levels in %q", maxNested, clip(p.s))
}

func clip(s string) string {
	if len(s) > 200 {
		return s[:200] + "..."
	}
	return s
}

// variable reads one whose ${ has just been read. It gives nil for what only looks like one, which inside another
// variable (strict) is an error.
func (p *variableParser) variable(start int, strict bool) (*variable, error) {
	if p.depth++; p.depth > maxNested {
		return nil, p.deep()
	}
	defer func() { p.depth-- }()
	typeStart := p.i
	if c := p.at(p.i); c >= 'a' && c <= 'z' {
		for p.i++; isTypeByte(p.at(p.i)); p.i++ {
		}
	}
	switch c := p.at(p.i); {
	case p.i > typeStart && (c == ':' || c == '('):
		return p.sources(start, p.s[typeStart:p.i], strict)
	case strict && p.i >= len(p.s):
		return nil, p.open()
	case strict:
		return nil, p.wrong("no type of a variable", typeStart)
	}
	return nil, p.foreign()
}

// sources reads from behind the type of the first source to behind the } of the variable.
func (p *variableParser) sources(start int, kind string, strict bool) (*variable, error) {
	v := &variable{}
	s, foreign, err := p.source(kind, strict)
	if foreign {
		return nil, p.foreign()
	}
	for more := true; err == nil && more; {
		v.sources = append(v.sources, s)
		if more = p.s[p.i-1] == ','; more {
			s, err = p.fallback()
		}
	}
	if err != nil {
		return nil, err
	}
	v.raw = p.s[start:p.i]
	return v, nil
}

// source reads a source from behind its type to the } or , that ends it. A :: is left to others (foreign).
func (p *variableParser) source(kind string, strict bool) (s source, foreign bool, err error) {
	s.kind = kind
	if p.s[p.i] == '(' {
		p.i++
		if s.params, err = p.params(); err != nil {
			return s, false, err
		}
		p.spaces()
		switch p.at(p.i) {
		case ':':
		case ',', '}':
			p.i++
			return s, false, nil
		case 0:
			return s, false, p.open()
		default:
			return s, false, p.wrong("no : before the address", p.i)
		}
	}
	p.i++
	p.spaces()
	if p.at(p.i) == ':' {
		if strict || s.params != nil {
			return s, false, p.wrong("no address of a variable", p.i)
		}
		return s, true, nil
	}
	s.address, err = p.address()
	return s, false, err
}

func (p *variableParser) spaces() {
	for p.at(p.i) == ' ' {
		p.i++
	}
}

// fallback reads what follows a comma: another source, or a literal that must be the last.
func (p *variableParser) fallback() (source, error) {
	p.spaces()
	start := p.i
	switch c := p.at(p.i); {
	case c == '"' || c == '\'':
		v, err := p.quoted("}")
		return source{literal: v}, err
	case p.i >= len(p.s):
		return source{}, p.open()
	case !isTypeByte(c):
		return source{}, p.wrong("neither a source nor a literal", p.i)
	}
	for isTypeByte(p.at(p.i)) || p.at(p.i) == ' ' {
		p.i++
	}
	word := p.s[start:p.i]
	switch p.at(p.i) {
	case ':', '(':
		if !sourceType.MatchString(word) {
			return source{}, p.wrong("no type of a source", start)
		}
		s, _, err := p.source(word, true) // foreign is not possible where strict
		return s, err
	case '}':
		p.i++
		v, ok := parseLiteral(strings.TrimSpace(word))
		if !ok {
			return source{}, p.wrong("no literal (quote a text)", start)
		}
		return source{literal: v}, nil
	case 0:
		return source{}, p.open()
	}
	return source{}, p.wrong("neither a source nor a literal", start)
}

func parseLiteral(word string) (*Value, bool) {
	v := &Value{Literal: true}
	switch word {
	case "null":
	case "true", "false":
		v.Kind, v.Bool = Bool, word == "true"
	default:
		f, ok := parseLiteralNumber(word)
		if !ok {
			return nil, false
		}
		v.Kind, v.Number, v.Raw = Number, f, word
	}
	return v, true
}

// quoted reads a text in quotes and the byte after it, which must be one of ends. Double quotes take JSON's escapes,
// single ones none.
func (p *variableParser) quoted(ends string) (*Value, error) {
	start, quote := p.i, p.s[p.i]
	for p.i++; p.i < len(p.s) && p.s[p.i] != quote; p.i++ {
		if quote == '"' && p.s[p.i] == '\\' {
			p.i++
		}
	}
	if p.i >= len(p.s) {
		return nil, p.open()
	}
	p.i++
	v := &Value{Kind: String, Text: p.s[start+1 : p.i-1], Literal: true}
	if quote == '"' {
		if err := json.Unmarshal([]byte(p.s[start:p.i]), &v.Text); err != nil {
			return nil, p.wrong("a text that is not JSON", start)
		}
	}
	p.spaces()
	switch c := p.at(p.i); {
	case p.i >= len(p.s):
		return nil, p.open()
	case strings.IndexByte(ends, c) < 0:
		return nil, p.wrong("more after the closing quote", p.i)
	}
	p.i++
	return v, nil
}
