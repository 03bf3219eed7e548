package extract

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// digestSize is how many bytes of SHA-256 a digest in a cursor has: against accidents,
// not against a source that wants to deceive.
const digestSize = 12

// digestOf tells texts apart, in a few characters.
func digestOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:digestSize])
}

// digest tells lists of records apart; "" for none.
func digest(items []item) string {
	if len(items) == 0 {
		return ""
	}
	h := sha256.New()
	var length [8]byte
	for _, i := range items {
		binary.BigEndian.PutUint64(length[:], uint64(len(i.bytes())))
		h.Write(length[:])
		h.Write(i.bytes())
	}
	return hex.EncodeToString(h.Sum(nil)[:digestSize])
}
