package sensitive

import "bytes"

// Next returns the first find of the kinds in text from position from on, and
// whether there is one. Finds do not overlap as long as each search starts where
// the last find ended.
func Next(text []byte, from int, kinds Kind) (Match, bool) {
	if kinds == Email {
		return nextEmail(text, from)
	}
	for p := from; p < len(text); {
		class := classes[text[p]]
		if class == other {
			p++
			continue
		}
		// A token is judged from its first byte, so that no find begins inside a number.
		if end, kind := at(text, p, from, kinds); kind != 0 {
			return earlier(text, from, Match{p, end, kind}, kinds)
		}
		p = skip(text, p, class)
	}
	if kinds&Email != 0 {
		return nextEmail(text, from)
	}
	return Match{}, false
}

type class uint8

const (
	other class = iota
	digit
	letter // of a hexadecimal number
	colon
	plus
)

var classes = func() (c [256]class) {
	for b := '0'; b <= '9'; b++ {
		c[b] = digit
	}
	for b := 'a'; b <= 'f'; b++ {
		c[b], c[b-0x20] = letter, letter
	}
	c[':'], c['+'] = colon, plus
	return c
}()

// skip returns where the next token can begin.
func skip(text []byte, p int, c class) int {
	for p++; p < len(text) && c == digit && classes[text[p]] == digit; {
		p++
	}
	return p
}

// at tells what begins at p, and where it ends.
func at(text []byte, p, from int, kinds Kind) (end int, kind Kind) {
	c := classes[text[p]]
	if kinds&IP != 0 && (p == from || !inAddress(text[p-1])) {
		if end := addressAt(text, p); end > 0 {
			return end, IP
		}
	}
	switch c {
	case digit:
		if p > from && classes[text[p-1]] == digit {
			return 0, 0
		}
		return numberAt(text, p, kinds)
	case plus:
		if kinds&Phone != 0 {
			if end := internationalAt(text, p); end > 0 {
				return end, Phone
			}
		}
	}
	return 0, 0
}

// earlier prefers an address of e-mail that begins before m or around it.
func earlier(text []byte, from int, m Match, kinds Kind) (Match, bool) {
	if kinds&Email != 0 {
		if mail, ok := nextEmail(text[:min(len(text), m.End+maxLocal+maxDomain)], from); ok && mail.Begin <= m.Begin {
			return mail, true
		}
	}
	return m, true
}

// Limits of RFC 5321, in bytes.
const (
	maxLocal  = 64
	maxDomain = 255
)

func nextEmail(text []byte, from int) (Match, bool) {
	for p := from; ; p++ {
		i := bytes.IndexByte(text[p:], '@')
		if i < 0 {
			return Match{}, false
		}
		p += i
		begin, end := p, domainEnd(text, p+1)
		for begin > from && local(text[begin-1]) && p-begin < maxLocal {
			begin--
		}
		if begin < p && end > 0 {
			return Match{begin, end, Email}, true
		}
	}
}

func local(b byte) bool {
	return alphanumeric(b) || bytes.IndexByte([]byte("!#$%&'*+-/=?^_`{|}~."), b) >= 0 || b >= 0x80
}

func alphanumeric(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'z'
}

// domainEnd returns where a domain with a dot inside that begins at p ends, or 0.
func domainEnd(text []byte, p int) int {
	begin, dot, end := p, 0, 0
	for ; p < len(text) && p-begin < maxDomain; p++ {
		switch b := text[p]; {
		case alphanumeric(b), b >= 0x80:
			if dot > 0 {
				end = p + 1
			}
		case b == '.' && p > begin && text[p-1] != '.':
			dot = p
		case b == '-':
		default:
			return end
		}
	}
	return end
}
