package kafkatest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/scf-etl/scf-etl/integration/kafkatest"
)

const (
	patience = 30 * time.Second
	moment   = 100 * time.Millisecond // in which what must not come could have come
)

func TestProxy(t *testing.T) {
	t.Parallel()

	t.Run("all that is sent comes back unchanged, and the end of a connection too", func(t *testing.T) {
		t.Parallel()
		client := dial(t, echoProxy(t))
		want := bytes.Repeat([]byte("0123456789abcdef"), 1<<18)
		go func() {
			client.Write(want)
			client.CloseWrite()
		}()
		got, err := io.ReadAll(io.LimitReader(client, int64(len(want))))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes came back of %d (%v)", len(got), len(want), err)
		}
		if _, err := client.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("after the end: %v, want EOF", err)
		}
	})

	t.Run("a cut resets open connections and new ones, and new ones pass once it is healed", func(t *testing.T) {
		t.Parallel()
		proxy := echoProxy(t)
		open := dial(t, proxy)
		requireEcho(t, open)
		proxy.Cut()
		requireReset(t, open)
		requireRefused(t, proxy)
		proxy.Heal()
		requireEcho(t, dial(t, proxy))
	})

	t.Run("under half-open nothing comes and nothing is closed, and what was open stays silent when it is healed", func(t *testing.T) {
		t.Parallel()
		proxy := echoProxy(t)
		open := dial(t, proxy)
		requireEcho(t, open)
		proxy.HalfOpen()
		made := dial(t, proxy)
		requireSilence(t, open)
		requireSilence(t, made)
		proxy.Heal()
		requireSilence(t, open)
		requireSilence(t, made)
		requireEcho(t, dial(t, proxy))
	})

	t.Run("what is slow takes the delay both ways, and the time that the rate says", func(t *testing.T) {
		t.Parallel()
		proxy := echoProxy(t)
		client := dial(t, proxy)
		proxy.Slow(50*time.Millisecond, 0)
		begun := time.Now()
		requireEcho(t, client)
		if took := time.Since(begun); took < 100*time.Millisecond {
			t.Errorf("there and back in %v, want 50ms a way at least", took)
		}
		proxy.Slow(0, 1<<20)
		begun = time.Now()
		go client.Write(make([]byte, 256<<10))
		if _, err := io.CopyN(io.Discard, client, 256<<10); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took < 250*time.Millisecond {
			t.Errorf("256 KB in %v, want 1 MB a second at most", took)
		}
	})

	t.Run("what waits under slow is passed on as soon as it is healed", func(t *testing.T) {
		t.Parallel()
		proxy := echoProxy(t)
		client := dial(t, proxy)
		proxy.Slow(time.Hour, 0)
		requireSilence(t, client)
		proxy.Heal()
		requireAnswer(t, client)
	})

	t.Run("a client that has stopped reading holds up neither a fault nor other clients", func(t *testing.T) {
		t.Parallel()
		proxy := echoProxy(t)
		stopped := dial(t, proxy)
		stopped.SetWriteDeadline(time.Now().Add(2 * time.Second))
		for {
			if _, err := stopped.Write(make([]byte, 1<<20)); err != nil {
				break // every buffer on the way is full
			}
		}
		proxy.Slow(time.Millisecond, 0)
		requireEcho(t, dial(t, proxy))
		proxy.Cut()
		proxy.Heal()
		requireEcho(t, dial(t, proxy))
	})

	t.Run("while nobody answers behind it connections are reset", func(t *testing.T) {
		t.Parallel()
		listener := listen(t)
		proxy := newProxy(t, listener.Addr().String())
		listener.Close()
		requireRefused(t, proxy)
	})
}

func TestProxied(t *testing.T) {
	t.Parallel()
	kafkatest.Require(t)

	t.Run("clients reach a broker through its proxy alone, and again once a cut and a half-open network are healed", func(t *testing.T) {
		t.Parallel()
		cluster := clusters.New(t, kafkatest.Config{Proxied: true})
		topic := createTopic(t, cluster)
		client := connect(t, cluster, kgo.DefaultProduceTopic(topic), kgo.ProduceRequestTimeout(time.Second), kgo.RequestTimeoutOverhead(time.Second))
		for _, fault := range []func(){cluster.Proxy.Cut, cluster.Proxy.HalfOpen} {
			if err := client.ProduceSync(t.Context(), kgo.StringRecord("there")).FirstErr(); err != nil {
				t.Fatal(err)
			}
			fault()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := connect(t, cluster).Ping(ctx); err == nil {
				t.Error("the broker answers through a network that is away")
			}
			cluster.Proxy.Heal()
		}
		if got := consume(t, cluster, topic, 2); len(got) != 2 {
			t.Errorf("records are %v, want 2", got)
		}
	})
}

func newProxy(t *testing.T, upstream string) *kafkatest.Proxy {
	t.Helper()
	proxy, err := kafkatest.NewProxy(upstream)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	return proxy
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}

// echoProxy is a proxy for a server that sends back what it reads.
func echoProxy(t *testing.T) *kafkatest.Proxy {
	t.Helper()
	listener := listen(t)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				io.Copy(connection, connection)
			}()
		}
	}()
	return newProxy(t, listener.Addr().String())
}

func dial(t *testing.T, proxy *kafkatest.Proxy) *net.TCPConn {
	t.Helper()
	connection, err := net.Dial("tcp4", proxy.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	return connection.(*net.TCPConn)
}

func requireEcho(t *testing.T, connection *net.TCPConn) {
	t.Helper()
	if _, err := connection.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	requireAnswer(t, connection)
}

func requireAnswer(t *testing.T, connection *net.TCPConn) {
	t.Helper()
	connection.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.ReadFull(connection, make([]byte, 1)); err != nil {
		t.Fatalf("no answer: %v", err)
	}
}

// requireSilence sends, and wants neither an answer nor an end.
func requireSilence(t *testing.T, connection *net.TCPConn) {
	t.Helper()
	if _, err := connection.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	connection.SetReadDeadline(time.Now().Add(moment))
	if n, err := connection.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%d bytes and %v, want neither an answer nor an end", n, err)
	}
}

func requireReset(t *testing.T, connection *net.TCPConn) {
	t.Helper()
	connection.SetReadDeadline(time.Now().Add(patience))
	connection.Write([]byte("x"))
	if n, err := connection.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%d bytes and %v, want a reset", n, err)
	}
}

// requireRefused wants a new connection reset, be it while it is made.
func requireRefused(t *testing.T, proxy *kafkatest.Proxy) {
	t.Helper()
	connection, err := net.Dial("tcp4", proxy.Address())
	if err != nil {
		return
	}
	defer connection.Close()
	requireReset(t, connection.(*net.TCPConn))
}
