package main

import (
	"io"
	"net"
	"sync"
)

// relay stands between the platform and scf-go-lib's server, so that the probe
// can put its own bytes on the connection.
type relay struct {
	inner string // the port that scf-go-lib listens on instead

	mu   sync.Mutex
	conn net.Conn
}

func newRelay(port string) (*relay, error) {
	probe, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return nil, err
	}
	_, inner, err := net.SplitHostPort(probe.Addr().String())
	if err != nil {
		return nil, err
	}
	if err := probe.Close(); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "localhost:"+port)
	if err != nil {
		return nil, err
	}
	r := &relay{inner: inner}
	go r.serve(l)
	return r, nil
}

func (r *relay) serve(l net.Listener) {
	for {
		outer, err := l.Accept()
		if err != nil {
			return
		}
		inner, err := net.Dial("tcp", "localhost:"+r.inner)
		for err != nil { // scf-go-lib does not listen yet
			inner, err = net.Dial("tcp", "localhost:"+r.inner)
		}
		r.mu.Lock()
		r.conn = outer
		r.mu.Unlock()
		go func() { _, _ = io.Copy(inner, outer) }()
		go func() { _, _ = io.Copy(outer, inner) }()
	}
}

func (r *relay) write(p []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, _ = r.conn.Write(p)
}

func (r *relay) hangUp() {
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.conn.Close()
}
