package doctor_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/doctor"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// world is an embedded source with a topic of two partitions, and a target.
type world struct {
	t              *testing.T
	source, target *localkafka.Cluster
	environ        map[string]string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, environ: map[string]string{"TOPIC": "orders"}}
	w.source = w.cluster("SOURCE_", localkafka.Config{Topics: map[string]int32{"orders": 2}})
	w.target = w.cluster("TARGET_", localkafka.Config{})
	return w
}

func (w *world) cluster(prefix string, cfg localkafka.Config) *localkafka.Cluster {
	w.t.Helper()
	c, err := localkafka.Start(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	w.environ[prefix+"BROKERS"] = strings.Join(c.Brokers(), ",")
	return c
}

func (w *world) open(c *localkafka.Cluster) *kafka.Client {
	w.t.Helper()
	client, err := kafka.Open(w.t.Context(), kafka.Config{Brokers: c.Brokers(), MetadataTTL: 100 * time.Millisecond})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { client.Close() })
	return client
}

// create makes a topic in the target.
func (w *world) create(name string, partitions int, settings map[string]string) {
	w.t.Helper()
	if err := w.open(w.target).CreateTopic(w.t.Context(), kafka.TopicSpec{Name: name, Partitions: partitions, Settings: settings}); err != nil {
		w.t.Fatal(err)
	}
}

// produce writes a record of a time to partition 0 of orders.
func (w *world) produce(at time.Time) {
	w.t.Helper()
	if _, err := w.open(w.source).Produce(w.t.Context(), "orders", 0, batch.Record{Value: []byte("v"), Timestamp: at.UnixMilli()}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) run(topics ...string) doctor.Report {
	w.t.Helper()
	return doctor.Run(w.t.Context(), doctor.Config{Environ: w.environ, Topics: topics})
}

// find gives the findings of a check, in the sections whose title begins so.
func find(report doctor.Report, section, check string) (found []doctor.Finding) {
	for _, s := range report {
		for _, f := range s.Findings {
			if strings.HasPrefix(s.Title, section) && strings.HasPrefix(f.Check, check) {
				found = append(found, f)
			}
		}
	}
	return found
}

// want is that one finding of a check has a status, and words in what was
// found and in the fix.
func want(t *testing.T, report doctor.Report, section, check string, status doctor.Status, words ...string) {
	t.Helper()
	found := find(report, section, check)
	if !slices.ContainsFunc(found, func(f doctor.Finding) bool {
		return f.Status == status && !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(f.Found+"\n"+f.Fix, word) })
	}) {
		t.Errorf("%s, %s: got %+v, want %s with %q", section, check, found, status, words)
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	t.Run("two clusters and a topic in order have no failure, and nothing is created", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.produce(time.Now())
		report := w.run()
		if n := report.Count(doctor.Fail); n != 0 {
			t.Errorf("%d failures: %+v", n, report)
		}
		want(t, report, "target cluster", "target transactions", doctor.OK)
		want(t, report, "topic orders", "reading it", doctor.OK, "1 offsets")
		want(t, report, "topic orders", "target topic", doctor.OK, "does not exist yet", "2 partitions")
		if topics, err := w.open(w.target).Topics(t.Context()); err != nil || len(topics) > 0 && !strings.HasPrefix(topics[0].Name, "__") {
			t.Errorf("the target has %v, error %v", topics, err)
		}
	})
	t.Run("clusters that are not named are skipped, and not a failure", func(t *testing.T) {
		t.Parallel()
		report := doctor.Run(t.Context(), doctor.Config{})
		want(t, report, "source cluster", "brokers", doctor.Skip, "SOURCE_BROKERS")
		want(t, report, "target cluster", "brokers", doctor.Skip, "TARGET_BROKERS")
	})
	t.Run("a context that has ended ends it, with what was found so far", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if report := doctor.Run(ctx, doctor.Config{Environ: map[string]string{"SOURCE_BROKERS": "10.255.255.1:9092"}}); len(report) == 0 {
			t.Error("there is no report")
		}
	})
	t.Run("what is under way is told, and nothing is at the end", func(t *testing.T) {
		t.Parallel()
		var seen []string
		doctor.Run(t.Context(), doctor.Config{Progress: func(busy []string) { seen = append(seen, strings.Join(busy, "+")) }})
		if len(seen) == 0 || seen[len(seen)-1] != "" || !strings.Contains(strings.Join(seen, " "), "source cluster") {
			t.Errorf("got %q", seen)
		}
	})
}

