package kafka_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

func TestOpen(t *testing.T) {
	t.Parallel()

	t.Run("gives a client of a broker that answers, by its clean address", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{})
		c := connect(t, kafka.Config{Brokers: []string{" " + cluster.Brokers()[0] + " "}})
		if got, want := c.Brokers(), cluster.Brokers(); got[0] != want[0] {
			t.Errorf("brokers %q, want %q", got, want)
		}
		if !c.SupportsTransactions() {
			t.Error("a broker of today supports transactions")
		}
	})

	t.Run("finds the one broker of several addresses that is there", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{})
		c := connect(t, kafka.Config{Brokers: []string{unusedAddress(t), cluster.Brokers()[0]}})
		if _, err := c.Topics(deadline(t)); err != nil {
			t.Error(err)
		}
	})

	t.Run("refuses a config without brokers", func(t *testing.T) {
		t.Parallel()
		if _, err := kafka.Open(deadline(t), kafka.Config{}); err == nil || !strings.Contains(err.Error(), "BROKERS is empty") {
			t.Errorf("error %v, want one that names BROKERS", err)
		}
	})

	t.Run("says at once that nobody listens", func(t *testing.T) {
		t.Parallel()
		address := unusedAddress(t)
		_, err := openFast(t, kafka.Config{Brokers: []string{address}, DialTimeout: time.Minute})
		if !kafka.Retriable(err) || !strings.Contains(err.Error(), address) || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("error %v, want a retriable one that names %s", err, address)
		}
	})

	t.Run("gives up on a broker that does not answer after the dial time-out", func(t *testing.T) {
		t.Parallel()
		silent := listen(t, func(conn net.Conn) { io.Copy(io.Discard, conn) })
		_, err := openFast(t, kafka.Config{Brokers: []string{silent}, DialTimeout: 300 * time.Millisecond, RequestTimeout: time.Minute})
		if !kafka.Retriable(err) {
			t.Errorf("error %v, want a retriable one", err)
		}
	})

	t.Run("ends with its context", func(t *testing.T) {
		t.Parallel()
		silent := listen(t, func(conn net.Conn) { io.Copy(io.Discard, conn) })
		stop := errors.New("we stop")
		ctx, cancel := context.WithCancelCause(deadline(t))
		time.AfterFunc(100*time.Millisecond, func() { cancel(stop) })
		_, err := kafka.Open(ctx, kafka.Config{Brokers: []string{silent}, DialTimeout: time.Minute})
		if !errors.Is(err, stop) || kafka.Retriable(err) {
			t.Errorf("error %v, want the context's cause, not retriable", err)
		}
	})

	t.Run("waits for a first look at the cluster that takes longer than the metadata may be old", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{})
		for range 3 {
			silent(cluster.Fake(), kmsg.Metadata)
		}
		connect(t, kafka.Config{Brokers: cluster.Brokers(), MetadataTTL: 200 * time.Millisecond, DialTimeout: 30 * time.Second})
	})

	t.Run("hints at TLS and SASL where the broker closes the connection", func(t *testing.T) {
		t.Parallel()
		address := listen(t, func(conn net.Conn) { conn.Read(make([]byte, 1)) })
		_, err := openFast(t, kafka.Config{Brokers: []string{address}})
		if err == nil || !strings.Contains(err.Error(), `wants TLS (TLS is false) or SASL (SASL is "")`) {
			t.Errorf("error %v, want a hint", err)
		}
	})
}

