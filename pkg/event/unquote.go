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

// skipText reads a string and forgets it.
func (s *scanner) skipText() error {
	for i := s.i + 1; ; {
		i = plainEnd(s.p, i)
		s.i = i
		switch c := s.peek(); {
		case c == '"':
			s.i++
			return nil
		case c == '\\':
			s.i++
			if unescape(s.peek()) != 0 {
				i += 2
				continue
			}
			var none [utf8.UTFMax]byte
			if _, err := s.escapedRune(none[:]); err != nil {
				return err
			}
			i = s.i
		case c < ' ':
			return s.unexpected(wantText)
		default:
			i++ // not UTF-8, and that is no error
		}
	}
}

// wantText is what a control character or the end of the payload is not.
const wantText = `a character of the string or '"'`

// slack is what unquote keeps free behind the text before each step: a step writes eight bytes, keeps at
// most seven of them and then writes a character of at most four.
const slack = 16

// unquote reads the rest of a string that begins at start and is plain up to i into the arena.
func (s *scanner) unquote(start, i int) ([]byte, error) {
	p := s.p
	buf := s.arena.room(s.arena.used, i-start+slack, len(p)-i)
	from := s.arena.used
	w := from + copy(buf[from:], p[start:i])
	for {
		if len(buf)-w < slack {
			buf = s.arena.room(w, slack, len(p)-i)
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
			if read, written := unescapeWide(buf[w:], p[i:]); read > 0 {
				i, w = i+read, w+written
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
			return nil, s.unexpected(wantText)
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
				buf = s.arena.room(w, need, len(p)-i)
				w, from = w-from+s.arena.used, s.arena.used
			}
			w += copy(buf[w:], p[i:end])
			i = end
		}
	}
	s.i = len(p)
	return nil, s.unexpected(wantText)
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

// unescapeWide decodes the run of escapes uXXXX at the start of p that stand for characters of three bytes
// each, as far as dst has room. An encoder that writes only ASCII makes a text in CJK one such run.
func unescapeWide(dst, p []byte) (read, written int) {
	for len(p)-read >= 6 && len(dst)-written >= utf8.UTFMax {
		x := binary.LittleEndian.Uint16(p[read:])
		r, ok := parseHex4(binary.LittleEndian.Uint32(p[read+2:]))
		if x != '\\'|'u'<<8 || !ok || r < 0x800 || utf16.IsSurrogate(r) {
			break
		}
		// one word for the character, of which the fourth byte is overwritten
		utf := uint32(0xE0|r>>12) | uint32(0x80|r>>6&0x3F)<<8 | uint32(0x80|r&0x3F)<<16
		binary.LittleEndian.PutUint32(dst[written:], utf)
		read, written = read+6, written+3
	}
	return read, written
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
	if s.i+4 <= len(s.p) {
		if r, ok := parseHex4(binary.LittleEndian.Uint32(s.p[s.i:])); ok {
			s.i += 4
			return r, nil
		}
	}
	for isHex(s.peek()) { // at most three
		s.i++
	}
	return 0, s.unexpected("a hexadecimal digit")
}

func isHex(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }

// parseHex4 is the value of the four hexadecimal digits in a little-endian word, all at a time.
func parseHex4(x uint32) (r rune, ok bool) {
	const ones, highs = 0x01010101, 0x80808080
	lower := x | ones*0x20
	// The high bit of each byte of x+(0x80-c) says x >= c for bytes below 0x80. The lowest byte from 0x80
	// up is at least both bounds or, past a carry, neither: so it is never taken for a digit.
	digit := (x + ones*(0x80-'0')) &^ (x + ones*(0x80-'9'-1))
	letter := (lower + ones*(0x80-'a')) &^ (lower + ones*(0x80-'f'-1))
	if (digit|letter)&highs != highs {
		return 0, false
	}
	n := x&(ones*0xF) + x>>6&ones*9 // the low bits of 'A' and 'a' are those of 1
	return rune(n&0xF<<12 | n>>8&0xF<<8 | n>>16&0xF<<4 | n>>24), true
}