func TestSettings(t *testing.T) {
	t.Parallel()
	run := func(t *testing.T, environ map[string]string) doctor.Report {
		t.Helper()
		return doctor.Run(t.Context(), doctor.Config{Environ: environ})
	}
	t.Run("every fault is named with its key, and a password never", func(t *testing.T) {
		t.Parallel()
		report := run(t, map[string]string{
			"MODE": "fast", "TOPICS": "a=b", "PARALLEL": "many", "START": "now", "COMPRESSION": "rar", "JOB": "a.b",
			"SOURCE_BROKERS": "host", "TARGET_SASL_PASSWORD": "hunter2",
		})
		for _, key := range []string{"MODE", "TOPICS", "PARALLEL", "START", "COMPRESSION", "JOB", "SOURCE_BROKERS", "TARGET_SASL_PASSWORD"} {
			want(t, report, "serverless.yml", "settings", doctor.Fail, key)
		}
		if text := fmt.Sprintf("%+v", report); strings.Contains(text, "hunter2") {
			t.Errorf("the password is shown: %s", text)
		}
	})
	t.Run("are those that serverless.yml gives, and what it does not pass on is a warning", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "serverless.yml")
		text := "service: etl\nprovider: {name: tencent}\nfunctions:\n  copy:\n    handler: main\n    environment:\n      TARGET_BROKERS: ${env:TARGET_BROKERS, '127.0.0.1:1'}\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		service, err := scf.Load(file, scf.Options{})
		if err != nil {
			t.Fatal(err)
		}
		report := doctor.Run(t.Context(), doctor.Config{Service: service, Environ: map[string]string{"JOB": "mine"}})
		want(t, report, "serverless.yml", "TARGET_BROKERS", doctor.OK, "127.0.0.1:1")
		want(t, report, "serverless.yml", "JOB", doctor.Warn, "functions.copy.environment")
		want(t, report, "target cluster", "broker 127.0.0.1:1", doctor.Fail, "nobody listens")
	})
	t.Run("an environment larger than the platform takes is a failure", func(t *testing.T) {
		t.Parallel()
		service := &scf.Service{Functions: []scf.Function{{Key: "f", Environment: map[string]string{"LONG": strings.Repeat("x", scf.MaxEnvironment)}}}}
		want(t, doctor.Run(t.Context(), doctor.Config{Service: service}), "serverless.yml", "environment of f", doctor.Fail, "4096")
	})
}

func TestReach(t *testing.T) {
	t.Parallel()
	t.Run("each broker has a line of its own", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		good := w.source.Brokers()[0]
		w.environ["SOURCE_BROKERS"] = "127.0.0.1:1," + good
		report := w.run()
		want(t, report, "source cluster", "broker 127.0.0.1:1", doctor.Fail, "nobody listens", "SOURCE_BROKERS")
		want(t, report, "source cluster", "broker "+good, doctor.OK)
	})
	t.Run("an advertised address that cannot be reached is told from the bootstrap address, which can", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		advertise(w.source.Fake(), "kafka.invalid", 9092)
		want(t, w.run(), "source cluster", "advertised kafka.invalid:9092", doctor.Fail, "tells clients", "advertised.listeners", "/etc/hosts")
	})
	t.Run("a wrong password, a login that is wanted and one that is not are told apart", func(t *testing.T) {
		t.Parallel()
		for name, c := range map[string]struct {
			users   []localkafka.User
			environ map[string]string
			words   []string
		}{
			"wrong password": {
				[]localkafka.User{{Mechanism: "PLAIN", Name: "u", Password: "p"}},
				map[string]string{"SOURCE_SASL": "PLAIN", "SOURCE_SASL_USER": "u", "SOURCE_SASL_PASSWORD": "hunter2"}, []string{"authentication refused", "SOURCE_SASL_PASSWORD"},
			},
			"login wanted": {
				[]localkafka.User{{Mechanism: "PLAIN", Name: "u", Password: "p"}},
				nil, []string{"wants a login", "PLAIN", "SOURCE_SASL"},
			},
			"login not wanted": {
				nil, map[string]string{"SOURCE_SASL": "PLAIN", "SOURCE_SASL_USER": "u", "SOURCE_SASL_PASSWORD": "hunter2"}, []string{"without a login", "unset SOURCE_SASL"},
			},
		} {
			w := &world{t: t, environ: map[string]string{}}
			w.cluster("SOURCE_", localkafka.Config{Users: c.users})
			for key, value := range c.environ {
				w.environ[key] = value
			}
			report := w.run()
			want(t, report, "source cluster", "broker", doctor.Fail, c.words...)
			if strings.Contains(fmt.Sprintf("%+v", report), "hunter2") {
				t.Errorf("%s: the password is shown", name)
			}
		}
	})
	t.Run("plain text where the settings say TLS is told", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.environ["SOURCE_TLS"] = "true"
		want(t, w.run(), "source cluster", "broker", doctor.Fail, "plain text", "SOURCE_TLS=false")
	})
	t.Run("a target without transactions is a failure", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.cluster("TARGET_", localkafka.Config{Version: "0.10.2"})
		want(t, w.run(), "target cluster", "version", doctor.Fail, "transactions", "0.11")
	})
}

