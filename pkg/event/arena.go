package event

// Bounds of a chunk of the arena, in bytes: small, so that an event with one escape retains little, and
// growing, so that an event full of them costs few allocations.
const (
	minChunk = 4 << 10
	maxChunk = 512 << 10
)

// arena holds the strings of an event that cannot alias its payload because they had escapes or invalid
// UTF-8 in it. Strings lie one after the other in chunks; a chunk lives as long as one of its strings.
type arena struct {
	buf  []byte // the current chunk, its whole length writable
	used int
}

// room gives the chunk for the string that so far is buf[used:end], with at least need bytes free behind
// it. The string may move with it, and then begins at the new used. left is how much payload is still to decode; not
// much more than that is allocated in advance.
func (a *arena) room(end, need, left int) []byte {
	if len(a.buf)-end >= need {
		return a.buf
	}
	have := end - a.used
	chunk := min(max(4*len(a.buf), minChunk), maxChunk, left)
	// a string longer than a chunk doubles its room, so that it is copied a bounded number of times
	buf := make([]byte, have+need+max(chunk, min(have, left)))
	copy(buf, a.buf[a.used:end])
	a.buf, a.used = buf, 0
	return buf
}
