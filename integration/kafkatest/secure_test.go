package kafkatest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"github.com/scf-etl/scf-etl/integration/kafkatest"
)

func TestSecuredListener(t *testing.T) {
	t.Parallel()
	kafkatest.Require(t)
	certificate, key, authorities := selfSigned(t)
	cluster := clusters.New(t, kafkatest.Config{Settings: map[string]string{
		"listener.security.protocol.map":                    "HOST:SASL_SSL,INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"listener.name.host.sasl.enabled.mechanisms":        "PLAIN",
		"listener.name.host.plain.sasl.jaas.config":         `org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="secret";`,
		"listener.name.host.ssl.keystore.type":              "PEM",
		"listener.name.host.ssl.keystore.certificate.chain": certificate,
		"listener.name.host.ssl.keystore.key":               key,
	}})
	trust := kgo.DialTLSConfig(&tls.Config{RootCAs: authorities})

	t.Run("TLS and SASL can be laid over the published listener", func(t *testing.T) {
		if err := connect(t, cluster, trust, kgo.SASL(as("alice", "secret"))).Ping(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Run("another password is refused", func(t *testing.T) {
		if err := connect(t, cluster, trust, kgo.SASL(as("alice", "guess"))).Ping(t.Context()); err == nil {
			t.Error("a wrong password is taken")
		}
	})
}

func as(user, password string) sasl.Mechanism {
	return plain.Auth{User: user, Pass: password}.AsMechanism()
}

// selfSigned makes a certificate for loopback, its key, and the pool that
// trusts it.
func selfSigned(t *testing.T) (certificate, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "kafkatest"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	certificate = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed}))
	key = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}))
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(certificate))
	return certificate, key, pool
}