// advertise has a broker tell clients of another address.
func advertise(fake *kfake.Cluster, host string, port int32) {
	fake.ControlKey(int16(kmsg.Metadata), func(r kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		answer := r.ResponseKind().(*kmsg.MetadataResponse)
		broker := kmsg.NewMetadataResponseBroker()
		broker.Host, broker.Port = host, port
		answer.Brokers = append(answer.Brokers, broker)
		return answer, nil, true
	})
}

func TestTopic(t *testing.T) {
	t.Parallel()
	t.Run("a topic that does not exist is a failure that says how to create it", func(t *testing.T) {
		t.Parallel()
		want(t, newWorld(t).run("nowhere"), "topic nowhere", "source topic", doctor.Fail, "does not exist", "--create --topic nowhere")
	})
	t.Run("what of the target topic would stop a copy, or change what it means, is told with the setting", func(t *testing.T) {
		t.Parallel()
		for name, c := range map[string]struct {
			check  string
			status doctor.Status
			key    string
			value  string
		}{
			"times":       {"target's times", doctor.Fail, "message.timestamp.type", "LogAppendTime"},
			"size":        {"target record size", doctor.Warn, "max.message.bytes", "1000"},
			"compaction":  {"target retention", doctor.Warn, "cleanup.policy", "compact"},
			"retention":   {"target retention", doctor.Warn, "retention.ms", "1000"},
			"compression": {"target compression", doctor.Warn, "compression.type", "gzip"},
		} {
			w := newWorld(t)
			w.create("orders", 2, map[string]string{c.key: c.value})
			report := w.run()
			found := find(report, "topic orders", c.check)
			if len(found) != 1 || found[0].Status != c.status || !strings.Contains(found[0].Fix, "--add-config "+c.key+"=") {
				t.Errorf("%s: got %+v", name, found)
			}
		}
	})
	t.Run("other partition counts are a warning, with the command while it is early", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.create("orders", 1, nil)
		want(t, w.run(), "topic orders", "partitions", doctor.Warn, "placed by key", "--partitions 2")
	})
	t.Run("a topic that would be copied into itself is a failure", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.environ["TARGET_BROKERS"] = w.environ["SOURCE_BROKERS"]
		want(t, w.run(), "topic orders", "two topics", doctor.Fail, "without end")
	})
	t.Run("a record ahead of the clock is a warning, since only a clock can be wrong", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.produce(time.Now().Add(10 * time.Minute))
		want(t, w.run(), "topic orders", "clock", doctor.Warn, "ahead", "time server")
	})
	t.Run("a missing target topic that may not be created is a failure", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.environ["CREATE_TOPICS"] = "false"
		want(t, w.run(), "topic orders", "target topic", doctor.Fail, "CREATE_TOPICS", "--partitions 2")
	})
}

func TestCheckpoint(t *testing.T) {
	t.Parallel()
	t.Run("says how far the copy is, and which command chooses what happens after a gap", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.create("orders", 2, nil)
		for range 5 {
			w.produce(time.Now())
		}
		want(t, w.run(), "topic orders", "checkpoint", doctor.OK, "nothing yet")
		target := w.open(w.target)
		for partition, next := range map[int32]int64{0: 3, 1: 0} {
			if err := mirror.ResetCheckpoint(t.Context(), target, "dump", "orders", "orders", partition, next); err != nil {
				t.Fatal(err)
			}
		}
		want(t, w.run(), "topic orders", "checkpoint", doctor.OK, "2 offsets behind")
		if err := mirror.ResetCheckpoint(t.Context(), target, "dump", "orders", "orders", 0, 9); err != nil {
			t.Fatal(err)
		}
		want(t, w.run(), "topic orders", "checkpoint", doctor.Fail, "the source ends at 5", "etl offsets reset --job dump --topic orders --partition 0 --to earliest --execute")
	})
}

func TestPortThatHangs(t *testing.T) {
	t.Parallel()
	t.Run("a port that takes connections and says nothing is a failure after a while, and not for ever", func(t *testing.T) {
		t.Parallel()
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { listener.Close() })
		report := doctor.Run(t.Context(), doctor.Config{Environ: map[string]string{
			"SOURCE_BROKERS": listener.Addr().String(), "SOURCE_DIAL_TIMEOUT": "300ms",
		}})
		want(t, report, "source cluster", "broker", doctor.Fail, "no Kafka broker")
	})
}
