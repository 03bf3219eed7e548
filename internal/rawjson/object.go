package rawjson

// Member is one member of an object. Key and Value are slices of its text.
type Member struct {
	Key     []byte // with its quotes
	Value   []byte
	Begin   int  // where Key begins in the text
	At      int  // where Value begins in the text
	Escaped bool // the key has to be decoded to be read
}

// Is tells whether the key of m stands for name.
func (m *Member) Is(name string) bool {
	if m.Escaped {
		return Equal(m.Key, name)
	}
	return string(m.Key[1:len(m.Key)-1]) == name
}

// Object checks that text is one JSON object, with white space around it, and
// returns members with its members added, in order, duplicates too. The error is
// a *[SyntaxError].
func Object(text []byte, members []Member) ([]Member, error) {
	s := scanner{text: text}
	p := s.space(0)
	if p >= len(text) {
		return members, &SyntaxError{Offset: p, Reason: "the text is empty"}
	}
	if text[p] != '{' {
		return members, &SyntaxError{Offset: p, Reason: "an object { } is wanted"}
	}
	if p = s.object(p, &members); p >= 0 {
		if p = s.space(p); p < len(text) {
			s.fail(p, "something after the object")
		}
	}
	if s.fault != nil {
		return members, s.fault
	}
	return members, nil
}

// Valid tells whether text is one JSON value without white space around it.
func Valid(text []byte) bool {
	s := scanner{text: text}
	return s.value(0) == len(text)
}

func (s *scanner) enter(p int) bool {
	if s.depth++; s.depth > MaxDepth {
		s.fail(p, "arrays and objects nested too deep")
		return false
	}
	return true
}

// object returns the position after the object at p; its members are added to
// members where that is not nil.
func (s *scanner) object(p int, members *[]Member) int {
	if !s.enter(p) {
		return -1
	}
	if p = s.space(p + 1); p < len(s.text) && s.text[p] == '}' {
		s.depth--
		return p + 1
	}
	for {
		if p >= len(s.text) || s.text[p] != '"' {
			return s.fail(p, "the name of a member is missing")
		}
		key := p
		if p = s.str(p); p < 0 {
			return p
		}
		keyEnd, escaped := p, s.escaped
		if p = s.space(p); p >= len(s.text) || s.text[p] != ':' {
			return s.fail(p, "a colon is missing")
		}
		begin := s.space(p + 1)
		if p = s.value(begin); p < 0 {
			return p
		}
		if members != nil {
			*members = append(*members, Member{Key: s.text[key:keyEnd:keyEnd], Value: s.text[begin:p:p], Begin: key, At: begin, Escaped: escaped})
		}
		switch p = s.space(p); {
		case p < len(s.text) && s.text[p] == ',':
			p = s.space(p + 1)
		case p < len(s.text) && s.text[p] == '}':
			s.depth--
			return p + 1
		default:
			return s.fail(p, "a comma or a closing brace is missing")
		}
	}
}

func (s *scanner) array(p int) int {
	if !s.enter(p) {
		return -1
	}
	if p = s.space(p + 1); p < len(s.text) && s.text[p] == ']' {
		s.depth--
		return p + 1
	}
	for {
		if p = s.value(p); p < 0 {
			return p
		}
		switch p = s.space(p); {
		case p < len(s.text) && s.text[p] == ',':
			p = s.space(p + 1)
		case p < len(s.text) && s.text[p] == ']':
			s.depth--
			return p + 1
		default:
			return s.fail(p, "a comma or a closing bracket is missing")
		}
	}
}
