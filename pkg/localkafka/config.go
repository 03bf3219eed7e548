package localkafka

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"strings"

	"github.com/twmb/franz-go/pkg/kversion"
)

// Config says what brokers to start. The zero value is one broker on a free
// loopback port, with its data in a temporary folder that Close removes.
type Config struct {
	// Dir holds topics, records, groups, offsets and producer states. A
	// cluster started later on the same folder has all of them again, also
	// after kill -9. Empty means a temporary folder, removed by Close. Only
	// one process at a time may use a folder: Start refuses a second one.
	Dir string

	// Brokers is the number of brokers, 1 by default. More than one is for
	// tests of moving leaders: there is no replication.
	Brokers int

	// Ports are the loopback ports to listen on, one a broker; they replace
	// Brokers. By default the system picks free ones.
	Ports []int

	// Partitions is what a topic gets that is created without saying how
	// many; 1 by default.
	Partitions int

	// AutoCreate lets a client create a topic by asking for it.
	AutoCreate bool

	// Topics are created at start where they do not exist yet: name to
	// number of partitions (0 means Partitions).
	Topics map[string]int32

	// Version is the newest Kafka release whose requests are answered, such
	// as "2.8" or "0.10.2"; empty means the newest that kfake knows. Record
	// batches are version 2 all the same, and topics keep their ids.
	Version string

	// TLS, where set, is what the listeners speak. It needs a certificate
	// for 127.0.0.1.
	TLS *tls.Config

	// Users, where any, turn SASL on: a client must then be one of them.
	Users []User

	// BrokerConfigs are broker settings by their Kafka names, such as
	// "message.max.bytes".
	BrokerConfigs map[string]string

	// Log gets the brokers' own log; nil drops it. Requests are logged at
	// debug level, record contents and passwords never.
	Log *slog.Logger
}

// User is one SASL user. Access control lists are off, so it may do anything.
type User struct {
	// Mechanism is PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.
	Mechanism string
	Name      string
	Password  string
}

// check fills in defaults and refuses settings that kfake would panic on,
// ignore, or report without naming them.
func (c *Config) check() error {
	if c.Brokers == 0 {
		c.Brokers = 1
	}
	if c.Partitions == 0 {
		c.Partitions = 1
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	switch {
	case c.Brokers < 0:
		return fmt.Errorf("local kafka: Brokers is %d, allowed are 1 and more", c.Brokers)
	case c.Partitions < 0:
		return fmt.Errorf("local kafka: Partitions is %d, allowed are 1 and more", c.Partitions)
	case c.Version != "" && kversion.FromString(c.Version) == nil:
		return fmt.Errorf("local kafka: Version %q is no Kafka release, write it like \"2.8\" or \"0.10.2\"", c.Version)
	}
	for _, u := range c.Users {
		switch u.Mechanism {
		case "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512":
		default:
			return fmt.Errorf("local kafka: user %q has the mechanism %q, allowed are PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512", u.Name, u.Mechanism)
		}
		if u.Name == "" || strings.ContainsRune(u.Name, 0) {
			return fmt.Errorf("local kafka: user name %q is empty or holds a zero byte", u.Name)
		}
	}
	return nil
}
