package kafka

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

// TestExchangeCancelled: an exchange that is blocked ends with its context, and
// leaves nothing behind that touches the caller's memory.
func TestExchangeCancelled(t *testing.T) {
	t.Parallel()

	t.Run("in the middle of an answer, returns at once and lets the buffer go", func(t *testing.T) {
		t.Parallel()
		c, line := overStalling(t)
		q := FetchRequest{Topic: "t", MaxWait: time.Second, MinBytes: 1}
		var buf Buffer
		if answer, err := c.Fetch(t.Context(), q, &buf); err != nil || len(answer.Batches) == 0 {
			t.Fatalf("%d bytes, error %v: want the record", len(answer.Batches), err)
		}
		before := bytes.Clone(buf.frame)

		for range 3 {
			stalled := line.stall()
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-stalled
				cancel()
			}()
			begun := time.Now()
			_, err := c.Fetch(ctx, q, &buf)
			if !errors.Is(err, context.Canceled) || Retriable(err) || time.Since(begun) > 10*time.Second {
				t.Fatalf("error %v after %v, want the context's at once", err, time.Since(begun))
			}
			clear(buf.frame[:cap(buf.frame)]) // a race, where anybody still reads into it
		}

		answer, err := c.Fetch(t.Context(), q, &buf)
		if err != nil || len(answer.Batches) == 0 || !bytes.Equal(buf.frame, before) {
			t.Errorf("%d bytes, error %v: want the record again", len(answer.Batches), err)
		}
		if reused := line.readsAfterStall.Load(); reused > 0 {
			t.Errorf("a connection that was broken off was read %d times more", reused)
		}
	})

	t.Run("before it began, never begins", func(t *testing.T) {
		t.Parallel()
		c, line := overStalling(t)
		line.stallDials()
		ctx, cancel := context.WithCancel(t.Context())
		var buf Buffer
		failed := make(chan error)
		go func() {
			_, err := c.Fetch(ctx, FetchRequest{Topic: "t"}, &buf)
			failed <- err
		}()
		<-line.dialing
		cancel()
		if err := <-failed; !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want the context's", err)
		}
		if len(buf.frame) > 0 {
			t.Error("the buffer was filled")
		}
	})

	t.Run("by Close, says so", func(t *testing.T) {
		t.Parallel()
		c, line := overStalling(t)
		stalled := line.stall()
		go func() {
			<-stalled
			c.Close()
		}()
		var buf Buffer
		if _, err := c.Fetch(t.Context(), FetchRequest{Topic: "t", MaxWait: time.Second}, &buf); !errors.Is(err, ErrClosed) || Retriable(err) {
			t.Errorf("error %v, want ErrClosed", err)
		}
		if _, err := c.Fetch(t.Context(), FetchRequest{Topic: "t"}, &buf); !errors.Is(err, ErrClosed) {
			t.Errorf("error %v of a closed client, want ErrClosed", err)
		}
		if err := c.Close(); err != nil {
			t.Errorf("closing again: %v", err)
		}
	})
}

func TestRawExchange(t *testing.T) {
	t.Parallel()
	here, there := net.Pipe()
	t.Cleanup(func() { here.Close(); there.Close() })

	t.Run("does nothing once nobody waits for it", func(t *testing.T) {
		t.Parallel()
		x := &exchange{ctx: t.Context(), ended: make(chan struct{}), abandoned: true, talk: func(io.ReadWriter, int16) error {
			t.Error("it talks")
			return nil
		}}
		if _, err := x.RawExchange(here); !errors.Is(err, errConnectionDropped) {
			t.Errorf("error %v, want the connection to be dropped", err)
		}
	})

	t.Run("gives up a connection whose deadline it has spoilt", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		x := &exchange{ctx: ctx, ended: make(chan struct{}), talk: func(io.ReadWriter, int16) error {
			cancel()
			return nil
		}}
		if _, err := x.RawExchange(here); !errors.Is(err, errConnectionDropped) {
			t.Errorf("error %v, want the connection to be dropped", err)
		}
	})

	t.Run("uses the version that kafka-go and the broker agree on", func(t *testing.T) {
		t.Parallel()
		x := &exchange{key: protocol.Fetch, ctx: t.Context(), ended: make(chan struct{}), talk: func(_ io.ReadWriter, version int16) error {
			if version != 7 {
				t.Errorf("version %d, want 7", version)
			}
			return nil
		}}
		x.Required(map[protocol.ApiKey]int16{protocol.Fetch: 7, protocol.Produce: 8})
		if _, err := x.RawExchange(here); err != nil {
			t.Error(err)
		}
	})
}

