package kafkatest

import (
	"io"
	"net"
	"sync"
	"time"
)

const (
	pieceSize = 32 << 10 // of what is read, and so delayed, at a time
	pieces    = 64       // that may be under way in one direction
)

// link is a connection of a client to a Proxy and the one to the broker that
// it is passed on by.
type link struct {
	client *net.TCPConn
	broker *net.TCPConn // nil where there is none: what the client sends vanishes
	lost   bool         // guarded by Proxy.mu: what is sent vanishes, for ever
}

// dial connects to the broker. Where that does not answer the client is reset.
func (l *link) dial(p *Proxy) {
	broker, err := new(net.Dialer).DialContext(p.ctx, "tcp4", p.upstream)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		l.broker = broker.(*net.TCPConn)
	} else if !l.lost {
		l.reset()
	}
}

// carry carries bytes both ways until both ends have closed their connections,
// or one of them is broken. Nothing of the broker's end reaches the client of a
// lost link.
func (l *link) carry(p *Proxy) {
	ended := make(chan int, directions)
	var running sync.WaitGroup
	for direction := range directions {
		running.Go(func() {
			if err := l.pump(p, direction); err != nil && !p.isLost(l) {
				p.mu.Lock()
				l.close()
				p.mu.Unlock()
			}
			ended <- direction
		})
	}
	if first := <-ended; first == fromBroker || !p.isLost(l) {
		<-ended
	}
	p.mu.Lock()
	l.close()
	p.mu.Unlock()
	running.Wait()
}

// pump carries bytes one way, and the end. It reads on while a piece waits for
// its time. An error says that the link is broken.
func (l *link) pump(p *Proxy, direction int) error {
	type piece struct {
		data []byte
		read time.Time
	}
	from, to := l.client, l.broker
	if direction == fromBroker {
		from, to = to, from
	}
	if from == nil {
		return nil
	}
	var broken error // written before underWay is closed
	underWay := make(chan piece, pieces)
	ended := make(chan struct{})
	defer close(ended)
	p.running.Go(func() {
		defer close(underWay)
		for {
			buffer := make([]byte, pieceSize)
			n, err := from.Read(buffer)
			if err != nil {
				if err != io.EOF {
					broken = err
				}
				return
			}
			select {
			case underWay <- piece{buffer[:n], time.Now()}:
			case <-ended:
				return
			}
		}
	})
	for piece := range underWay {
		if p.pass(l, direction, len(piece.data), piece.read) && to != nil {
			if _, err := to.Write(piece.data); err != nil {
				return err
			}
		}
	}
	if broken == nil && to != nil && !p.isLost(l) {
		return to.CloseWrite()
	}
	return broken
}

// reset closes both connections so that their peers see an error.
func (l *link) reset() {
	for _, c := range []*net.TCPConn{l.client, l.broker} {
		if c != nil {
			c.SetLinger(0)
		}
	}
	l.close()
}

// close closes both connections in order.
func (l *link) close() {
	l.client.Close()
	if l.broker != nil {
		l.broker.Close()
	}
}