// TestOpenWithSASL: every mechanism, and what is wrong with each.
func TestOpenWithSASL(t *testing.T) {
	t.Parallel()
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		t.Run("by "+mechanism, func(t *testing.T) {
			t.Parallel()
			cluster := brokers(t, localkafka.Config{Users: []localkafka.User{{Mechanism: mechanism, Name: "u", Password: "right"}}})
			config := kafka.Config{Brokers: cluster.Brokers(), SASL: strings.ToLower(mechanism), User: "u", Password: secret.New("right")}

			t.Run("lets the right password in", func(t *testing.T) {
				if _, err := connect(t, config).Topics(deadline(t)); err != nil {
					t.Error(err)
				}
			})
			wrongPassword := config
			wrongPassword.Password = secret.New("wrong")
			wrongUser := config
			wrongUser.User = "nobody"
			otherMechanism := config
			otherMechanism.SASL = map[string]string{"PLAIN": "SCRAM-SHA-256"}[mechanism]
			if otherMechanism.SASL == "" {
				otherMechanism.SASL = "PLAIN"
			}
			for fault, config := range map[string]kafka.Config{"a wrong password": wrongPassword, "a user that does not exist": wrongUser, "another mechanism": otherMechanism} {
				t.Run("refuses "+fault+" at once", func(t *testing.T) {
					config.DialTimeout = time.Minute
					_, err := openFast(t, config)
					if !errors.Is(err, kafka.ErrAuthentication) || kafka.Retriable(err) {
						t.Errorf("error %v, want ErrAuthentication, not retriable", err)
					}
					if !strings.Contains(err.Error(), "SASL") || strings.Contains(err.Error(), config.Password.Reveal()) {
						t.Errorf("error %q, want it to say what to check, without the password", err)
					}
				})
			}
			t.Run("hints at SASL where none is used", func(t *testing.T) {
				_, err := openFast(t, kafka.Config{Brokers: cluster.Brokers()})
				if err == nil || !strings.Contains(err.Error(), "SASL") {
					t.Errorf("error %v, want a hint at SASL", err)
				}
			})
		})
	}

	t.Run("gives up on a broker that hangs in the middle of it", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Users: []localkafka.User{{Mechanism: "PLAIN", Name: "u", Password: "p"}}})
		hold := make(chan struct{})
		defer close(hold)
		address := listen(t, func(conn net.Conn) { passFrames(conn, cluster.Brokers()[0], 2, hold) }) // ApiVersions, SaslHandshake
		_, err := openFast(t, kafka.Config{
			Brokers: []string{address}, SASL: "PLAIN", User: "u", Password: secret.New("p"),
			DialTimeout: 500 * time.Millisecond, RequestTimeout: time.Minute,
		})
		if !kafka.Retriable(err) {
			t.Errorf("error %v, want a retriable one", err)
		}
	})
}

// TestSecuredCalls: what holds of plain connections holds of secured ones.
func TestSecuredCalls(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	cluster := brokers(t, localkafka.Config{
		Topics: map[string]int32{"t": 1}, TLS: ca.server(t, "127.0.0.1", tls.NoClientCert),
		Users: []localkafka.User{{Mechanism: "SCRAM-SHA-512", Name: "u", Password: "p"}},
	})
	c := connect(t, kafka.Config{Brokers: cluster.Brokers(), TLS: true, TLSCAFile: ca.file, SASL: "SCRAM-SHA-512", User: "u", Password: secret.New("p")})

	t.Run("a fetch that is blocked ends with its context, and the next one works", func(t *testing.T) {
		asked := silent(cluster.Fake(), kmsg.Fetch)
		ctx, cancel := context.WithCancel(deadline(t))
		go func() {
			<-asked
			cancel()
		}()
		var buf kafka.Buffer
		if _, err := c.Fetch(ctx, kafka.FetchRequest{Topic: "t"}, &buf); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want the context's", err)
		}
		if _, err := c.Fetch(deadline(t), kafka.FetchRequest{Topic: "t"}, &buf); err != nil {
			t.Error(err)
		}
	})

	t.Run("a transaction and a group work", func(t *testing.T) {
		p := producer(t, c, "id")
		must(t, put(t, p, "t", 0, one(t, "a")), p.CommitOffsets(deadline(t), "g", "t", committed(1)), p.Commit(deadline(t)))
		wantValues(t, c, "t", "a")
		generation := next(t, join(t, c, quick("t")))
		must(t, generation.Commit("t", 0, 1))
	})
}

