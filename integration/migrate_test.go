package integration

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/migrate"
	"github.com/scf-etl/scf-etl/pkg/migrate/traffic"
	"github.com/scf-etl/scf-etl/pkg/mirror"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// migration is a migration of topics of every kind, three of which are written
// and read all the time.
type migration struct {
	*world
	operator *migrate.Operator
	name     string
	plan     migrate.Plan // without the clusters
	topics   int
	services []*traffic.Service
}

// How many topics there are. A first copy of a partition costs brokers dozens of
// requests, and two real ones share the machine with all the others.
const (
	manyTopics = 50
	fewTopics  = 12
	liveTopics = 3
)

// newMigration makes topics and services, and the function that copies. The
// migration's name begins as it is told to.
func newMigration(t *testing.T, w *world, name string, topics int) *migration {
	m := &migration{world: w, topics: topics, name: name + "-" + w.topic[len(w.topic)-8:], operator: &migrate.Operator{
		Clusters: migrate.Clusters{Source: w.source, Target: w.target}, Limits: migrate.Limits{Quiet: time.Second},
	}}
	names := regexp.QuoteMeta(m.topic) + ".*"
	m.plan = migrate.Plan{Name: m.name, Include: []string{names}, Groups: []string{names}}
	for i := range topics {
		m.fill(t, i)
	}
	for i := range liveTopics {
		s := traffic.New(m.topicName(i))
		m.services = append(m.services, s)
		m.start(t, s, w.brokers[0])
	}
	w.run(t,
		emulator.Config{Dir: w.dir, Keep: 2000, Async: emulator.AsyncConfig{RetryInterval: 100 * time.Millisecond}},
		scf.Function{
			Key: "migrate", Name: "migrate", Handler: "main", Runtime: "Go1", MemorySize: 512, Timeout: 5,
			Environment: map[string]string{
				"MIGRATION": m.name, "SOURCE_BROKERS": strings.Join(w.brokers[0].Brokers, ","), "TARGET_BROKERS": strings.Join(w.brokers[1].Brokers, ","),
			},
			Events: []scf.Trigger{{Timer: &scf.TimerTrigger{Name: "continue", Cron: "*/5 * * * * * *", Enabled: true, Qualifier: scf.DefaultQualifier}}},
		}, migratePackage(t))
	return m
}

func (m *migration) topicName(i int) string { return fmt.Sprintf("%s-%d", m.topic, i) }

// fill creates a topic with its own settings, and records unless it is a live
// one: every tenth stays empty.
func (m *migration) fill(t *testing.T, i int) {
	t.Helper()
	settings := sample.TopicSettings()
	switch i % 4 {
	case 1:
		settings["retention.ms"] = "259200000"
	case 2:
		settings["cleanup.policy"] = "compact"
	case 3:
		settings["max.message.bytes"] = "2097152"
	}
	spec := kafka.TopicSpec{Name: m.topicName(i), Partitions: 1 + i%3, Settings: settings}
	if i < liveTopics {
		spec.Settings = sample.TopicSettings()
	}
	if err := m.source.CreateTopic(m.ctx, spec); err != nil {
		t.Fatal(err)
	}
	if i < liveTopics || i%10 == 9 {
		return
	}
	for p := range int32(spec.Partitions) {
		b, err := batch.Build(batch.Options{Codec: codecs[i%len(codecs)]}, sample.Plain(50+i, 100, uint64(i)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.source.ProduceBatches(m.ctx, spec.Name, p, "", []batch.Batch{b}); err != nil {
			t.Fatal(err)
		}
	}
}

func (m *migration) start(t *testing.T, s *traffic.Service, cluster kafka.Config) {
	t.Helper()
	cluster.MetadataTTL = 200 * time.Millisecond
	cluster.DialTimeout = time.Minute // as open
	if err := s.Start(m.ctx, cluster); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Halt() })
}

// move has all services go on at another cluster, under their names there.
func (m *migration) move(t *testing.T, to kafka.Config) {
	t.Helper()
	names, err := mirror.ParseTopicMap(m.plan.Topics)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range m.services {
		s.Rename(names.Target(m.topicName(i)), m.plan.GroupPrefix+s.Group())
		m.start(t, s, to)
	}
	m.more(t)
}

func (m *migration) halt(t *testing.T) {
	t.Helper()
	for _, s := range m.services {
		if err := s.Halt(); err != nil {
			t.Fatal(err)
		}
	}
}

// more waits until all services have written more records.
func (m *migration) more(t *testing.T) {
	t.Helper()
	for _, s := range m.services {
		enough := s.Written() + 200
		m.await(t, "more records", func() (bool, error) { return s.Written() >= enough, nil })
	}
}

