package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// Client talks to one cluster. It is safe for concurrent use, keeps its
// connections between calls and opens them again when they break.
type Client struct {
	config    Config
	client    *kafkago.Client
	transport *kafkago.Transport
	stop      context.CancelFunc
	versions  map[protocol.ApiKey]int16 // highest version the bootstrap broker takes
}

// Open connects to the cluster and returns once a broker has answered.
//
// A wrong user, password or certificate is an error at once
// ([ErrAuthentication]); a broker that is not there is one after the dial
// time-out. The files that cfg names are read here.
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
	transport := &kafkago.Transport{
		Dial:        (&net.Dialer{Timeout: cfg.DialTimeout, KeepAlive: 15 * time.Second}).DialContext,
		DialTimeout: cfg.DialTimeout,
		MetadataTTL: cfg.MetadataTTL,
		ClientID:    cfg.ClientID,
		TLS:         tlsConfig,
		SASL:        mechanism,
		Context:     background,
	}
	c := &Client{
		config:    cfg,
		transport: transport,
		stop:      stop,
		client:    &kafkago.Client{Addr: kafkago.TCP(cfg.Brokers...), Transport: transport},
	}
	if err := c.hello(ctx); err != nil {
		c.Close()
		return nil, fmt.Errorf("connect to %s: %w", strings.Join(cfg.Brokers, ","), err)
	}
	return c, nil
}

// hello learns the broker's API versions. The metadata request comes first
// because it is the one in which kafka-go reports why it could not connect.
func (c *Client) hello(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.config.DialTimeout+c.config.RequestTimeout)
	defer cancel()
	if _, err := c.client.Metadata(ctx, &kafkago.MetadataRequest{Topics: []string{}}); err != nil {
		return translate(err)
	}
	answer, err := c.client.ApiVersions(ctx, &kafkago.ApiVersionsRequest{})
	if err != nil {
		return translate(err)
	}
	if answer.Error != nil {
		return translate(answer.Error)
	}
	c.versions = make(map[protocol.ApiKey]int16, len(answer.ApiKeys))
	for _, k := range answer.ApiKeys {
		c.versions[protocol.ApiKey(k.ApiKey)] = int16(k.MaxVersion)
	}
	return nil
}

// Close drops the connections. Calls under way end with an error.
func (c *Client) Close() error {
	c.transport.CloseIdleConnections()
	c.stop()
	return nil
}

// Brokers gives the bootstrap addresses that the client was opened with.
func (c *Client) Brokers() []string { return c.config.Brokers }

// SupportsTransactions says whether the cluster can be the target of an
// exactly-once copy: brokers from 0.11 can.
func (c *Client) SupportsTransactions() bool {
	_, ok := c.versions[protocol.InitProducerId]
	return ok
}

// within bounds one request; a shorter deadline of ctx stays.
func (c *Client) within(ctx context.Context, extra time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, c.config.RequestTimeout+extra, errRequestTimeout)
}

var (
	errRequestTimeout    = errors.New("request timed out")
	errConnectionDropped = errors.New("connection dropped")
)
