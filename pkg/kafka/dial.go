package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

// keepAlive finds a peer that has vanished without a word, between requests.
const keepAlive = 15 * time.Second

// network makes connections.
type network struct {
	timeout time.Duration
	tls     *tls.Config // nil: no TLS
	sasl    bool
}

// connect gives a connection after its TLS handshake.
func (n network) connect(ctx context.Context, kind, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: n.timeout, KeepAlive: keepAlive}
	conn, err := dialer.DialContext(ctx, kind, address)
	if err != nil || n.tls == nil {
		return conn, err
	}
	config := n.tls
	if config.ServerName == "" {
		config = config.Clone()
		config.ServerName, _, _ = net.SplitHostPort(address)
	}
	secured := tls.Client(conn, config)
	ctx, cancel := context.WithTimeout(ctx, n.timeout)
	defer cancel()
	if err := secured.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, fmt.Errorf("TLS handshake with %s: %w", address, err)
	}
	return secured, nil
}

// dial is the transport's way to a broker.
func (n network) dial(ctx context.Context, kind, address string) (net.Conn, error) {
	conn, err := n.connect(ctx, kind, address)
	if err != nil || !n.sasl {
		return conn, err
	}
	return &handshake{Conn: conn}, nil
}

// The phases of a connection to a broker that wants SASL, as kafka-go v0.4.51
// goes through them.
const (
	negotiating    int32 = iota // API versions, before a deadline
	authenticating              // that deadline was taken away
	inUse                       // every request sets its own, because all have one
)

// handshake puts right how kafka-go authenticates.
//
// It does so without a deadline, so a broker that hangs there would hang the
// goroutine that refreshes metadata, for good: here the first removal of the
// deadline is ignored. And where the broker closes the connection, which is how
// some refuse a password, that looks like a broken network: here it does not.
type handshake struct {
	net.Conn
	phase atomic.Int32
}

// SetDeadline moves from phase to phase.
func (h *handshake) SetDeadline(t time.Time) error {
	if t.IsZero() && h.phase.CompareAndSwap(negotiating, authenticating) {
		return nil
	}
	h.phase.CompareAndSwap(authenticating, inUse)
	return h.Conn.SetDeadline(t)
}

// Read names the end of a connection that is being authenticated.
func (h *handshake) Read(p []byte) (int, error) {
	n, err := h.Conn.Read(p)
	if err != nil && h.phase.Load() == authenticating && isClosed(err) {
		// why %v: kafka-go keeps of an error that is io.EOF nothing else
		err = fmt.Errorf("%w: the broker closed the connection (%v): check SASL, SASL_USER and SASL_PASSWORD", ErrAuthentication, err)
	}
	return n, err
}

// isClosed says that the other side has closed the connection.
func isClosed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)
}
