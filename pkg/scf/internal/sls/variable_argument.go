package sls

import "strings"

// address reads an address and the } or , that ends it; nil for none.
func (p *variableParser) address() (*argument, error) {
	switch c := p.at(p.i); {
	case p.i >= len(p.s):
		return nil, p.open()
	case c == '"' || c == '\'':
		v, err := p.quoted("},")
		return &argument{value: v}, err
	}
	parts, err := p.until("},", "")
	if err != nil || len(parts) == 0 {
		return nil, err
	}
	if hasVariable(parts) {
		return &argument{parts: parts}, nil
	}
	return &argument{value: &Value{Kind: String, Text: parts[0].text, Literal: true}}, nil
}

// params reads from behind ( to behind ). It never gives nil.
func (p *variableParser) params() ([]argument, error) {
	list := []argument{}
	for {
		p.spaces()
		switch c := p.at(p.i); {
		case p.i >= len(p.s):
			return nil, p.open()
		case c == ')':
			p.i++
			return list, nil
		case c == ',':
			p.i++
			list = append(list, argument{value: &Value{}})
			continue
		case c == '}':
			return nil, p.wrong("no ) after the parameters", p.i)
		}
		a, err := p.param()
		if err != nil {
			return nil, err
		}
		list = append(list, a)
		if p.s[p.i-1] == ')' {
			return list, nil
		}
	}
}

// param reads one parameter and the , or ) that ends it.
func (p *variableParser) param() (argument, error) {
	if c := p.s[p.i]; c == '"' || c == '\'' {
		v, err := p.quoted(",)")
		return argument{value: v}, err
	}
	parts, err := p.until(",)", "}")
	if err != nil || hasVariable(parts) {
		return argument{parts: parts}, err
	}
	if len(parts) == 0 {
		return argument{value: &Value{}}, nil
	}
	if v, ok := parseLiteral(parts[0].text); ok {
		if falsy(v) {
			v = &Value{} // 0 and false count as none, as in the framework
		}
		return argument{value: v}, nil
	}
	return argument{value: &Value{Kind: String, Text: parts[0].text, Literal: true}}, nil
}

// until reads text with variables in it up to one of ends, without the white space around it.
func (p *variableParser) until(ends, never string) ([]part, error) {
	inner := &variableParser{s: p.s, i: p.i, last: p.i, depth: p.depth}
	defer func() { p.i = inner.i }()
	for inner.i < len(p.s) {
		c := p.s[inner.i]
		switch {
		case strings.IndexByte(ends, c) >= 0:
			inner.flush(inner.i)
			inner.i++
			return trimmed(inner.parts), nil
		case strings.IndexByte(never, c) >= 0:
			return nil, inner.wrong("no ) after the parameters", inner.i)
		case c != '$':
			inner.i++
			continue
		}
		start := inner.i
		if !inner.opens() {
			continue
		}
		v, err := inner.variable(start, true)
		if err != nil {
			return nil, err
		}
		inner.replace(start, inner.i, part{variable: v})
	}
	return nil, p.open()
}

func trimmed(parts []part) []part {
	if n := len(parts); n > 0 && parts[n-1].variable == nil {
		parts[n-1].text = strings.TrimRight(parts[n-1].text, " \t\r\n")
	}
	if len(parts) > 0 && parts[0].variable == nil {
		parts[0].text = strings.TrimLeft(parts[0].text, " \t\r\n")
	}
	kept := parts[:0]
	for _, p := range parts {
		if p.variable != nil || p.text != "" {
			kept = append(kept, p)
		}
	}
	return kept
}
