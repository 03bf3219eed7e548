package kafka

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/secret"
)

// Config says how to reach one cluster. It is read from the environment with a
// prefix, SOURCE_ or TARGET_ in the functions of this project; the zero value
// of every field but Brokers is a good default.
type Config struct {
	Brokers []string `env:"BROKERS" envSeparator:"," doc:"bootstrap brokers, host:port, comma separated"`

	TLS           bool          `env:"TLS" envDefault:"false" doc:"connect with TLS; the broker's certificate is always verified"`
	TLSCAFile     string        `env:"TLS_CA_FILE" doc:"file with the CA certificates (PEM) to trust instead of the system's"`
	TLSCertFile   string        `env:"TLS_CERT_FILE" doc:"file with the client certificate (PEM)"`
	TLSKeyFile    string        `env:"TLS_KEY_FILE" doc:"file with the key of the client certificate (PEM)"`
	TLSServerName string        `env:"TLS_SERVER_NAME" doc:"name to verify in the broker's certificate, where it is not the host's"`
	SASL          string        `env:"SASL" doc:"SASL mechanism: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; empty for none"`
	User          string        `env:"SASL_USER" doc:"SASL user"`
	Password      secret.String `env:"SASL_PASSWORD" doc:"SASL password"`

	ClientID       string        `env:"CLIENT_ID" envDefault:"scf-etl" doc:"client id that the brokers see in quotas and logs"`
	RequestTimeout time.Duration `env:"REQUEST_TIMEOUT" envDefault:"15s" doc:"how long one request may take before the connection counts as broken"`
	DialTimeout    time.Duration `env:"DIAL_TIMEOUT" envDefault:"5s" doc:"how long to wait for a connection, its TLS and SASL included"`
	MetadataTTL    time.Duration `env:"METADATA_TTL" envDefault:"1s" doc:"how old the known leaders of partitions may be"`
}

// Defaults of the fields that are zero.
const (
	defaultClientID       = "scf-etl"
	defaultRequestTimeout = 15 * time.Second
	defaultDialTimeout    = 5 * time.Second
	defaultMetadataTTL    = time.Second // a moved leader is known after half of it on average
)

// withDefaults also takes the blanks off that "a:9092, b:9092" leaves.
func (c Config) withDefaults() Config {
	c.Brokers = slices.Clone(c.Brokers)
	for i, b := range c.Brokers {
		c.Brokers[i] = strings.TrimSpace(b)
	}
	if c.ClientID == "" {
		c.ClientID = defaultClientID
	}
	if c.RequestTimeout == 0 {
		c.RequestTimeout = defaultRequestTimeout
	}
	if c.DialTimeout == 0 {
		c.DialTimeout = defaultDialTimeout
	}
	if c.MetadataTTL == 0 {
		c.MetadataTTL = defaultMetadataTTL
	}
	return c
}

// Validate names every wrong field, without its prefix: BROKERS, SASL, ...
// It touches neither network nor files, and the password is in none of its
// errors. No brokers at all is no fault here, since a function may do without
// a cluster; [Open] refuses it.
func (c Config) Validate() error {
	faults := c.brokerFaults()
	faults = append(faults, c.saslFaults()...)
	if (c.TLSCertFile == "") != (c.TLSKeyFile == "") {
		faults = append(faults, errors.New("TLS_CERT_FILE and TLS_KEY_FILE go together: one of them is empty"))
	}
	if !c.TLS && (c.TLSCAFile != "" || c.TLSCertFile != "" || c.TLSKeyFile != "" || c.TLSServerName != "") {
		faults = append(faults, errors.New("TLS_CA_FILE, TLS_CERT_FILE, TLS_KEY_FILE or TLS_SERVER_NAME is set but TLS is not true"))
	}
	for _, d := range []struct {
		key   string
		value time.Duration
	}{{"REQUEST_TIMEOUT", c.RequestTimeout}, {"DIAL_TIMEOUT", c.DialTimeout}, {"METADATA_TTL", c.MetadataTTL}} {
		if d.value < 0 {
			faults = append(faults, fmt.Errorf("%s is %v: want a positive duration, like 15s", d.key, d.value))
		}
	}
	return errors.Join(faults...)
}

func (c Config) brokerFaults() (faults []error) {
	for _, b := range c.Brokers {
		host, port, err := net.SplitHostPort(strings.TrimSpace(b))
		number, portErr := strconv.ParseUint(port, 10, 16)
		if err != nil || host == "" || portErr != nil || number == 0 {
			faults = append(faults, fmt.Errorf("BROKERS has %q: want host:port, comma separated", b))
		}
	}
	return faults
}

func (c Config) saslFaults() (faults []error) {
	switch strings.ToUpper(c.SASL) {
	case "":
		if c.User != "" || !c.Password.Empty() {
			faults = append(faults, errors.New("SASL_USER or SASL_PASSWORD is set but SASL is not: want PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"))
		}
	case mechanismPlain, mechanismSCRAM256, mechanismSCRAM512:
		if c.User == "" || c.Password.Empty() {
			faults = append(faults, fmt.Errorf("SASL is %s but SASL_USER or SASL_PASSWORD is empty", c.SASL))
		}
	default:
		faults = append(faults, fmt.Errorf("SASL is %q: want PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, or nothing", c.SASL))
	}
	return faults
}