func TestOpenWithTLS(t *testing.T) {
	t.Parallel()
	ours, theirs := newAuthority(t), newAuthority(t)
	plain := brokers(t, localkafka.Config{})
	oneWay := brokers(t, localkafka.Config{TLS: ours.server(t, "127.0.0.1", tls.NoClientCert)})
	mutual := brokers(t, localkafka.Config{TLS: ours.server(t, "127.0.0.1", tls.RequireAndVerifyClientCert)})
	named := brokers(t, localkafka.Config{TLS: ours.server(t, "kafka.internal", tls.NoClientCert)})
	cert, key := ours.client(t)
	strangeCert, strangeKey := theirs.client(t)

	for _, test := range []struct {
		requirement string
		cluster     *localkafka.Cluster
		config      kafka.Config
	}{
		{"a broker whose CA is named", oneWay, kafka.Config{TLSCAFile: ours.file}},
		{"a broker that wants a client certificate", mutual, kafka.Config{TLSCAFile: ours.file, TLSCertFile: cert, TLSKeyFile: key}},
		{"a broker whose certificate has another name that is given", named, kafka.Config{TLSCAFile: ours.file, TLSServerName: "kafka.internal"}},
	} {
		t.Run("lets us talk to "+test.requirement, func(t *testing.T) {
			t.Parallel()
			test.config.Brokers, test.config.TLS = test.cluster.Brokers(), true
			c := connect(t, test.config)
			if err := c.CreateTopic(deadline(t), kafka.TopicSpec{Name: "t", Partitions: 1}); err != nil && !errors.Is(err, kafka.ErrTopicExists) {
				t.Error(err)
			}
		})
	}

	for _, test := range []struct {
		requirement string
		cluster     *localkafka.Cluster
		config      kafka.Config
	}{
		{"a broker of an unknown CA", oneWay, kafka.Config{TLSCAFile: theirs.file}},
		{"a broker that the system's CAs do not know", oneWay, kafka.Config{}},
		{"a broker with a certificate for another name", named, kafka.Config{TLSCAFile: ours.file}},
		{"a broker with another name than the given one", oneWay, kafka.Config{TLSCAFile: ours.file, TLSServerName: "kafka.internal"}},
		{"us where a client certificate is missing", mutual, kafka.Config{TLSCAFile: ours.file}},
		{"us where the client certificate is of another CA", mutual, kafka.Config{TLSCAFile: ours.file, TLSCertFile: strangeCert, TLSKeyFile: strangeKey}},
	} {
		t.Run("refuses "+test.requirement, func(t *testing.T) {
			t.Parallel()
			test.config.Brokers, test.config.TLS, test.config.DialTimeout = test.cluster.Brokers(), true, time.Minute
			_, err := openFast(t, test.config)
			if !errors.Is(err, kafka.ErrAuthentication) || kafka.Retriable(err) {
				t.Errorf("error %v, want ErrAuthentication, not retriable", err)
			}
		})
	}

	t.Run("refuses a broker whose certificate has expired, and says so", func(t *testing.T) {
		t.Parallel()
		expired := brokers(t, localkafka.Config{TLS: ours.serverUntil(t, time.Now().Add(-time.Minute), "127.0.0.1", tls.NoClientCert)})
		_, err := openFast(t, kafka.Config{Brokers: expired.Brokers(), TLS: true, TLSCAFile: ours.file, DialTimeout: time.Minute})
		if !errors.Is(err, kafka.ErrAuthentication) || !strings.Contains(err.Error(), "renew the broker's certificate") {
			t.Errorf("error %v, want ErrAuthentication that says what to do", err)
		}
	})

	for _, test := range []struct {
		requirement string
		config      kafka.Config
		want        string
	}{
		{"a CA file that is missing", kafka.Config{TLSCAFile: "/nowhere/ca.pem"}, "TLS_CA_FILE: open /nowhere/ca.pem"},
		{"a CA file without a certificate", kafka.Config{TLSCAFile: key}, "holds no PEM certificate"},
		{"a certificate file that is missing", kafka.Config{TLSCertFile: "/nowhere/c.pem", TLSKeyFile: key}, "TLS_CERT_FILE /nowhere/c.pem"},
		{"a key of another certificate", kafka.Config{TLSCertFile: cert, TLSKeyFile: strangeKey}, "private key does not match"},
	} {
		t.Run("names "+test.requirement, func(t *testing.T) {
			t.Parallel()
			test.config.Brokers, test.config.TLS = plain.Brokers(), true
			_, err := openFast(t, test.config)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}

	t.Run("hints at a broker that does not speak TLS", func(t *testing.T) {
		t.Parallel()
		_, err := openFast(t, kafka.Config{Brokers: plain.Brokers(), TLS: true, DialTimeout: 500 * time.Millisecond})
		if err == nil || !strings.Contains(err.Error(), "TLS handshake") || errors.Is(err, kafka.ErrAuthentication) {
			t.Errorf("error %v, want a hint at TLS", err)
		}
	})
	t.Run("hints at a broker that wants TLS", func(t *testing.T) {
		t.Parallel()
		_, err := openFast(t, kafka.Config{Brokers: oneWay.Brokers()})
		if err == nil || !strings.Contains(err.Error(), "wants TLS") {
			t.Errorf("error %v, want a hint at TLS", err)
		}
	})
}

// openFast opens and fails where that takes longer than any of the time-outs
// that a test sets to a minute.
func openFast(t *testing.T, config kafka.Config) (*kafka.Client, error) {
	t.Helper()
	begun := time.Now()
	c, err := kafka.Open(deadline(t), config)
	if spent := time.Since(begun); spent > 20*time.Second {
		t.Errorf("it took %v", spent)
	}
	if err == nil {
		c.Close()
	}
	return c, err
}
