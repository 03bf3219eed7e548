package emulator

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// The ports that children listen on. They lie below what systems use for
// outgoing connections (32768 and up on Linux, 49152 and up by RFC 6335), so
// that a port found free is not taken by somebody's connection a moment later.
const (
	firstPort = 20000
	lastPort  = 32000
	blockSize = 100
)

// ports hands out loopback ports for children. It owns blocks of them: it
// listens on the first port of a block itself as long as it lives, and so no
// other platform on this machine, which would do the same, takes a port of that
// block in the time between our choice and the child's listening. The zero
// value is ready.
type ports struct {
	mu    sync.Mutex
	owned []net.Listener
	bases []int
	used  map[int]bool
}

// take returns a free port. Give it back when its process has ended.
func (p *ports) take() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.used == nil {
		p.used = map[int]bool{}
	}
	for _, base := range p.bases {
		if port, ok := p.within(base); ok {
			return port, nil
		}
	}
	for _, n := range rand.Perm((lastPort - firstPort) / blockSize) {
		base := firstPort + n*blockSize
		l, err := listen(base)
		if err != nil {
			continue // somebody else's
		}
		p.owned, p.bases = append(p.owned, l), append(p.bases, base)
		if port, ok := p.within(base); ok {
			return port, nil
		}
	}
	return 0, fmt.Errorf("find a free port of %d-%d on localhost: all are taken", firstPort, lastPort)
}

// within takes a port of an own block.
func (p *ports) within(base int) (int, bool) {
	for _, n := range rand.Perm(blockSize - 1) {
		port := base + 1 + n
		if p.used[port] {
			continue
		}
		if l, err := listen(port); err == nil && l.Close() == nil {
			p.used[port] = true
			return port, true
		}
	}
	return 0, false
}

func (p *ports) giveBack(port int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.used, port)
}

// close gives the blocks back.
func (p *ports) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, l := range p.owned {
		errs = append(errs, l.Close())
	}
	p.owned, p.bases = nil, nil
	return errors.Join(errs...)
}

// listen listens on the same name as scf-go-lib does.
func listen(port int) (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort("localhost", strconv.Itoa(port)))
}
