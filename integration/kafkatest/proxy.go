package kafkatest

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

// Proxy passes connections on to one address, and disturbs them when it is told
// to: the network between clients and a broker, with its faults. A fault holds
// for all connections, those that are made under it too, until the next one or
// Heal. Its methods may be called at any time, and all but Close return at once.
type Proxy struct {
	upstream string
	listener net.Listener
	ctx      context.Context // ends with Close
	stop     context.CancelFunc
	running  sync.WaitGroup

	mu      sync.Mutex
	fault   fault
	changed chan struct{} // closed when fault is another one
	links   map[*link]bool
}

type fault struct {
	kind  faultKind
	delay time.Duration
	rate  int64                 // bytes a second; 0 is no limit
	until [directions]time.Time // the line is busy with what was sent before
}

type faultKind int

const (
	healthy faultKind = iota
	slow
	cut
	halfOpen
)

// The directions in which a link carries bytes.
const (
	fromClient = iota
	fromBroker
	directions
)

// NewProxy starts a healthy proxy on a port of loopback. upstream, host:port,
// need not answer yet: until it does, connections are reset. The caller closes
// the proxy.
func NewProxy(upstream string) (*Proxy, error) {
	port, err := freePort()
	if err != nil {
		return nil, fmt.Errorf("start a proxy for %s: %w", upstream, err)
	}
	listener, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, fmt.Errorf("start a proxy for %s: %w", upstream, err)
	}
	p := &Proxy{upstream: upstream, listener: listener, changed: make(chan struct{}), links: map[*link]bool{}}
	p.ctx, p.stop = context.WithCancel(context.Background()) // it lives until Close
	p.running.Go(p.accept)
	return p, nil
}

// Address is where clients connect to: host:port on loopback.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Slow delays what is sent, either way, and limits how many bytes a second all
// connections together carry in one direction; 0 is no limit.
func (p *Proxy) Slow(delay time.Duration, bytesPerSecond int64) {
	p.set(fault{kind: slow, delay: delay, rate: bytesPerSecond})
}

// Cut resets all connections, and new ones as soon as they are made.
func (p *Proxy) Cut() { p.set(fault{kind: cut}) }

// HalfOpen has all that is sent vanish, either way, while connections stay open
// and new ones are taken. A connection that was open under it stays silent
// after Heal too, as if a router had forgotten it: the patience of its client
// ends it.
func (p *Proxy) HalfOpen() { p.set(fault{kind: halfOpen}) }

// Heal ends a fault: new connections are passed on as if nothing had been, and
// slow ones at full speed.
func (p *Proxy) Heal() { p.set(fault{kind: healthy}) }

// Close resets all connections and returns when nothing runs any more.
func (p *Proxy) Close() {
	p.stop()
	p.listener.Close()
	p.Cut()
	p.running.Wait()
}

func (p *Proxy) set(f fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = f
	close(p.changed)
	p.changed = make(chan struct{})
	for l := range p.links {
		switch f.kind {
		case cut:
			l.reset()
		case halfOpen:
			l.lost = true
		}
	}
}

// accept takes connections until Close.
func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err == nil {
			p.running.Go(func() { p.serve(&link{client: client.(*net.TCPConn)}) })
		} else if p.ctx.Err() != nil {
			return
		}
	}
}

// serve passes a connection on until one of its ends closes it.
func (p *Proxy) serve(l *link) {
	p.mu.Lock()
	if p.fault.kind == cut {
		l.reset()
		p.mu.Unlock()
		return
	}
	lost := p.fault.kind == halfOpen
	l.lost = lost
	p.links[l] = true
	p.mu.Unlock()
	if !lost {
		l.dial(p)
	}
	l.carry(p)
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}

func (p *Proxy) isLost(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return l.lost
}

// pass says whether to write a piece that was read at a time, and waits until
// it is due.
func (p *Proxy) pass(l *link, direction int, size int, read time.Time) bool {
	for {
		p.mu.Lock()
		lost, changed, due := l.lost, p.changed, read
		if f := &p.fault; f.kind == slow {
			due = due.Add(f.delay)
			if f.rate > 0 {
				start := f.until[direction]
				if now := time.Now(); start.Before(now) {
					start = now
				}
				f.until[direction] = start.Add(time.Duration(size) * time.Second / time.Duration(f.rate))
				if due.Before(f.until[direction]) {
					due = f.until[direction]
				}
			}
		}
		p.mu.Unlock()
		if lost || !due.After(time.Now()) {
			return !lost
		}
		select {
		case <-time.After(time.Until(due)):
			return true
		case <-changed:
		}
	}
}
