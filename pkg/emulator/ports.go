package emulator

import (
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
)

// ports hands out free loopback ports, none of them twice at the same time.
// The zero value is ready.
type ports struct {
	mu   sync.Mutex
	used map[int]bool
}

// take returns a free port. Give it back when its process has ended.
func (p *ports) take() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.used == nil {
		p.used = map[int]bool{}
	}
	const tries = 200
	for range tries {
		port := firstPort + rand.IntN(lastPort-firstPort)
		if !p.used[port] && free(port) {
			p.used[port] = true
			return port, nil
		}
	}
	return 0, fmt.Errorf("find a free port of %d-%d on localhost: none in %d tries", firstPort, lastPort, tries)
}

func (p *ports) giveBack(port int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.used, port)
}

func free(port int) bool {
	// why: the same name that scf-go-lib listens on.
	l, err := net.Listen("tcp", net.JoinHostPort("localhost", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return l.Close() == nil
}
