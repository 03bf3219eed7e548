package kafka_test

import (
	"crypto/tls"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

func TestInspect(t *testing.T) {
	t.Parallel()
	inspect := func(t *testing.T, cfg kafka.Config, address string) kafka.Listener {
		t.Helper()
		l, err := kafka.Inspect(deadline(t), cfg, address)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	t.Run("an open listener is a broker of a release, without TLS and login", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Version: "2.8"})
		l := inspect(t, kafka.Config{}, cluster.Brokers()[0])
		if !l.Broker || l.TLS || l.Login || l.Release.Name != "2.8" || l.Latency <= 0 {
			t.Errorf("got %+v", l)
		}
	})
	t.Run("a listener that wants a login names its mechanisms, and is not told who asks", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Users: []localkafka.User{{Mechanism: "PLAIN", Name: "u", Password: "p"}}})
		l := inspect(t, kafka.Config{}, cluster.Brokers()[0])
		if !l.Login || !slices.Contains(l.Mechanisms, "SCRAM-SHA-256") {
			t.Errorf("got %+v", l)
		}
	})
	t.Run("TLS is found out whatever the settings say, and so is plain text", func(t *testing.T) {
		t.Parallel()
		authority := newAuthority(t)
		secured := brokers(t, localkafka.Config{TLS: authority.server(t, "127.0.0.1", tls.NoClientCert)})
		if l := inspect(t, kafka.Config{}, secured.Brokers()[0]); !l.TLS || l.Certificate == nil || !slices.Contains(l.Certificate.Names, "127.0.0.1") {
			t.Errorf("TLS: got %+v", l)
		}
		if l := inspect(t, kafka.Config{TLS: true}, brokers(t, localkafka.Config{}).Brokers()[0]); l.TLS {
			t.Errorf("plain text: got %+v", l)
		}
	})
	t.Run("a certificate's fault depends on the authority and on the name", func(t *testing.T) {
		t.Parallel()
		authority := newAuthority(t)
		cluster := brokers(t, localkafka.Config{TLS: authority.server(t, "127.0.0.1", tls.NoClientCert)})
		for name, c := range map[string]struct {
			config kafka.Config
			fault  string
		}{
			"another authority": {kafka.Config{TLS: true}, "unknown authority"},
			"another name":      {kafka.Config{TLS: true, TLSCAFile: authority.file, TLSServerName: "kafka.example"}, "kafka.example"},
			"all right":         {kafka.Config{TLS: true, TLSCAFile: authority.file}, ""},
		} {
			l := inspect(t, c.config, cluster.Brokers()[0])
			if fault := l.Certificate.Fault; (fault != nil) != (c.fault != "") || fault != nil && !strings.Contains(fault.Error(), c.fault) {
				t.Errorf("%s: fault is %v, want %q", name, fault, c.fault)
			}
		}
	})
	t.Run("a port that is no broker is an error in words, and one that nobody has too", func(t *testing.T) {
		t.Parallel()
		greeter := listen(t, func(conn net.Conn) { _, _ = conn.Write([]byte("SSH-2.0-OpenSSH_9.2\r\n")) })
		if _, err := kafka.Inspect(deadline(t), kafka.Config{}, greeter); err == nil || !strings.Contains(err.Error(), "no Kafka broker") {
			t.Errorf("another server: error is %v", err)
		}
		if _, err := kafka.Inspect(deadline(t), kafka.Config{}, unusedAddress(t)); err == nil || !strings.Contains(err.Error(), "refused") {
			t.Errorf("nobody: error is %v", err)
		}
	})
}
