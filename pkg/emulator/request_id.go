package emulator

import (
	"crypto/rand"
	"encoding/hex"
)

// NewRequestID returns a random UUID (RFC 9562, version 4), which is what the
// platform names an invocation by.
func NewRequestID() string {
	var u [16]byte
	_, _ = rand.Read(u[:]) // why: never fails, it ends the program instead
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	h := hex.EncodeToString(u[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
