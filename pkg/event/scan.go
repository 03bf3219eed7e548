package event

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// maxDepth is the deepest nesting that encoding/json reads.
const maxDepth = 10000

// scanner reads JSON (RFC 8259) from a payload by the rules of encoding/json: the same inputs are well
// formed, and strings decode to the same text. It is a reader for known shapes: the caller asks for what
// it expects, and skips what it does not know.
type scanner struct {
	kind  string // for errors
	p     []byte
	i     int // index of the next byte
	depth int
	arena arena

	// where the scanner is, for errors
	record int
	field  string
}

func newScanner(kind string, payload []byte) scanner {
	return scanner{kind: kind, p: payload, record: -1}
}

// fail is the error for a fault at byte at.
func (s *scanner) fail(at int, reason string) error {
	return &DecodeError{Kind: s.kind, Offset: int64(at), Record: s.record, Field: s.field, Reason: reason}
}

// unexpected is the error for the next byte where want was to come.
func (s *scanner) unexpected(want string) error {
	if s.i >= len(s.p) {
		return s.fail(len(s.p), "unexpected end of the payload, want "+want)
	}
	if c := s.p[s.i]; c < utf8.RuneSelf {
		return s.fail(s.i, fmt.Sprintf("unexpected character %q, want %s", c, want))
	}
	return s.fail(s.i, fmt.Sprintf("unexpected byte 0x%x, want %s", s.p[s.i], want))
}

// mismatch is the error for a value of another type than want.
func (s *scanner) mismatch(want string) error {
	got := ""
	switch c := s.peek(); {
	case c == '"':
		got = "a string"
	case c == '{':
		got = "an object"
	case c == '[':
		got = "an array"
	case c == 't', c == 'f':
		got = "a bool"
	case c == '-', isDigit(c):
		got = "a number"
	default:
		return s.unexpected(want)
	}
	return s.fail(s.i, "want "+want+", not "+got)
}

// peek is the next byte, or 0 at the end of the payload: no JSON token begins with 0.
func (s *scanner) peek() byte {
	if s.i < len(s.p) {
		return s.p[s.i]
	}
	return 0
}

// next skips white space and is the byte after it, or 0 at the end of the payload.
func (s *scanner) next() byte {
	for s.i < len(s.p) {
		switch c := s.p[s.i]; c {
		case ' ', '\n', '\t', '\r':
			s.i++
		default:
			return c
		}
	}
	return 0
}

// document reads the whole payload: one value with nothing but white space around it.
func (s *scanner) document(value func() error) error {
	s.next()
	if err := value(); err != nil {
		return err
	}
	if s.next(); s.i < len(s.p) {
		return s.unexpected("the end of the payload")
	}
	return nil
}

// object reads an object and calls member for each of its members, with the scanner at the value.
func (s *scanner) object(member func(name []byte) error) error {
	if err := s.open(); err != nil {
		return err
	}
	if s.next() == '}' {
		return s.close()
	}
	for {
		if s.next() != '"' {
			return s.unexpected("a field name")
		}
		name, err := s.text()
		if err != nil {
			return err
		}
		if s.next() != ':' {
			return s.unexpected("':'")
		}
		s.i++
		s.next()
		if err := member(name); err != nil {
			return err
		}
		switch s.next() {
		case ',':
			s.i++
		case '}':
			return s.close()
		default:
			return s.unexpected("',' or '}'")
		}
	}
}

// array reads an array and calls element for each of its elements, with the scanner at the value.
func (s *scanner) array(element func() error) error {
	if err := s.open(); err != nil {
		return err
	}
	if s.next() == ']' {
		return s.close()
	}
	for {
		s.next()
		if err := element(); err != nil {
			return err
		}
		switch s.next() {
		case ',':
			s.i++
		case ']':
			return s.close()
		default:
			return s.unexpected("',' or ']'")
		}
	}
}

func (s *scanner) open() error {
	if s.depth++; s.depth > maxDepth {
		return s.fail(s.i, "nested deeper than "+strconv.Itoa(maxDepth))
	}
	s.i++
	return nil
}

func (s *scanner) close() error {
	s.depth--
	s.i++
	return nil
}

// skip reads a value of any type and forgets it.
func (s *scanner) skip() error {
	switch c := s.peek(); {
	case c == '"':
		return s.skipText()
	case c == '{':
		return s.object(func([]byte) error { return s.skip() })
	case c == '[':
		return s.array(s.skip)
	case c == 't':
		return s.literal("true")
	case c == 'f':
		return s.literal("false")
	case c == 'n':
		return s.literal("null")
	case c == '-', isDigit(c):
		_, err := s.number()
		return err
	}
	return s.unexpected("a value")
}

// literal reads exactly want.
func (s *scanner) literal(want string) error {
	for j := range len(want) {
		if s.peek() != want[j] {
			return s.unexpected(strconv.Quote(want))
		}
		s.i++
	}
	return nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// digits reads one digit or more.
func (s *scanner) digits() error {
	if !isDigit(s.peek()) {
		return s.unexpected("a digit")
	}
	for isDigit(s.peek()) {
		s.i++
	}
	return nil
}

// number reads a number and reports whether it is written as a whole one, without fraction and exponent.
func (s *scanner) number() (whole bool, err error) {
	if s.peek() == '-' {
		s.i++
	}
	if s.peek() == '0' { // nothing may follow a leading zero: the caller finds a further digit
		s.i++
	} else if err := s.digits(); err != nil {
		return false, err
	}
	whole = true
	if s.peek() == '.' {
		whole = false
		s.i++
		if err := s.digits(); err != nil {
			return false, err
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		whole = false
		s.i++
		if c := s.peek(); c == '+' || c == '-' {
			s.i++
		}
		if err := s.digits(); err != nil {
			return false, err
		}
	}
	return whole, nil
}

// integer reads a whole number that fits into the given number of bits, or null, which leaves n as it is.
func (s *scanner) integer(n int64, size int) (int64, error) {
	c := s.peek()
	if c == 'n' {
		return n, s.literal("null")
	}
	if c != '-' && !isDigit(c) {
		return n, s.mismatch("a whole number")
	}
	start := s.i
	whole, err := s.number()
	if err != nil {
		return n, err
	}
	if !whole {
		return n, s.fail(start, "want a whole number, without fraction and exponent")
	}
	v, err := strconv.ParseInt(string(s.p[start:s.i]), 10, size)
	if err != nil {
		return n, s.fail(start, "the number does not fit into "+strconv.Itoa(size)+" bits")
	}
	return v, nil
}