// overStalling is a client over connections that can be made to stall, and a
// topic t with one record.
func overStalling(t *testing.T) (*Client, *stalling) {
	t.Helper()
	cluster, err := localkafka.Start(localkafka.Config{Topics: map[string]int32{"t": 1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cluster.Close() })
	line := &stalling{}
	config := Config{Brokers: cluster.Brokers(), RequestTimeout: time.Minute, MetadataTTL: time.Second}.withDefaults()
	background, stop := context.WithCancel(t.Context())
	transport := &kafkago.Transport{Dial: line.dial, MetadataTTL: config.MetadataTTL, Context: background}
	c := &Client{
		config: config, transport: transport, routes: coordinators{next: transport}, background: background, stop: stop,
		client: &kafkago.Client{Addr: kafkago.TCP(config.Brokers...), Transport: transport},
	}
	t.Cleanup(func() { c.Close() })
	if err := c.hello(t.Context()); err != nil {
		t.Fatal(err)
	}
	// by another client, so that the one under test has no connection to the leader yet
	other, err := Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.Produce(t.Context(), "t", 0, batch.Record{Value: bytes.Repeat([]byte("value"), 20_000)}); err != nil {
		t.Fatal(err)
	}
	return c, line
}

// stalling is a network on which one answer at a time can be stopped half way.
type stalling struct {
	mu      sync.Mutex
	stalled chan struct{} // not nil: the next answer stops, after closing it
	dialing chan struct{} // not nil: dials hang after sending to it

	readsAfterStall atomic.Int32
}

// stall stops the next answer to a Fetch half way.
func (s *stalling) stall() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stalled = make(chan struct{})
	return s.stalled
}

// stops says whether a read is the one to stop at: into the caller's memory,
// which is larger than kafka-go's own buffer.
func (s *stalling) stops(p []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stalled == nil || len(p) < 10_000 {
		return false
	}
	close(s.stalled)
	s.stalled = nil
	return true
}

// stallDials makes the next connection hang.
func (s *stalling) stallDials() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dialing = make(chan struct{})
}

func (s *stalling) dial(ctx context.Context, network, address string) (net.Conn, error) {
	s.mu.Lock()
	dialing := s.dialing
	s.mu.Unlock()
	if dialing != nil {
		select {
		case dialing <- struct{}{}:
		case <-ctx.Done():
		}
		<-ctx.Done()
		return nil, ctx.Err()
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &stallingConn{Conn: conn, line: s, interrupted: make(chan struct{})}, nil
}

type stallingConn struct {
	net.Conn
	line        *stalling
	once        sync.Once
	interrupted chan struct{}

	fetching bool // the last request was a Fetch
	stalled  bool
}

// Write notices fetches, by their API key.
func (c *stallingConn) Write(p []byte) (int, error) {
	c.fetching = len(p) > 6 && p[4] == 0 && p[5] == byte(protocol.Fetch)
	return c.Conn.Write(p)
}

// SetDeadline in the past is what interrupts a stalled read.
func (c *stallingConn) SetDeadline(at time.Time) error {
	if !at.IsZero() && at.Before(time.Now()) {
		c.once.Do(func() { close(c.interrupted) })
	}
	return c.Conn.SetDeadline(at)
}

func (c *stallingConn) Read(p []byte) (int, error) {
	if c.stalled {
		c.line.readsAfterStall.Add(1)
	}
	if !c.fetching || !c.line.stops(p) {
		return c.Conn.Read(p)
	}
	c.stalled = true
	<-c.interrupted
	p[0]++ // a race, where the buffer has been let go before
	return 0, os.ErrDeadlineExceeded
}
