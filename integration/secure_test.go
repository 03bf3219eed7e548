package integration

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/integration/kafkatest"
	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/scf"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// The users of the secured clusters. No log may hold a password.
const (
	user           = "copier"
	sourcePassword = "source-s3cret"
	targetPassword = "target-s3cret"
	wrongPassword  = "wr0ng-guess"
)

// patience is for the first TLS handshakes of a broker on a busy machine.
const patience = 20 * time.Second

// securedClusters copies between clusters that want TLS and a password: the
// source SCRAM-SHA-512, the target PLAIN. What is wrong at first is put right,
// as an operator would.
func securedClusters(t *testing.T) {
	authority := newAuthority(t)
	pair := containers.NewPair(t,
		kafkatest.Config{Settings: secured("SCRAM-SHA-512", "org.apache.kafka.common.security.scram.ScramLoginModule required;",
			authority.issue(t, time.Now().Add(-time.Minute)))},
		kafkatest.Config{Settings: secured("PLAIN",
			fmt.Sprintf(`org.apache.kafka.common.security.plain.PlainLoginModule required user_%s="%s";`, user, targetPassword),
			authority.issue(t, time.Now().Add(time.Hour)))})
	configure(t, pair.Source, "--entity-type", "users", "--entity-name", user, "--add-config", "SCRAM-SHA-512=[password="+sourcePassword+"]")
	source := kafka.Config{
		Brokers: pair.Source.Brokers, TLS: true, TLSCAFile: authority.file,
		SASL: "SCRAM-SHA-512", User: user, Password: secret.New(sourcePassword), DialTimeout: patience,
	}
	target := kafka.Config{
		Brokers: pair.Target.Brokers, TLS: true, TLSCAFile: authority.file,
		SASL: "PLAIN", User: user, Password: secret.New(targetPassword), DialTimeout: patience,
	}
	ctx, cancel := context.WithTimeout(t.Context(), storyTimeout)
	t.Cleanup(cancel)
	w := &world{ctx: ctx, brokers: [2]kafka.Config{source, target}, topic: kafkatest.Topic(t), dir: t.TempDir()}
	w.deploy(t, func(_ *emulator.Config, f *scf.Function) { *f = w.securedFunction(nil); f.Events = nil })

	t.Run("an expired certificate is named, with its broker", func(t *testing.T) {
		w.refused(t, pair.Source.Brokers[0], "certificate has expired", "renew the broker's certificate")
	})
	w.renew(t, pair.Source, authority.issue(t, time.Now().Add(time.Hour)))
	w.source, w.target = open(t, ctx, source), open(t, ctx, target)
	w.createTopic(t, 2, sample.TopicSettings())
	for p := range int32(2) {
		w.produce(t, p, batch.Zstd, 10, sample.Plain(500, 100, uint64(p)))
	}

	for key, broker := range map[string]string{"SOURCE_SASL_PASSWORD": pair.Source.Brokers[0], "TARGET_SASL_PASSWORD": pair.Target.Brokers[0]} {
		t.Run("a wrong "+key+" is named, with its broker", func(t *testing.T) {
			f := w.securedFunction(map[string]string{key: wrongPassword})
			f.Events = nil
			w.redeploy(t, f)
			w.refused(t, broker, kafka.ErrAuthentication.Error(), "SASL_PASSWORD")
		})
	}
	if topics, err := w.target.Topics(ctx); err != nil || slices.ContainsFunc(topics, func(k kafka.Topic) bool { return k.Name == w.topic }) {
		t.Errorf("the target has the topic (%v), want nothing touched before all is right", err)
	}

	t.Run("with the right ones everything is copied", func(t *testing.T) {
		w.redeploy(t, w.securedFunction(nil))
		w.awaitCopied(t)
		w.requireEqual(t, 1000)
	})
	w.requireNoSecrets(t)
}

