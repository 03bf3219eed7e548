package sensitive

import "bytes"

// Cover says how finds are covered.
type Cover struct {
	IPv4 int // leading bits of an IPv4 address to keep, 0 to 32
	IPv6 int // leading bits of an IPv6 address to keep, 0 to 128
}

// Append adds found, a find of kind, to dst with stars for most of it:
//
//	e-mail      a***@example.com          the first letter and the domain
//	phone       138****8000, +44*****4321  the first three characters and the last four
//	ID card     110***********002X        the first three and the last four
//	bank card   622202******1234          the first six and the last four, PCI DSS 3.4.1
//	IP          203.0.113.0               zeros behind the prefix
//
// Digits of a phone or card number that stand in groups keep their separators.
func (c Cover) Append(dst, found []byte, kind Kind) []byte {
	switch kind {
	case Email:
		return coverEmail(dst, found)
	case IP:
		return c.address(dst, found)
	case BankCard:
		return stars(dst, found, 6, 4)
	}
	return stars(dst, found, 3, 4)
}

func coverEmail(dst, found []byte) []byte {
	at := bytes.LastIndexByte(found, '@')
	first := 0
	if found[0] < 0x80 && alphanumeric(found[0]) {
		first = 1
	}
	dst = append(append(dst, found[:first]...), "***@"...)
	domain := found[at+1:]
	if _, more := Next(domain, 0, Phone|IDCard|BankCard|IP); more {
		return append(dst, "***"...)
	}
	return append(dst, domain...)
}

// stars keeps the first and last digits of a number.
func stars(dst, found []byte, first, last int) []byte {
	total := 0
	for _, b := range found {
		if alphanumeric(b) {
			total++
		}
	}
	i := 0
	for _, b := range found {
		if !alphanumeric(b) {
			dst = append(dst, b)
			continue
		}
		if i >= first && i < total-last {
			b = '*'
		}
		dst = append(dst, b)
		i++
	}
	return dst
}

func (c Cover) address(dst, found []byte) []byte {
	if c.IPv4%8 == 0 && bytes.IndexByte(found, ':') < 0 {
		return octets(dst, found, c.IPv4/8)
	}
	address, ok := parse(found)
	if !ok {
		return append(dst, '*')
	}
	bits := c.IPv4
	switch {
	case address.Is4In6():
		bits += 96
	case address.Is6():
		bits = c.IPv6
	}
	prefix, err := address.Prefix(bits)
	if err != nil {
		return append(dst, '*')
	}
	return prefix.Addr().AppendTo(dst)
}

// octets keeps the first n numbers of an IPv4 address as they are written.
func octets(dst, found []byte, n int) []byte {
	for i := range 4 {
		end := bytes.IndexByte(found, '.')
		if end < 0 {
			end = len(found)
		}
		if i > 0 {
			dst = append(dst, '.')
		}
		if i < n {
			dst = append(dst, found[:end]...)
		} else {
			dst = append(dst, '0')
		}
		found = found[min(len(found), end+1):]
	}
	return dst
}

// All covers every find of the kinds in text. It returns dst with the text added,
// and whether anything was found; where nothing was, dst comes back as it was.
func (c Cover) All(dst, text []byte, kinds Kind) ([]byte, bool) {
	return Replace(dst, text, kinds, c.Append)
}

// Replace is All with another cover.
func Replace(dst, text []byte, kinds Kind, cover func(dst, found []byte, kind Kind) []byte) ([]byte, bool) {
	done := 0
	for {
		m, ok := Next(text, done, kinds)
		if !ok {
			break
		}
		dst = append(dst, text[done:m.Begin]...)
		dst = cover(dst, text[m.Begin:m.End], m.Kind)
		done = m.End
	}
	if done == 0 {
		return dst, false
	}
	return append(dst, text[done:]...), true
}
