package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// Client talks to one cluster. It is safe for concurrent use, keeps its
// connections between calls and opens them again when they break.
//
// Calls that only read (topics, settings, offsets) are repeated while their
// error is [Retriable], for at most twice the request time-out. What else is
// repeated, a method says itself.
type Client struct {
	config     Config
	network    network
	client     *kafkago.Client
	routes     coordinators // between both
	transport  *kafkago.Transport
	background context.Context // until Close
	stop       context.CancelFunc
	versions   map[protocol.ApiKey]int16 // highest version the bootstrap broker takes
}

// Open connects to the cluster and returns once a broker has answered.
//
// A wrong user, password or certificate is an error at once
// ([ErrAuthentication]), and so is a port that nobody listens on; a broker that
// does not answer is one after the dial time-out. The files that cfg names are
// read here. ctx bounds Open alone, not the client.
func Open(ctx context.Context, cfg Config) (*Client, error) {
	cfg = cfg.withDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("kafka config: %w", err)
	}
	if len(cfg.Brokers) == 0 {
		return nil, errors.New("kafka config: BROKERS is empty: give at least one host:port")
	}
	tlsConfig, err := cfg.tlsConfig()
	if err != nil {
		return nil, fmt.Errorf("kafka config: %w", err)
	}
	mechanism, err := cfg.mechanism()
	if err != nil {
		return nil, fmt.Errorf("kafka config: %w", err)
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	network := network{timeout: cfg.DialTimeout, tls: tlsConfig, sasl: mechanism != nil}
	transport := &kafkago.Transport{
		Dial:        network.dial,
		DialTimeout: cfg.DialTimeout,
		MetadataTTL: cfg.MetadataTTL,
		ClientID:    cfg.ClientID,
		SASL:        mechanism,
		Context:     background,
	}
	c := &Client{
		config:     cfg,
		network:    network,
		routes:     coordinators{next: transport, clientID: cfg.ClientID},
		transport:  transport,
		background: background,
		stop:       stop,
	}
	// with a time-out brokers may work for half of it, and 2 s at most without: too short for a busy one
	c.client = &kafkago.Client{Addr: kafkago.TCP(cfg.Brokers...), Transport: &c.routes, Timeout: cfg.RequestTimeout}
	if err := c.hello(ctx); err != nil {
		c.Close()
		return nil, fmt.Errorf("connect to %s: %w", strings.Join(cfg.Brokers, ","), cfg.hint(err))
	}
	return c, nil
}

// hello learns the broker's API versions. The metadata request comes first
// because it is the one in which kafka-go reports why it could not connect.
func (c *Client) hello(ctx context.Context) error {
	if err := c.firstMetadata(ctx); err != nil {
		return err
	}
	return c.call(ctx, 0, func(ctx context.Context) error {
		answer, err := c.client.ApiVersions(ctx, &kafkago.ApiVersionsRequest{})
		if err == nil {
			err = answer.Error
		}
		if err != nil {
			return err
		}
		c.versions = make(map[protocol.ApiKey]int16, len(answer.ApiKeys))
		for _, k := range answer.ApiKeys {
			c.versions[protocol.ApiKey(k.ApiKey)] = int16(k.MaxVersion)
		}
		return nil
	})
}

// firstMetadata waits for kafka-go's view of the cluster. kafka-go gives its
// own metadata request no more time than the MetadataTTL, which a first one to
// a far cluster may need more than: so time-outs are waited out for as long as
// a connection may take.
func (c *Client) firstMetadata(ctx context.Context) error {
	for begun := time.Now(); ; {
		err := c.call(ctx, 0, func(ctx context.Context) error {
			_, err := c.client.Metadata(ctx, &kafkago.MetadataRequest{Topics: []string{}})
			return err
		})
		var timeout interface{ Timeout() bool }
		if err == nil || retryOf(err) != again || !errors.As(err, &timeout) || !timeout.Timeout() || time.Since(begun) >= c.config.DialTimeout {
			return err
		}
		if cause := sleep(ctx, 20*time.Millisecond); cause != nil {
			return &endedError{cause: cause, err: err}
		}
	}
}

// hint adds what an error at the first contact usually means.
func (c Config) hint(err error) error {
	switch {
	case errors.Is(err, ErrAuthentication):
		return err
	case c.TLS && (isClosed(err) || errors.As(err, new(tls.RecordHeaderError))):
		return fmt.Errorf("%w: does the broker speak TLS on that port?", err)
	case isClosed(err):
		return fmt.Errorf("%w: the broker closed the connection: check the port, and whether it wants TLS (TLS is false) or SASL (SASL is %q)", err, c.SASL)
	}
	return err
}

// Close drops the connections. Calls under way, and all later ones, end with
// [ErrClosed].
func (c *Client) Close() error {
	c.stop()
	c.transport.CloseIdleConnections()
	return nil
}

// Brokers gives the bootstrap addresses that the client was opened with.
func (c *Client) Brokers() []string { return c.config.Brokers }

// SupportsTransactions says whether the cluster can be the target of an
// exactly-once copy: brokers from 0.11 can.
func (c *Client) SupportsTransactions() bool { return c.knows(protocol.InitProducerId) }

// knows says whether the broker has an API at all. One that has not closes the
// connection when it is asked, which looks like a broken network.
func (c *Client) knows(key protocol.ApiKey) bool {
	_, ok := c.versions[key]
	return ok
}
