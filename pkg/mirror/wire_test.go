package mirror_test

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// accident is what happens to one request on its way.
type accident struct {
	key kmsg.Key
	at  int // which request of this kind, from 0

	dropped bool   // the connection breaks before the broker has the request
	lost    bool   // the broker executes it, the connection breaks before the answer
	before  func() // called before the broker has it
	after   func() // called when it was executed, before the answer
}

// wire is a network to embedded brokers on which accidents happen.
type wire struct {
	mu       sync.Mutex
	accident accident
	seen     map[kmsg.Key]int
	happened bool
}

// arm sets the next accident, and starts to count requests anew.
func (w *wire) arm(a accident) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.accident, w.seen, w.happened = a, map[kmsg.Key]int{}, false
}

// disarm says whether the accident has happened.
func (w *wire) disarm() (happened bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.accident = accident{at: -1}
	return w.happened
}

func (w *wire) arrived(key kmsg.Key) accident {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.seen[key]
	if w.seen != nil {
		w.seen[key]++
	}
	if w.happened || key != w.accident.key || n != w.accident.at {
		return accident{}
	}
	w.happened = true
	return w.accident
}

// cluster starts an embedded broker with topics behind the wire, in memory, and
// a client that knows them from its start and seldom asks again.
func (w *wire) cluster(t testing.TB, topics ...string) (*kafka.Client, *kfake.Cluster) {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ListenFn(func(network, address string) (net.Listener, error) {
		l, err := net.Listen(network, address)
		return listener{l, w}, err
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	for _, topic := range topics {
		if err := c.CreateTopic(topic, 1, nil); err != nil {
			t.Fatal(err)
		}
	}
	return open(t, c.ListenAddrs(), 5*time.Second), c
}

type listener struct {
	net.Listener
	wire *wire
}

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, wire: l.wire}, nil
}

// conn hands requests to the broker as wholes. The broker answers them in
// order, each with one Write.
type conn struct {
	net.Conn
	wire *wire
	in   []byte // of a request, what the broker has not read yet

	mu         sync.Mutex
	unanswered []accident // one for each request that has no answer yet
}

func (c *conn) Read(p []byte) (int, error) {
	if len(c.in) == 0 {
		if err := c.request(); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.in)
	c.in = c.in[n:]
	return n, nil
}

// request waits for a whole request.
func (c *conn) request() error {
	frame := make([]byte, 4)
	if _, err := io.ReadFull(c.Conn, frame); err != nil {
		return err
	}
	frame = append(frame, make([]byte, binary.BigEndian.Uint32(frame))...)
	if _, err := io.ReadFull(c.Conn, frame[4:]); err != nil {
		return err
	}
	now := c.wire.arrived(kmsg.Key(binary.BigEndian.Uint16(frame[4:])))
	if now.before != nil {
		now.before()
	}
	if now.dropped {
		c.Close()
		return io.EOF
	}
	c.mu.Lock()
	c.unanswered = append(c.unanswered, now)
	c.mu.Unlock()
	c.in = frame
	return nil
}

func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	now := c.unanswered[0]
	c.unanswered = c.unanswered[1:]
	c.mu.Unlock()
	if now.after != nil {
		now.after()
	}
	if now.lost {
		c.Close()
		return 0, net.ErrClosed
	}
	return c.Conn.Write(p)
}