// secured are the settings of a broker whose published listener wants TLS and
// SASL.
func secured(mechanism, jaas string, c certificate) map[string]string {
	return map[string]string{
		"listener.security.protocol.map":                                         "HOST:SASL_SSL,INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"listener.name.host.sasl.enabled.mechanisms":                             mechanism,
		"listener.name.host." + strings.ToLower(mechanism) + ".sasl.jaas.config": jaas,
		"listener.name.host.ssl.keystore.type":                                   "PEM",
		"listener.name.host.ssl.keystore.certificate.chain":                      c.chain,
		"listener.name.host.ssl.keystore.key":                                    c.key,
	}
}

// configure changes settings of a cluster, from inside its container.
func configure(t *testing.T, cluster *kafkatest.Cluster, arguments ...string) {
	t.Helper()
	command := append([]string{"/opt/kafka/bin/kafka-configs.sh", "--bootstrap-server", kafkatest.Inside, "--alter"}, arguments...)
	if _, err := cluster.Exec(t.Context(), command...); err != nil {
		t.Fatal(err)
	}
}

// renew gives a running broker another certificate, and returns once it shows
// that to clients.
func (w *world) renew(t *testing.T, cluster *kafkatest.Cluster, c certificate) {
	t.Helper()
	settings := "listener.name.host.ssl.keystore.certificate.chain=" + oneLine(c.chain) + "\n" +
		"listener.name.host.ssl.keystore.key=" + oneLine(c.key)
	const file = "/tmp/renewed.properties"
	if _, err := cluster.Exec(w.ctx, "sh", "-c", `printf '%s\n' "$0" >`+file, settings); err != nil {
		t.Fatal(err)
	}
	configure(t, cluster, "--entity-type", "brokers", "--entity-name", "1", "--add-config-file", file)
	w.await(t, "the renewed certificate", func() (bool, error) {
		client, err := kafka.Open(w.ctx, w.brokers[0])
		if err != nil {
			return false, err
		}
		return true, client.Close()
	})
}

// oneLine is a PEM text as the value of a line in a file of properties.
func oneLine(pem string) string { return strings.ReplaceAll(pem, "\n", `\n`) }

// securedFunction is dump with the settings of both clusters, some of them
// changed.
func (w *world) securedFunction(change map[string]string) scf.Function {
	f := w.function()
	for i, prefix := range []string{"SOURCE_", "TARGET_"} {
		c := w.brokers[i]
		f.Environment[prefix+"DIAL_TIMEOUT"] = c.DialTimeout.String()
		f.Environment[prefix+"TLS"] = "true"
		f.Environment[prefix+"TLS_CA_FILE"] = c.TLSCAFile
		f.Environment[prefix+"SASL"] = c.SASL
		f.Environment[prefix+"SASL_USER"] = c.User
		f.Environment[prefix+"SASL_PASSWORD"] = c.Password.Reveal()
	}
	maps.Copy(f.Environment, change)
	return f
}

func (w *world) redeploy(t *testing.T, f scf.Function) {
	t.Helper()
	if err := w.platform.Deploy(w.ctx, f, dumpPackage(t)); err != nil {
		t.Fatal(err)
	}
}

// refused invokes the function and wants it to fail by itself, in time, with
// each of the words.
func (w *world) refused(t *testing.T, words ...string) {
	t.Helper()
	got, err := w.platform.Invoke(w.ctx, "dump", w.eventOf(0, 9), emulator.InvokeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Error == nil || got.Error.Kind == emulator.KindTimeout {
		t.Fatalf("the function ended with %v, want an error of its own that says %q", got.Error, words)
	}
	for _, word := range words {
		if !strings.Contains(got.Error.Error(), word) {
			t.Errorf("the error does not say %q: %v", word, got.Error)
		}
	}
}

// requireNoSecrets looks for passwords in all that a platform keeps.
func (w *world) requireNoSecrets(t *testing.T) {
	t.Helper()
	for _, i := range w.platform.Invocations() {
		kept := fmt.Sprintf("%s %s %s %v", i.Log, i.InitLog, i.Payload, i.Error)
		for _, password := range []string{sourcePassword, targetPassword, wrongPassword} {
			if strings.Contains(kept, password) {
				t.Errorf("password %s is shown: %s", password, kept)
			}
		}
	}
}
