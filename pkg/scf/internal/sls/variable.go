package sls

// part is one of the pieces that a text consists of: plain text, or a variable that stands in it.
type part struct {
	text     string
	variable *variable // nil for plain text
	escaped  bool      // plain text that stands for backslashes before a ${
}

// variable is one ${...}: sources are tried in order until one has a value.
type variable struct {
	raw     string // as written
	sources []source
}

// source is type(params):address, or a literal as the last resort.
type source struct {
	kind    string
	params  []argument
	address *argument // nil where there is none
	literal *Value    // not nil for a literal
}

// argument is an address or a parameter: a ready value, or a text with variables in it.
type argument struct {
	value *Value
	parts []part
}

// single says that the parts are one variable and nothing else: its value then keeps its type.
func single(parts []part) bool { return len(parts) == 1 && parts[0].variable != nil }

// hasVariable says whether there is anything to resolve.
func hasVariable(parts []part) bool {
	for _, p := range parts {
		if p.variable != nil {
			return true
		}
	}
	return false
}

// parseText splits a text into its parts. It follows the framework's grammar, oddities included:
//
//	${type:address}, ${type(param, ...):address}      a variable; the type begins with a small letter
//	${a:b, c:d, 'default'}                            sources in order; a literal only at the end
//	${AWS::Region}, ${Anything}                       no variable: left as it stands
//	\${env:X}, \\${env:X}                             the text ${env:X}; a backslash and a variable
//	$${env:X}                                         a variable: the dollars before it are dropped
func parseText(s string) ([]part, error) {
	p := &variableParser{s: s}
	if err := p.text(); err != nil {
		return nil, err
	}
	p.flush(len(s))
	return p.parts, nil
}

// variableParser reads one text. parts grows only with what stands at the top level or inside ${Foreign...}.
type variableParser struct {
	s     string
	i     int // the next byte
	last  int // parts hold everything before this byte
	parts []part
	depth int // variables around the one that is being read
}

// flush turns the bytes up to end into plain text.
func (p *variableParser) flush(end int) {
	if end > p.last {
		p.parts = append(p.parts, part{text: p.s[p.last:end]})
		p.last = end
	}
}

func (p *variableParser) replace(start, end int, with part) {
	p.flush(start)
	p.parts = append(p.parts, with)
	p.last = end
}

func (p *variableParser) at(i int) byte {
	if i < len(p.s) {
		return p.s[i]
	}
	return 0
}

func (p *variableParser) text() error {
	for p.i < len(p.s) {
		switch p.s[p.i] {
		case '\\':
			p.backslashes()
		case '$':
			if err := p.dollar(); err != nil {
				return err
			}
		default:
			p.i++
		}
	}
	return nil
}

// backslashes reads a run of them. Before ${ each pair stands for one, and one that is left over makes the ${ a text.
func (p *variableParser) backslashes() {
	start := p.i
	for p.at(p.i) == '\\' {
		p.i++
	}
	run := p.i - start
	opens := p.at(p.i) == '$' && p.at(p.i+1) == '{'
	switch {
	case opens && run%2 == 1:
		p.replace(start, p.i+1, part{text: p.s[start:start+run/2] + "$", escaped: true})
		p.i += 2
	case opens:
		p.replace(start, p.i, part{text: p.s[start : start+run/2], escaped: true})
	case run%2 == 1 && p.at(p.i) == '$':
		p.i++ // an escaped dollar that opens nothing
	}
}

// dollar reads what a $ at the top level or inside a foreign ${...} begins.
func (p *variableParser) dollar() error {
	start := p.i
	if !p.opens() {
		return nil
	}
	v, err := p.variable(start, false)
	if err != nil || v == nil {
		return err
	}
	p.replace(start, p.i, part{variable: v})
	return nil
}

// opens reads dollars up to {. Where none follows, the byte after them is taken along: it begins nothing any more.
func (p *variableParser) opens() bool {
	for p.at(p.i) == '$' {
		p.i++
	}
	opened := p.at(p.i) == '{'
	if p.i < len(p.s) {
		p.i++
	}
	return opened
}

// foreign reads on to the } of a ${...} that is no variable; variables inside it are.
func (p *variableParser) foreign() error {
	if p.depth++; p.depth > maxNested {
		return p.deep()
	}
	defer func() { p.depth-- }()
	for p.i < len(p.s) {
		switch p.s[p.i] {
		case '}':
			p.i++
			return nil
		case '$':
			if err := p.dollar(); err != nil {
				return err
			}
		default:
			p.i++
		}
	}
	return nil
}
