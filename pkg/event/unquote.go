package event

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// text reads a string. The result aliases the payload where the string is in it as it is, and lies in the
// arena where it had escapes or invalid UTF-8. It is never nil.
func (s *scanner) text() ([]byte, error) {
	start := s.i + 1 // past the opening quote
	end := plainEnd(s.p, start)
	if end < len(s.p) && s.p[end] == '"' {
		s.i = end + 1
		return s.p[start:end:end], nil
	}
	return s.unquote(start, end)
}

// slack is what unquote keeps free behind the text before each step: a step writes eight bytes, keeps at
// most seven of them and then writes a character of at most four.
const slack = 16

// unquote reads the rest of a string that begins at start and is plain up to i into the arena.
func (s *scanner) unquote(start, i int) ([]byte, error) {
	p := s.p
	from := s.arena.used
	buf := s.arena.room(from, from, i-start+slack, len(p)-i)
	from = s.arena.used
	w := from + copy(buf[from:], p[start:i])
	for {
		if len(buf)-w < slack {
			buf = s.arena.room(from, w, slack, len(p)-i)
			w, from = w-from+s.arena.used, s.arena.used
		}
		if i+8 < len(p) {
			x := binary.LittleEndian.Uint64(p[i:])
			binary.LittleEndian.PutUint64(buf[w:], x) // what follows the plain bytes is overwritten
			m := special(x)
			if m == 0 {
				i, w = i+8, w+8
				continue
			}
			n := bits.TrailingZeros64(m) >> 3
			i, w = i+n, w+n
		} else if i+1 >= len(p) {
			break
		}
		switch c := p[i]; {
		case c == '\\':
			if e := unescape(p[i+1]); e != 0 {
				buf[w] = e
				i, w = i+2, w+1
				continue
			}
			s.i = i + 1
			n, err := s.escapedRune(buf[w:])
			if err != nil {
				return nil, err
			}
			i, w = s.i, w+n
		case c == '"':
			s.i, s.arena.used = i+1, w
			return buf[from:w:w], nil
		case c < ' ':
			s.i = i
			return nil, s.unexpected(`a character of the string or '"'`)
		case c < utf8.RuneSelf: // near the end of the payload
			buf[w] = c
			i, w = i+1, w+1
		default:
			end := wideEnd(p, i)
			if end == i { // each byte that is not UTF-8 becomes one U+FFFD
				i, w = i+1, w+utf8.EncodeRune(buf[w:], utf8.RuneError)
				continue
			}
			if need := end - i + slack; len(buf)-w < need {
				buf = s.arena.room(from, w, need, len(p)-i)
				w, from = w-from+s.arena.used, s.arena.used
			}
			w += copy(buf[w:], p[i:end])
			i = end
		}
	}
	s.i = len(p)
	return nil, s.unexpected(`'"'`)
}

// unescape is the character that a backslash and c stand for, or 0 where it takes more than c to say.
func unescape(c byte) byte {
	switch c {
	case '"', '\\', '/':
		return c
	case 'n':
		return '\n'
	case 't':
		return '\t'
	case 'r':
		return '\r'
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	}
	return 0
}

// escapedRune decodes the escape sequence uXXXX at the scanner, with the one that follows if they are a
// surrogate pair, into dst and gives its length there. Half a pair on its own becomes U+FFFD.
func (s *scanner) escapedRune(dst []byte) (int, error) {
	if s.peek() != 'u' {
		return 0, s.unexpected("an escape sequence")
	}
	s.i++
	r, err := s.hex4()
	if err != nil {
		return 0, err
	}
	if utf16.IsSurrogate(r) {
		high, after := r, s.i
		r = utf8.RuneError
		if s.peek() == '\\' && s.i+1 < len(s.p) && s.p[s.i+1] == 'u' {
			s.i += 2
			low, err := s.hex4()
			if err != nil {
				return 0, err
			}
			if r = utf16.DecodeRune(high, low); r == utf8.RuneError {
				s.i = after // not its other half: that one is decoded next, on its own
			}
		}
	}
	return utf8.EncodeRune(dst, r), nil
}

// hex4 reads four hexadecimal digits.
func (s *scanner) hex4() (rune, error) {
	var r rune
	for range 4 {
		c := s.peek()
		switch {
		case isDigit(c):
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, s.unexpected("a hexadecimal digit")
		}
		r = r<<4 | rune(c)
		s.i++
	}
	return r, nil
}
