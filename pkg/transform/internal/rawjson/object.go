package rawjson

// Member is one member of an object. All are slices of the text.
type Member struct {
	Key   []byte // with its quotes
	Value []byte
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
		keyEnd := p
		if p = s.space(p); p >= len(s.text) || s.text[p] != ':' {
			return s.fail(p, "a colon is missing")
		}
		begin := s.space(p + 1)
		if p = s.value(begin); p < 0 {
			return p
		}
		if members != nil {
			*members = append(*members, Member{Key: s.text[key:keyEnd:keyEnd], Value: s.text[begin:p:p]})
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
