package sensitive

import (
	"bytes"
	"net/netip"
	"unsafe"
)

func inAddress(b byte) bool {
	return classes[b] == digit || classes[b] == letter || b == ':' || b == '.'
}

// addressAt returns the end of the IP address that begins at p, or 0. It ends where
// neither a digit nor what would go on with it follows.
func addressAt(text []byte, p int) int {
	if end := ipv4At(text, p); end > 0 {
		return end
	}
	if bytes.IndexByte(text[p:min(len(text), p+5)], ':') < 0 {
		return 0 // a group of IPv6 has four digits at most
	}
	end, colons := p, 0
	for end < len(text) && end-p <= 45 && inAddress(text[end]) {
		if text[end] == ':' {
			colons++
		}
		end++
	}
	// Times have colons too: without a :: all groups have to be there.
	if colons < 2 || colons < 6 && !bytes.Contains(text[p:end], []byte("::")) {
		return 0
	}
	for _, tail := range []string{"", ":", "."} {
		candidate := bytes.TrimSuffix(text[p:end], []byte(tail))
		if _, ok := parse(candidate); ok {
			return p + len(candidate)
		}
	}
	return 0
}

func ipv4At(text []byte, p int) int {
	if classes[text[p]] != digit {
		return 0
	}
	for part := range 4 {
		begin, value := p, 0
		for p < len(text) && classes[text[p]] == digit && p-begin < 4 {
			value = value*10 + int(text[p]-'0')
			p++
		}
		if p == begin || value > 255 || p-begin > 3 {
			return 0
		}
		if part < 3 {
			if p >= len(text) || text[p] != '.' {
				return 0
			}
			p++
		}
	}
	if p+1 < len(text) && text[p] == '.' && classes[text[p+1]] == digit {
		return 0 // five numbers: a version, an object id
	}
	return p
}

// parse reads an address without a copy of it. Zeros in front, which netip
// refuses, are read as decimal.
func parse(text []byte) (netip.Addr, bool) {
	if len(text) == 0 {
		return netip.Addr{}, false
	}
	if ipv4At(text, 0) == len(text) {
		var parts [4]byte
		i := 0
		for _, b := range text {
			if b == '.' {
				i++
			} else {
				parts[i] = parts[i]*10 + b - '0'
			}
		}
		return netip.AddrFrom4(parts), true
	}
	address, err := netip.ParseAddr(unsafe.String(&text[0], len(text))) // the address keeps none of it: no zone gets here
	return address, err == nil
}