// step takes a step as soon as its gates hold.
func (m *migration) step(t *testing.T, name string, take func(context.Context, string) (migrate.State, error)) {
	t.Helper()
	begun := time.Now()
	var last error // why it was refused
	defer func() {
		t.Logf("%s: %s after %v, last refused: %v", m.name, name, time.Since(begun).Round(time.Millisecond), last)
	}()
	m.await(t, name, func() (bool, error) {
		_, err := take(m.ctx, m.name)
		var gates *migrate.GateError
		if err != nil && !errors.As(err, &gates) && !errors.Is(err, migrate.ErrConflict) {
			t.Fatalf("%s: %v", name, err)
		}
		if err != nil {
			last = err
		}
		return err == nil, err
	})
}

// begin plans, starts and verifies, while instances of the function are killed.
func (m *migration) begin(t *testing.T) {
	t.Helper()
	m.more(t)
	preview, err := m.operator.Plan(m.ctx, m.plan)
	if err != nil || len(preview.Conflicts) > 0 || len(preview.Topics) != m.topics {
		t.Fatalf("%d topics are planned, conflicts %v (%v)", len(preview.Topics), preview.Conflicts, err)
	}
	m.step(t, "start", m.operator.Start)
	m.killInstances(t, 3)
	m.awaitStep(t, migrate.DualWriting)
	m.step(t, "verify", m.verify)
}

func (m *migration) verify(ctx context.Context, name string) (migrate.State, error) {
	v, err := m.operator.Verify(ctx, name)
	return v.State, err
}

// killInstances kills the function some times, while services write.
func (m *migration) killInstances(t *testing.T, times int) {
	t.Helper()
	for range times {
		m.await(t, "an instance", func() (bool, error) { return len(m.processes(t)) > 0, nil })
		enough := m.services[0].Written() + rand.Uint64N(300) // when it is killed is chance
		m.await(t, "more records", func() (bool, error) { return m.services[0].Written() >= enough, nil })
		for _, pid := range m.processes(t) {
			kill(t, pid)
		}
	}
}

func (m *migration) awaitStep(t *testing.T, want migrate.Step) {
	t.Helper()
	m.await(t, string(want), func() (bool, error) {
		state, err := migrate.NewStore(m.target).Load(m.ctx, m.name)
		return state.Step == want, err
	})
}

// cutOver moves all services to the target.
func (m *migration) cutOver(t *testing.T) {
	t.Helper()
	var gates *migrate.GateError
	if _, err := m.operator.CutOver(m.ctx, m.name); !errors.As(err, &gates) {
		t.Errorf("while services are at the source: %v, want it refused", err)
	}
	m.halt(t)
	m.step(t, "cutover", m.operator.CutOver)
	m.move(t, m.brokers[1])
}

// requireOnce wants every record of every service to have been read once.
func (m *migration) requireOnce(t *testing.T) {
	t.Helper()
	for _, s := range m.services {
		s.StopWriting()
		m.await(t, "all records to be read", func() (bool, error) {
			lost, _ := s.Tally()
			return lost == 0, fmt.Errorf("%d of %d are not", lost, s.Written())
		})
	}
	m.halt(t)
	for _, s := range m.services {
		if lost, doubled := s.Tally(); lost+doubled > 0 {
			t.Errorf("%d of %d records are lost, %d doubled", lost, s.Written(), doubled)
		}
	}
}

func migratedMany(t *testing.T, w *world) { migrated(t, w, manyTopics) }

func migratedFew(t *testing.T, w *world) { migrated(t, w, fewTopics) }

func migrated(t *testing.T, w *world, topics int) {
	m := newMigration(t, w, "m", topics)
	m.begin(t)
	m.cutOver(t)
	m.step(t, "finish", m.operator.Finish)
	m.requireOnce(t)
	for i := range m.topics {
		source, _, err := w.source.TopicSettings(w.ctx, m.topicName(i))
		if err != nil {
			t.Fatal(err)
		}
		target, _, err := w.target.TopicSettings(w.ctx, m.topicName(i))
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"retention.ms", "cleanup.policy", "max.message.bytes"} {
			if source[key] != target[key] {
				t.Errorf("topic %d: %s is %s on the target, want %s", i, key, target[key], source[key])
			}
		}
	}
}

func rolledBack(t *testing.T, w *world) {
	m := newMigration(t, w, "m", fewTopics)
	m.begin(t)
	m.cutOver(t)
	var gates *migrate.GateError
	if _, err := m.operator.Rollback(m.ctx, m.name); !errors.As(err, &gates) {
		t.Errorf("while services are at the target: %v, want it refused", err)
	}
	m.halt(t)
	m.step(t, "rollback", m.operator.Rollback)
	m.move(t, m.brokers[0])
	m.requireOnce(t)
}
