package kafka_test

import (
	"encoding/binary"
	"io"
	"net"
	"testing"
)

// unusedAddress is one that nobody listens on.
func unusedAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// listen serves connections by hand for the length of a test.
func listen(t *testing.T, serve func(net.Conn)) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn)
			}()
		}
	}()
	return listener.Addr().String()
}

// passFrames is a proxy that passes n requests and their answers on, and then
// keeps the connection open without a word until hold is closed.
func passFrames(conn net.Conn, broker string, n int, hold <-chan struct{}) {
	upstream, err := net.Dial("tcp", broker)
	if err != nil {
		return
	}
	defer upstream.Close()
	for range n {
		if passFrame(upstream, conn) != nil || passFrame(conn, upstream) != nil {
			return
		}
	}
	<-hold
}

func passFrame(to io.Writer, from io.Reader) error {
	var head [4]byte
	if _, err := io.ReadFull(from, head[:]); err != nil {
		return err
	}
	if _, err := to.Write(head[:]); err != nil {
		return err
	}
	_, err := io.CopyN(to, from, int64(binary.BigEndian.Uint32(head[:])))
	return err
}
