package emulator

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// errNoGob is what a process that is no function writes to the port.
var errNoGob = errors.New("what the process wrote to its port is no RPC response")

// maxResponseFrame is the most that is read of an answer: a response of the
// largest size, or an error of that size with its stack.
const maxResponseFrame = scf.MaxSyncPayload + 1<<20

// frameGuard reads a stream of gob messages and stops at one that is larger
// than a response may be. net/rpc has no bound of its own: it would wait for,
// and keep, whatever length the other side announces.
type frameGuard struct {
	io.ReadWriteCloser
	limit uint64

	body   uint64 // bytes of the current message still to come
	length uint64 // of the next message, as far as read
	digits int    // bytes of length still to come

	announced atomic.Uint64 // length of the message that was refused
}

// Read implements io.Reader.
func (g *frameGuard) Read(p []byte) (int, error) {
	n, err := g.ReadWriteCloser.Read(p)
	if bad := g.check(p[:n]); bad != nil {
		return 0, bad
	}
	return n, err
}

// check follows the framing: each message is preceded by its length, one byte
// where it is below 128, else the negated number of bytes that follow, big
// endian (encoding/gob, "Encoding Details").
func (g *frameGuard) check(p []byte) error {
	for len(p) > 0 {
		switch {
		case g.body > 0:
			n := min(g.body, uint64(len(p)))
			g.body -= n
			p = p[n:]
			continue
		case g.digits > 0:
			g.length = g.length<<8 | uint64(p[0])
			g.digits--
		case p[0] < 128:
			g.length = uint64(p[0])
		default:
			g.length, g.digits = 0, -int(int8(p[0]))
			if g.digits > 8 {
				return errNoGob
			}
		}
		p = p[1:]
		if g.digits == 0 {
			if g.length > g.limit {
				g.announced.Store(g.length)
				return fmt.Errorf("response of %d bytes", g.length)
			}
			g.body = g.length
		}
	}
	return nil
}
