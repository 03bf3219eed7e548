package rawjson

// Members calls yield with each member of a checked object, until it returns
// false.
func Members(object []byte, yield func(Member) bool) {
	s := scanner{text: object}
	for p := s.space(1); p < len(object) && object[p] == '"'; {
		key := p
		p = s.str(p)
		m := Member{Key: object[key:p:p], Begin: key, Escaped: s.escaped}
		m.At = s.space(s.space(p) + 1)
		p = s.value(m.At)
		m.Value = object[m.At:p:p]
		if !yield(m) {
			return
		}
		if p = s.space(p); object[p] == ',' {
			p = s.space(p + 1)
		}
	}
}

// Elements calls yield with each element of a checked array, until it returns
// false.
func Elements(array []byte, yield func([]byte) bool) {
	s := scanner{text: array}
	for p := s.space(1); p < len(array) && array[p] != ']'; {
		begin := p
		p = s.value(p)
		if !yield(array[begin:p:p]) {
			return
		}
		if p = s.space(p); array[p] == ',' {
			p = s.space(p + 1)
		}
	}
}

// Get returns the value at path in a checked value, or nil, and where in value it
// begins. Of members with the same name the last counts; alone says that there was no
// other on the way, so that the value may be replaced where it stands.
func Get(value []byte, path []string) (found []byte, at int, alone bool) {
	alone = true
	for _, name := range path {
		if len(value) == 0 || value[0] != '{' {
			return nil, 0, false
		}
		found = nil
		inner := 0
		Members(value, func(m Member) bool {
			if m.Is(name) {
				alone = alone && found == nil
				found, inner = m.Value, m.At
			}
			return true
		})
		if value = found; value == nil {
			return nil, 0, false
		}
		at += inner
	}
	return value, at, alone
}

// Put adds to dst a checked object with the member at path set to value, which is
// JSON; a nil value removes it. What is not there is added at the end, with the
// objects around it; what is there and is no object gives way to one. Other
// members of the same name go, because a reader might take them instead.
func Put(dst, object []byte, path []string, value []byte) []byte {
	last, i := -1, 0
	Members(object, func(m Member) bool {
		if m.Is(path[0]) {
			last = i
		}
		i++
		return true
	})
	dst = append(dst, '{')
	begin, i := len(dst), 0
	Members(object, func(m Member) bool {
		switch {
		case i == last:
			dst = put(dst, begin, m, path, value)
		case last < 0 || !m.Is(path[0]):
			dst = append(append(append(comma(dst, begin), m.Key...), ':'), m.Value...)
		}
		i++
		return true
	})
	if last < 0 && value != nil {
		key, _ := AppendString(nil, []byte(path[0]))
		dst = put(dst, begin, Member{Key: key, Value: []byte("{}")}, path, value)
	}
	return append(dst, '}')
}

func put(dst []byte, begin int, m Member, path []string, value []byte) []byte {
	if len(path) == 1 && value == nil {
		return dst
	}
	dst = append(append(comma(dst, begin), m.Key...), ':')
	switch {
	case len(path) == 1:
		return append(dst, value...)
	case m.Value[0] == '{':
		return Put(dst, m.Value, path[1:], value)
	case value == nil:
		return append(dst, m.Value...)
	}
	return Put(dst, []byte("{}"), path[1:], value)
}

func comma(dst []byte, begin int) []byte {
	if len(dst) > begin {
		return append(dst, ',')
	}
	return dst
}
