package rawjson

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"unicode/utf8"
)

// MaxDepth is how deep arrays and objects may be nested. encoding/json allows
// 10,000; a log record beyond some hundred is an attack on whoever reads it next.
const MaxDepth = 512

// SyntaxError says why and at which byte a text is not JSON.
type SyntaxError struct {
	Offset int
	Reason string
}

// Error names the byte, counted from 0.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("not JSON: %s at byte %d", e.Reason, e.Offset)
}

type scanner struct {
	text    []byte
	depth   int
	escaped bool // the last string had an escape
	fault   *SyntaxError
}

// fail notes the first fault; all scans return -1 after it.
func (s *scanner) fail(p int, reason string) int {
	if s.fault == nil {
		if p >= len(s.text) {
			reason = "the text ends too early"
		}
		s.fault = &SyntaxError{Offset: p, Reason: reason}
	}
	return -1
}

// space returns the position after white space.
func (s *scanner) space(p int) int {
	for p < len(s.text) && (s.text[p] == ' ' || s.text[p] == '\n' || s.text[p] == '\t' || s.text[p] == '\r') {
		p++
	}
	return p
}

// value returns the position after the value that begins at p.
func (s *scanner) value(p int) int {
	if p >= len(s.text) {
		return s.fail(p, "")
	}
	switch s.text[p] {
	case '"':
		return s.str(p)
	case '{':
		return s.object(p, nil)
	case '[':
		return s.array(p)
	case 't':
		return s.word(p, "true")
	case 'f':
		return s.word(p, "false")
	case 'n':
		return s.word(p, "null")
	}
	return s.number(p)
}

func (s *scanner) word(p int, word string) int {
	if len(s.text)-p < len(word) || string(s.text[p:p+len(word)]) != word {
		return s.fail(p, "an unknown word")
	}
	return p + len(word)
}

// digits returns the position after at least one digit.
func (s *scanner) digits(p int) int {
	q := p
	for q < len(s.text) && s.text[q]-'0' <= 9 {
		q++
	}
	if q == p {
		return s.fail(p, "a digit is missing")
	}
	return q
}

func (s *scanner) number(p int) int {
	if s.text[p] == '-' {
		p++
	} else if s.text[p]-'0' > 9 {
		return s.fail(p, "a value is missing")
	}
	if p < len(s.text) && s.text[p] == '0' {
		p++
	} else if p = s.digits(p); p < 0 {
		return p
	}
	if p < len(s.text) && s.text[p] == '.' {
		if p = s.digits(p + 1); p < 0 {
			return p
		}
	}
	if p < len(s.text) && s.text[p]|0x20 == 'e' {
		p++
		if p < len(s.text) && (s.text[p] == '+' || s.text[p] == '-') {
			p++
		}
		return s.digits(p)
	}
	return p
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special returns a bit in each byte of x that ends a run of plain characters of
// a string: a quote, a backslash, a control character, one outside of ASCII. The
// lowest is exact, which is all that a scan needs.
func special(x uint64) uint64 {
	quote, slash := x^('"'*ones), x^('\\'*ones)
	return ((quote-ones)&^quote | (slash-ones)&^slash | (x-' '*ones)&^x | x) & highs
}

// plain returns the position of the first special character from p on.
func plain(text []byte, p int) int {
	for len(text)-p >= 8 {
		if found := special(binary.LittleEndian.Uint64(text[p:])); found != 0 {
			return p + bits.TrailingZeros64(found)/8
		}
		p += 8
	}
	for p < len(text) {
		if b := text[p]; b < ' ' || b == '"' || b == '\\' || b >= utf8.RuneSelf {
			break
		}
		p++
	}
	return p
}

// str returns the position after the string whose opening quote is at p.
func (s *scanner) str(p int) int {
	begin, wide := p+1, false
	s.escaped = false
	for p++; ; {
		if p = plain(s.text, p); p >= len(s.text) {
			return s.fail(p, "")
		}
		switch b := s.text[p]; {
		case b == '"':
			if wide && !utf8.Valid(s.text[begin:p]) {
				return s.fail(begin, "a string that is not UTF-8")
			}
			return p + 1
		case b == '\\':
			s.escaped = true
			if p = s.escape(p); p < 0 {
				return p
			}
		case b < ' ':
			return s.fail(p, "a control character in a string")
		default:
			for wide = true; p < len(s.text) && s.text[p] >= utf8.RuneSelf; {
				p++
			}
		}
	}
}

func (s *scanner) escape(p int) int {
	if p+1 >= len(s.text) {
		return s.fail(p+1, "")
	}
	switch s.text[p+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return p + 2
	case 'u':
		for i := p + 2; i < p+6; i++ {
			if i >= len(s.text) || hex(s.text[i]) < 0 {
				return s.fail(i, "a \\u without four hexadecimal digits")
			}
		}
		return p + 6
	}
	return s.fail(p, "an unknown escape")
}

func hex(b byte) int {
	switch {
	case '0' <= b && b <= '9':
		return int(b - '0')
	case 'a' <= b|0x20 && b|0x20 <= 'f':
		return int(b|0x20-'a') + 10
	}
	return -1
}
