package event

import (
	"bytes"
	"strconv"
)

// match is the one of the names that encoding/json takes the field called name for, or "" if there is
// none: the same text, or the same without regard to case.
func match(name []byte, names ...string) string {
	for _, want := range names {
		if string(name) == want {
			return want
		}
	}
	for _, want := range names {
		if bytes.EqualFold(name, []byte(want)) {
			return want
		}
	}
	return ""
}

// optionalObject reads an object, or null, which has no effect.
func (s *scanner) optionalObject(member func(name []byte) error) error {
	switch s.peek() {
	case '{':
		return s.object(member)
	case 'n':
		return s.literal("null")
	}
	return s.mismatch("an object")
}

// optionalText reads a string, or null, which gives nil.
func (s *scanner) optionalText() ([]byte, error) {
	switch s.peek() {
	case '"':
		return s.text()
	case 'n':
		return nil, s.literal("null")
	}
	return nil, s.mismatch("a string")
}

// member is a field of an object and how to read it.
type member struct {
	name string
	read func() error
}

// members reads an object that has the given members among others, or null. It is for events of a few
// hundred bytes; the CKafka decoder has no table.
func (s *scanner) members(known ...member) error {
	outer := s.field
	err := s.optionalObject(func(name []byte) error {
		for _, m := range known {
			if match(name, m.name) == "" {
				continue
			}
			s.field = m.name
			if err := m.read(); err != nil {
				return err
			}
			s.field = outer
			return nil
		}
		return s.skip()
	})
	if err == nil {
		s.field = outer
	}
	return err
}

// objectMember is a member that is an object with the given members.
func (s *scanner) objectMember(name string, known ...member) member {
	return member{name, func() error { return s.members(known...) }}
}

// stringMember is a member that is a string.
func (s *scanner) stringMember(name string, to *string) member {
	return member{name, func() error {
		text, err := s.optionalText()
		if text != nil {
			*to = string(text)
		}
		return err
	}}
}

// intMember is a member that is a whole number, or one in quotes, as old versions of some events have it.
func (s *scanner) intMember(name string, to *int64) member {
	return member{name, func() error {
		if s.peek() != '"' {
			n, err := s.integer(*to, 64)
			*to = n
			return err
		}
		start := s.i
		text, err := s.text()
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(string(text), 10, 64)
		if err != nil {
			return s.fail(start, "want a whole number")
		}
		*to = n
		return nil
	}}
}

// mapMember is a member that is an object of strings.
func (s *scanner) mapMember(name string, to *map[string]string) member {
	return s.eachMember(name, func(key string) error {
		value, err := s.optionalText()
		if *to == nil {
			*to = make(map[string]string)
		}
		(*to)[key] = string(value)
		return err
	})
}

// eachMember is a member that is an object with names that are not known: read is called for each, with
// the scanner at its value.
func (s *scanner) eachMember(name string, read func(key string) error) member {
	return member{name, func() error {
		return s.optionalObject(func(key []byte) error { return read(string(key)) })
	}}
}

// records reads a list of records, or null, and reports whether it was a list. read is called for each
// record, with the scanner at its value.
func (s *scanner) records(read func() error) (listed bool, err error) {
	switch s.peek() {
	case '[':
	case 'n':
		return false, s.literal("null")
	default:
		return false, s.mismatch("an array")
	}
	outer, count := s.field, 0
	return true, s.array(func() error {
		s.record, s.field = count, ""
		if err := read(); err != nil {
			return err
		}
		s.record, s.field = -1, outer
		count++
		return nil
	})
}

// stringsMember is a member that is an object whose values are strings or lists of strings; add is called
// for each string. Any other value counts as an empty string: it stands for a name without a value.
func (s *scanner) stringsMember(name string, add func(key, value string)) member {
	return s.eachMember(name, func(key string) error {
		one := func() error {
			if s.peek() != '"' {
				add(key, "")
				return s.skip()
			}
			value, err := s.text()
			if err == nil {
				add(key, string(value))
			}
			return err
		}
		if s.peek() == '[' {
			return s.array(one)
		}
		return one()
	})
}
