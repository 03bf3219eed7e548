package kafka

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/findcoordinator"
)

// coordinators remembers which broker coordinates a group or a transactional
// id. kafka-go asks a broker for it before each request, which doubles the
// round trips of a transaction.
//
// What is remembered may be wrong at any time: the broker then answers that it
// is not the coordinator, or does not answer, and [Client.call] has all of it
// forgotten.
type coordinators struct {
	next     kafkago.RoundTripper
	clientID string

	mu    sync.Mutex
	known map[coordinated]int32 // broker ids
}

// coordinated is what has a coordinator.
type coordinated struct {
	name string
	kind kafkago.CoordinatorKeyType
}

// coordinatedBy says whose coordinator takes a request; none: it goes elsewhere.
func coordinatedBy(request protocol.Message) (of coordinated, ok bool) {
	if request.ApiKey() == protocol.ListGroups {
		return of, false // the one that a broker answers for itself, coordinator or not
	}
	switch m := request.(type) {
	case protocol.BrokerMessage, protocol.Splitter:
		return of, false // kafka-go looks at these first
	case protocol.GroupMessage:
		return coordinated{m.Group(), kafkago.CoordinatorKeyTypeConsumer}, true
	case protocol.TransactionalMessage:
		return coordinated{m.Transaction(), kafkago.CoordinatorKeyTypeTransaction}, true
	}
	return of, false
}

// RoundTrip sends a request to whom it has to go to.
func (c *coordinators) RoundTrip(ctx context.Context, address net.Addr, request kafkago.Request) (kafkago.Response, error) {
	of, ok := coordinatedBy(request)
	if !ok {
		return c.next.RoundTrip(ctx, address, request)
	}
	broker, err := c.find(ctx, address, of)
	if err != nil {
		return nil, err
	}
	return c.next.RoundTrip(ctx, address, &routed{Message: request, broker: broker, clientID: c.clientID})
}

func (c *coordinators) find(ctx context.Context, address net.Addr, of coordinated) (int32, error) {
	c.mu.Lock()
	broker, ok := c.known[of]
	c.mu.Unlock()
	if ok {
		return broker, nil
	}
	response, err := c.next.RoundTrip(ctx, address, &findcoordinator.Request{Key: of.name, KeyType: int8(of.kind)})
	if err != nil {
		return 0, err
	}
	found := response.(*findcoordinator.Response)
	if found.ErrorCode != 0 {
		return 0, kafkago.Error(found.ErrorCode)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) == maxCoordinated {
		c.known = map[coordinated]int32{}
	}
	c.known[of] = found.NodeID
	return found.NodeID, nil
}

// maxCoordinated bounds what is remembered: a job of very many partitions has a
// group for each of them.
const maxCoordinated = 10_000

// forget has coordinators looked up again.
func (c *coordinators) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known = nil
}

// misrouted says that a coordinator may be another broker than it was: one has
// said so, or has not answered.
func misrouted(err error) bool {
	var code kafkago.Error
	if err == nil || !errors.As(err, &code) {
		return err != nil
	}
	switch code {
	case kafkago.NotCoordinatorForGroup, kafkago.GroupCoordinatorNotAvailable,
		kafkago.BrokerNotAvailable: // kafka-go's own: the broker has left the cluster
		return true
	}
	return false
}

// routed is a request to a broker that is known.
type routed struct {
	protocol.Message
	broker   int32
	clientID string
	version  int16
}

var (
	_ protocol.BrokerMessage = (*routed)(nil)
	_ protocol.RawExchanger  = (*routed)(nil)
)

// Broker routes the request.
func (r *routed) Broker(protocol.Cluster) (protocol.Broker, error) {
	return protocol.Broker{ID: r.broker}, nil
}

// Required takes the connection: kafka-go's own encoding wants the request
// itself, without its route.
func (r *routed) Required(versions map[protocol.ApiKey]int16) bool {
	r.version = versions[r.ApiKey()]
	if raw, ok := r.Message.(protocol.RawExchanger); ok {
		raw.Required(versions)
	}
	return true
}

// RawExchange does what a connection of kafka-go does with the request.
func (r *routed) RawExchange(conn io.ReadWriter) (protocol.Message, error) {
	if raw, ok := r.Message.(protocol.RawExchanger); ok {
		return raw.RawExchange(conn)
	}
	if prepared, ok := r.Message.(protocol.PreparedMessage); ok {
		prepared.Prepare(r.version)
	}
	const correlation = 1 // there is one request at a time on a connection
	return protocol.RoundTrip(conn, r.version, correlation, r.clientID, r.Message)
}
