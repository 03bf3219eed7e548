package kafkatest

import (
	"fmt"
	"math/rand/v2"
	"net"
)

// Below the range from which systems take the ports of outgoing connections:
// there, while the broker is down, a client's own connection could take the
// broker's port, or even connect to itself.
const (
	firstPort = 20000
	ports     = 10000
)

// freePort returns a port of loopback that nothing listens on.
func freePort() (uint16, error) {
	var last error
	for range 50 {
		port := uint16(firstPort + rand.IntN(ports))
		listener, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			last = err
			continue
		}
		return port, listener.Close()
	}
	return 0, fmt.Errorf("find a free port from %d: %w", firstPort, last)
}
