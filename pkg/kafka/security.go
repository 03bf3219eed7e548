package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

// The SASL mechanisms that a cluster may ask for.
const (
	mechanismPlain    = "PLAIN"
	mechanismSCRAM256 = "SCRAM-SHA-256"
	mechanismSCRAM512 = "SCRAM-SHA-512"
)

// tlsConfig reads the certificates. There is no way to switch verification off.
func (c Config) tlsConfig() (*tls.Config, error) {
	if !c.TLS {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.TLSServerName}
	if c.TLSCAFile != "" {
		pem, err := os.ReadFile(c.TLSCAFile)
		if err != nil {
			return nil, fmt.Errorf("TLS_CA_FILE: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("TLS_CA_FILE %s holds no PEM certificate", c.TLSCAFile)
		}
	}
	if c.TLSCertFile != "" {
		pair, err := tls.LoadX509KeyPair(c.TLSCertFile, c.TLSKeyFile)
		if err != nil {
			return nil, fmt.Errorf("TLS_CERT_FILE %s and TLS_KEY_FILE %s: %w", c.TLSCertFile, c.TLSKeyFile, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

func (c Config) mechanism() (sasl.Mechanism, error) {
	var mechanism sasl.Mechanism
	var err error
	switch strings.ToUpper(c.SASL) {
	case "":
		return nil, nil
	case mechanismPlain:
		mechanism = plain.Mechanism{Username: c.User, Password: c.Password.Reveal()}
	case mechanismSCRAM256:
		mechanism, err = scram.Mechanism(scram.SHA256, c.User, c.Password.Reveal())
	case mechanismSCRAM512:
		mechanism, err = scram.Mechanism(scram.SHA512, c.User, c.Password.Reveal())
	default:
		return nil, fmt.Errorf("SASL is %q: want PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512", c.SASL)
	}
	if err != nil {
		// why not wrapped: the library's error quotes the password
		return nil, errors.New("SASL_USER or SASL_PASSWORD holds a character that SCRAM does not allow (RFC 4013): a control character, perhaps a line break at its end")
	}
	return authentication{mechanism}, nil
}

// authentication marks the errors of a mechanism as what they are: a SCRAM
// server that does not know the password, or that cannot prove that it does.
type authentication struct{ sasl.Mechanism }

// Start begins a conversation with a broker.
func (a authentication) Start(ctx context.Context) (sasl.StateMachine, []byte, error) {
	state, first, err := a.Mechanism.Start(ctx)
	return conversation{state}, first, authenticationError(err)
}

type conversation struct{ sasl.StateMachine }

// Next answers a challenge of the broker.
func (c conversation) Next(ctx context.Context, challenge []byte) (bool, []byte, error) {
	done, answer, err := c.StateMachine.Next(ctx, challenge)
	return done, answer, authenticationError(err)
}

func authenticationError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: check SASL_USER and SASL_PASSWORD: %w", ErrAuthentication, err)
}

// certificateAdvice says what to check where one side does not accept the
// other's certificate; it is empty for other errors.
func certificateAdvice(err error) string {
	var remote *net.OpError
	if errors.As(err, &remote) && remote.Op == "remote error" { // a TLS alert of the broker
		return "check TLS_CERT_FILE and TLS_KEY_FILE, or whether the broker speaks TLS 1.2 or later"
	}
	var (
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
		verify   *tls.CertificateVerificationError
	)
	if errors.As(err, &invalid) && invalid.Reason == x509.Expired {
		return "renew the broker's certificate, or put the clock here right"
	}
	if errors.As(err, &unknown) || errors.As(err, &hostname) || errors.As(err, &invalid) || errors.As(err, &verify) {
		return "check TLS_CA_FILE and TLS_SERVER_NAME"
	}
	return ""
}
