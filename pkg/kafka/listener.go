package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"github.com/segmentio/kafka-go/protocol"
)

// Listener is what one address of a cluster says to somebody who has not
// logged in.
type Listener struct {
	TLS         bool         // it speaks TLS
	Certificate *Certificate // what it shows, where it speaks TLS
	Login       bool         // it wants SASL before anything else
	Mechanisms  []string     // that it offers, where it wants SASL
	Broker      bool         // false: a controller's listener, which is not for clients
	Release     Release
	Latency     time.Duration // of one small request, once connected
}

// Certificate is what a broker shows.
type Certificate struct {
	Names     []string // host names and addresses that it is for
	Issuer    string
	NotBefore time.Time
	NotAfter  time.Time
	// Fault says why it is not trusted under the configuration: by its issuer,
	// its time or its name. nil: it is.
	Fault error
}

// Inspect asks one address what it speaks, whatever cfg says of TLS and SASL:
// what cfg says is tried first. No password and no name of a user is sent. The
// broker's certificate is described, and not insisted on, for nothing else
// goes over that connection.
//
// An error means that nobody listens there, or nobody who speaks Kafka.
func Inspect(ctx context.Context, cfg Config, address string) (Listener, error) {
	cfg = cfg.withDefaults()
	i := inspection{cfg: cfg, address: address}
	l, err := i.speak(ctx, cfg.TLS)
	if err != nil && !unreachable(err) && ctx.Err() == nil {
		if other, otherErr := i.speak(ctx, !cfg.TLS); otherErr == nil {
			return other, nil
		}
	}
	if err != nil {
		return Listener{}, fmt.Errorf("inspect %s: %w", address, err)
	}
	return l, nil
}

// errNotKafka is what a port is that takes connections and does not answer as
// a broker does.
var errNotKafka = errors.New("the port takes connections, but no Kafka broker answers there")

// unreachable says that no connection was made.
func unreachable(err error) bool {
	var network *net.OpError
	return errors.As(err, &network) && network.Op == "dial"
}

type inspection struct {
	cfg     Config
	address string
}

// speak inspects the address with TLS, or without.
func (i inspection) speak(ctx context.Context, secured bool) (Listener, error) {
	l := Listener{TLS: secured}
	var versions map[protocol.ApiKey]int16
	err := i.connected(ctx, secured, func(conn net.Conn) (err error) {
		if l.Certificate, err = i.certificate(conn); err != nil {
			return err
		}
		begun := time.Now()
		versions, err = askVersions(conn)
		l.Latency = time.Since(begun)
		if err != nil {
			return err
		}
		// a listener that wants SASL hangs up on it, and so does a controller
		l.Login = askBrokers(conn) != nil
		return nil
	})
	if err != nil {
		return l, err
	}
	_, l.Broker = versions[protocol.Produce]
	l.Login = l.Login && l.Broker
	l.Release = releaseOf(versions)
	if l.Login {
		err = i.connected(ctx, secured, func(conn net.Conn) (err error) {
			l.Mechanisms, err = askMechanisms(conn)
			return err
		})
	}
	return l, err
}

// connected runs ask with a connection that ends with ctx, or after the dial
// time-out.
func (i inspection) connected(ctx context.Context, secured bool, ask func(net.Conn) error) error {
	n := network{timeout: i.cfg.DialTimeout}
	if secured {
		config, err := Config{TLS: true, TLSCAFile: i.cfg.TLSCAFile, TLSCertFile: i.cfg.TLSCertFile, TLSKeyFile: i.cfg.TLSKeyFile, TLSServerName: i.cfg.TLSServerName}.tlsConfig()
		if err != nil {
			return err
		}
		config.InsecureSkipVerify = true // to see the certificate: nothing that matters is sent
		n.tls = config
	}
	conn, err := n.connect(ctx, "tcp", i.address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(i.cfg.DialTimeout)); err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	return ask(conn)
}

// certificate describes what the broker has shown; nil without TLS.
func (i inspection) certificate(conn net.Conn) (*Certificate, error) {
	secured, ok := conn.(*tls.Conn)
	if !ok {
		return nil, nil
	}
	chain := secured.ConnectionState().PeerCertificates
	if len(chain) == 0 {
		return nil, errors.New("the broker shows no certificate")
	}
	leaf := chain[0]
	c := &Certificate{
		Names: slices.Clone(leaf.DNSNames), Issuer: leaf.Issuer.String(),
		NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter,
	}
	for _, ip := range leaf.IPAddresses {
		c.Names = append(c.Names, ip.String())
	}
	config, err := Config{TLS: true, TLSCAFile: i.cfg.TLSCAFile}.tlsConfig()
	if err != nil {
		return nil, err
	}
	name := i.cfg.TLSServerName
	if name == "" {
		name, _, _ = net.SplitHostPort(i.address)
	}
	between := x509.NewCertPool()
	for _, other := range chain[1:] {
		between.AddCert(other)
	}
	_, c.Fault = leaf.Verify(x509.VerifyOptions{Roots: config.RootCAs, Intermediates: between, DNSName: name})
	return c, nil
}

const (
	inspectCorrelation = 1
	inspectClientID    = "scf-etl-doctor"
)

// ask sends a request and gives the reader of its answer.
func ask(conn io.ReadWriter, key protocol.ApiKey, version int16, body func(*request)) (*response, error) {
	r := newRequest(nil, int16(key), version, inspectCorrelation, inspectClientID)
	body(r)
	if _, err := conn.Write(r.finish(0)); err != nil {
		return nil, err
	}
	frame, err := readFrame(conn, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNotKafka, err)
	}
	return newResponse(frame, inspectCorrelation), nil
}

// askVersions asks for the highest version of each request, in version 0,
// which every broker from 0.10.0 on answers to anybody.
func askVersions(conn io.ReadWriter) (map[protocol.ApiKey]int16, error) {
	r, err := ask(conn, protocol.ApiVersions, 0, func(*request) {})
	if err != nil {
		return nil, err
	}
	if err := codeError(r.int16()); err != nil {
		return nil, err
	}
	versions := map[protocol.ApiKey]int16{}
	for n := r.array(); n > 0 && r.err == nil; n-- {
		key := protocol.ApiKey(r.int16())
		r.int16() // lowest
		versions[key] = r.int16()
	}
	return versions, r.err
}

// askBrokers sends Metadata without topics.
func askBrokers(conn io.ReadWriter) error {
	_, err := ask(conn, protocol.Metadata, 1, func(r *request) { r.int32(0) })
	return err
}

// askMechanisms asks to log in by a mechanism that there is not.
func askMechanisms(conn io.ReadWriter) ([]string, error) {
	r, err := ask(conn, protocol.SaslHandshake, 1, func(r *request) { r.string("NONE") })
	if err != nil {
		return nil, err
	}
	r.int16() // unsupported
	var mechanisms []string
	for n := r.array(); n > 0 && r.err == nil; n-- {
		mechanisms = append(mechanisms, r.string())
	}
	return mechanisms, r.err
}
