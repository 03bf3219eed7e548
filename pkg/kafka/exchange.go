package kafka

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/segmentio/kafka-go/protocol"
)

// exchange is a request that kafka-go routes to a broker over its pooled,
// authenticated connections, and whose bytes this package reads and writes
// itself (protocol.RawExchanger).
//
// kafka-go gives up waiting when the context ends, and leaves the exchange
// running with the caller's buffers. Here the end of the context breaks the
// connection, and roundTrip returns only when nobody touches the buffers.
type exchange struct {
	key    protocol.ApiKey
	broker func(protocol.Cluster) (protocol.Broker, error)
	// group, where set, has the exchange routed to the coordinator of that
	// consumer group instead.
	group string
	// talk writes the request and reads the answer. Its error closes the
	// connection: what a broker refuses is no error of talk.
	talk func(conn io.ReadWriter, version int16) error

	ctx     context.Context
	version int16

	mu               sync.Mutex
	begun, abandoned bool
	ended            chan struct{}
}

var (
	_ protocol.BrokerMessage = (*exchange)(nil)
	_ protocol.RawExchanger  = (*exchange)(nil)
)

// roundTrip runs the exchange.
func (c *Client) roundTrip(ctx context.Context, x *exchange) error {
	x.ctx, x.ended = ctx, make(chan struct{})
	var message protocol.Message = x
	if x.group != "" {
		message = toCoordinator{x}
	}
	_, err := c.send(ctx, message)
	if err == nil {
		return nil
	}
	x.mu.Lock()
	x.abandoned = true
	begun := x.begun
	x.mu.Unlock()
	if begun {
		<-x.ended
	}
	return err
}

// converse is the talk of one request, and of its answer. An error of parse is
// one of an answer that makes no sense.
func converse(request []byte, parse func(frame []byte) error) func(io.ReadWriter, int16) error {
	return func(conn io.ReadWriter, _ int16) error {
		if _, err := conn.Write(request); err != nil {
			return err
		}
		frame, err := readFrame(conn, nil)
		if err != nil {
			return err
		}
		return parse(frame)
	}
}

// ApiKey tells kafka-go which API's negotiated version to look up.
func (x *exchange) ApiKey() protocol.ApiKey { return x.key }

// Broker routes the exchange.
func (x *exchange) Broker(cluster protocol.Cluster) (protocol.Broker, error) {
	return x.broker(cluster)
}

// Required is kafka-go's way of offering the connection; versions are the
// highest that both it and the broker know.
func (x *exchange) Required(versions map[protocol.ApiKey]int16) bool {
	x.version = versions[x.key]
	return true
}

// RawExchange is called with the connection to the broker. After an error
// kafka-go closes the connection.
func (x *exchange) RawExchange(conn io.ReadWriter) (protocol.Message, error) {
	x.mu.Lock()
	if x.abandoned {
		x.mu.Unlock()
		return nil, errConnectionDropped
	}
	x.begun = true
	x.mu.Unlock()
	defer close(x.ended)

	stop := context.AfterFunc(x.ctx, func() {
		if c, ok := conn.(net.Conn); ok {
			c.SetDeadline(time.Unix(1, 0)) // a time that has passed ends every read and write
		}
	})
	err := x.talk(conn, x.version)
	if !stop() && err == nil {
		err = errConnectionDropped // its deadline is spoilt for the next user
	}
	if err != nil {
		return nil, err
	}
	return x, nil
}

// partitionError gives an error the identity of what it is about.
func partitionError(operation, topic string, partition int32, offset int64, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s/%d at offset %d: %w", operation, topic, partition, offset, err)
}

// toCoordinator is an exchange that kafka-go routes by its group: it looks at a
// message's Broker first, so there is none.
type toCoordinator struct{ exchange *exchange }

var (
	_ protocol.GroupMessage = toCoordinator{}
	_ protocol.RawExchanger = toCoordinator{}
)

// ApiKey is that of the exchange.
func (t toCoordinator) ApiKey() protocol.ApiKey { return t.exchange.key }

// Group names whose coordinator is asked.
func (t toCoordinator) Group() string { return t.exchange.group }

// Required takes the connection, as the exchange does.
func (t toCoordinator) Required(versions map[protocol.ApiKey]int16) bool {
	return t.exchange.Required(versions)
}

// RawExchange is that of the exchange.
func (t toCoordinator) RawExchange(conn io.ReadWriter) (protocol.Message, error) {
	return t.exchange.RawExchange(conn)
}
