package emulator

// ring keeps the last bytes written to it.
type ring struct {
	buf     []byte
	limit   int
	at      int // where the next byte goes once buf is full
	dropped int64
}

func newRing(limit int) *ring { return &ring{limit: limit} }

// write adds p and forgets what no longer fits.
func (r *ring) write(p []byte) {
	if over := len(p) - r.limit; over > 0 {
		r.dropped += int64(over)
		p = p[over:]
	}
	if room := r.limit - len(r.buf); room > 0 {
		n := min(room, len(p))
		r.buf = append(r.buf, p[:n]...)
		p = p[n:]
	}
	for len(p) > 0 {
		n := copy(r.buf[r.at:], p)
		r.at = (r.at + n) % r.limit
		r.dropped += int64(n)
		p = p[n:]
	}
}

// bytes returns a copy of what is kept, oldest first.
func (r *ring) bytes() []byte {
	out := make([]byte, 0, len(r.buf))
	return append(append(out, r.buf[r.at:]...), r.buf[:r.at]...)
}
