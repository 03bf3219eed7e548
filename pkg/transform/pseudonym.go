package transform

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
)

// pseudonym stands for a value by HMAC-SHA-256 under a key (RFC 2104): the same
// value has the same one wherever the key is the same, and without the key nobody
// gets from one to the other, nor by trying all phone numbers.
type pseudonym struct {
	mac hash.Hash
	sum [sha256.Size]byte
}

func newPseudonym(key []byte) *pseudonym { return &pseudonym{mac: hmac.New(sha256.New, key)} }

// append adds the first 128 bits as 32 letters, a to p for 0 to 15. There are no
// digits in it, so no later rule takes it for a number to mask, and
// tr a-p 0-9a-f makes the usual hexadecimal of it.
func (p *pseudonym) append(dst, value []byte) []byte {
	p.mac.Reset()
	p.mac.Write(value)
	for _, b := range p.mac.Sum(p.sum[:0])[:16] {
		dst = append(dst, 'a'+b>>4, 'a'+b&15)
	}
	return dst
}
