package kafka_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	brokers := []string{"b1:9092"}
	for _, test := range []struct {
		requirement string
		config      kafka.Config
		want        []string // one fault a line
	}{
		{"plain brokers are enough", kafka.Config{Brokers: []string{"b1:9092", " b2:9093 "}}, nil},
		{"no cluster at all is for Open to refuse", kafka.Config{}, nil},
		{"brokers by IPv6 address are fine", kafka.Config{Brokers: []string{"[::1]:9092"}}, nil},
		{"mechanisms are known in small letters, too", kafka.Config{Brokers: brokers, SASL: "scram-sha-256", User: "u", Password: secret.New("p")}, nil},
		{"every broker without host or port is named", kafka.Config{Brokers: []string{"b1", ":9092", "b3:", "b4:kafka", "b5:0", "b6:70000", ""}}, []string{
			`BROKERS has "b1": want host:port, comma separated`,
			`BROKERS has ":9092": want host:port, comma separated`,
			`BROKERS has "b3:": want host:port, comma separated`,
			`BROKERS has "b4:kafka": want host:port, comma separated`,
			`BROKERS has "b5:0": want host:port, comma separated`,
			`BROKERS has "b6:70000": want host:port, comma separated`,
			`BROKERS has "": want host:port, comma separated`,
		}},
		{"all faults are listed at once", kafka.Config{
			Brokers: []string{"b1"}, SASL: "GSSAPI", TLSCertFile: "cert.pem", RequestTimeout: -time.Second, MetadataTTL: -1,
		}, []string{
			`BROKERS has "b1": want host:port, comma separated`,
			`SASL is "GSSAPI": want PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, or nothing`,
			`TLS_CERT_FILE and TLS_KEY_FILE go together: one of them is empty`,
			`TLS_CA_FILE, TLS_CERT_FILE, TLS_KEY_FILE or TLS_SERVER_NAME is set but TLS is not true`,
			`REQUEST_TIMEOUT is -1s: want a positive duration, like 15s`,
			`METADATA_TTL is -1ns: want a positive duration, like 15s`,
		}},
		{"a mechanism needs a user", kafka.Config{Brokers: brokers, SASL: "PLAIN", Password: secret.New("p")}, []string{"SASL is PLAIN but SASL_USER or SASL_PASSWORD is empty"}},
		{"a mechanism needs a password", kafka.Config{Brokers: brokers, SASL: "PLAIN", User: "u"}, []string{"SASL is PLAIN but SASL_USER or SASL_PASSWORD is empty"}},
		{"a user needs a mechanism", kafka.Config{Brokers: brokers, User: "u"}, []string{"SASL_USER or SASL_PASSWORD is set but SASL is not: want PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"}},
	} {
		t.Run(test.requirement, func(t *testing.T) {
			t.Parallel()
			var got []string
			if err := test.config.Validate(); err != nil {
				got = strings.Split(err.Error(), "\n")
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPasswordsStayOutOfErrors(t *testing.T) {
	t.Parallel()
	const password = "hunter2\a" // a bell: SCRAM forbids it
	for _, config := range []kafka.Config{
		{Brokers: []string{"b1"}, Password: secret.New(password)},
		{Brokers: []string{"b1"}, SASL: "GSSAPI", User: "u", Password: secret.New(password)},
		{Brokers: []string{"b1"}, SASL: "PLAIN", Password: secret.New(password)},
		{Brokers: []string{"127.0.0.1:1"}, SASL: "PLAIN", User: "u", Password: secret.New(password)},
		{Brokers: []string{"127.0.0.1:1"}, SASL: "SCRAM-SHA-512", User: "u", Password: secret.New(password)},
	} {
		t.Run("of a config with SASL "+config.SASL, func(t *testing.T) {
			t.Parallel()
			_, err := kafka.Open(deadline(t), config)
			if err == nil {
				t.Fatal("no error")
			}
			for _, text := range []string{err.Error(), fmt.Sprintf("%+v", config), fmt.Sprintf("%#v", config)} {
				if strings.Contains(text, "hunter2") {
					t.Errorf("the password is in %q", text)
				}
			}
		})
	}
}
