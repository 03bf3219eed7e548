package matrix

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/migrate"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// moving is a topic and its group on the way from one release to another, by
// the function migrate.
type moving struct {
	filled
	*migrate.Operator
	plan           migrate.Plan
	source, target cluster
	platform       *emulator.Platform
}

// readers is the group that moves, and readTo where it is in each partition.
const (
	readers = "readers"
	readTo  = 57 // in the middle of a batch
)

func TestMigration(t *testing.T) {
	if *sourceList == "" || *targetList == "" {
		t.Skip("runs on several releases of Kafka: make matrix")
	}
	targets := parseReleases(t, *targetList)
	target := start(t, targets[len(targets)-1])[0]
	for _, release := range parseReleases(t, *sourceList) {
		t.Run("topics and groups move from "+string(release)+" to "+string(target.release), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), copyTimeout)
			defer cancel()
			m := newMoving(t, start(t, release)[0], target)
			if release.before(transactionsSince) {
				m.acceptNoWayBack(t, ctx)
			}
			m.begin(t, ctx)
			m.cutOver(t, ctx)
			if release.before(transactionsSince) {
				m.finish(t, ctx)
			} else {
				m.rollBack(t, ctx)
			}
		})
	}
}

// newMoving fills a topic of the newest format that the source has.
func newMoving(t *testing.T, source, target cluster) *moving {
	t.Helper()
	newest := plain
	if source.before(transactionsSince) {
		newest = formats[1]
	}
	m := &moving{filled: newest.fill(t, source), source: source, target: target, Operator: &migrate.Operator{
		Clusters: migrate.Clusters{Source: source.Client, Target: target.Client}, Limits: migrate.Limits{Quiet: time.Second},
	}}
	for p := range m.codecs {
		m.commit(t, source, int32(p), readTo)
	}
	m.plan = migrate.Plan{Name: "from-" + source.dashed(), Include: []string{m.topic}, Groups: []string{readers}, GroupPrefix: source.dashed() + "-"}
	return m
}

// group is the name of the group on a side.
func (m *moving) group(c cluster) string {
	if c.Client == m.target.Client {
		return m.plan.GroupPrefix + readers
	}
	return readers
}

func (m *moving) commit(t *testing.T, c cluster, partition int32, offset int64) {
	t.Helper()
	if err := c.Commit(t.Context(), m.group(c), m.topic, map[int32]kafka.Committed{partition: {Offset: offset}}); err != nil {
		t.Fatal(err)
	}
}

// position is where the group is on a side.
func (m *moving) position(t *testing.T, c cluster, partition int32) int64 {
	t.Helper()
	committed, err := c.Committed(t.Context(), m.group(c), m.topic, partition)
	if err != nil {
		t.Fatal(err)
	}
	return committed[partition].Offset
}

// acceptNoWayBack wants the plan to say what such a source cannot do, and does
// what the plan says.
func (m *moving) acceptNoWayBack(t *testing.T, ctx context.Context) {
	t.Helper()
	preview, err := m.Plan(ctx, m.plan)
	if err != nil {
		t.Fatal(err)
	}
	want := map[migrate.ConflictKind]string{migrate.CannotReturn: "--no-way-back", migrate.NotCreatable: "create it yourself"}
	for _, c := range preview.Conflicts {
		if choice, ok := want[c.Kind]; !ok || !strings.Contains(c.Choices, choice) {
			t.Errorf("%+v is not wanted (%t), or its choices do not say %q", c, ok, choice)
		}
		delete(want, c.Kind)
	}
	if len(want) > 0 {
		t.Errorf("conflicts are %v, without %v", preview.Conflicts, want)
	}
	var gates *migrate.GateError
	if _, err := m.Start(ctx, m.plan.Name); !errors.As(err, &gates) {
		t.Errorf("start: %v, want it refused", err)
	}
	if _, err := m.Rollback(ctx, m.plan.Name); err != nil {
		t.Fatal(err)
	}
	spec := kafka.TopicSpec{Name: m.topic, Partitions: len(m.codecs), Settings: map[string]string{"retention.ms": "-1"}}
	if err := m.target.CreateTopic(ctx, spec); err != nil {
		t.Fatal(err)
	}
	m.plan.NoWayBack = true
}

// begin plans, copies, verifies by content, and carries the group over.
func (m *moving) begin(t *testing.T, ctx context.Context) {
	t.Helper()
	preview, err := m.Plan(ctx, m.plan)
	if err != nil || len(preview.Conflicts) > 0 || len(preview.Topics) != 1 || len(preview.Groups) != 1 {
		t.Fatalf("plan is %+v (%v)", preview, err)
	}
	m.run(t, ctx)
	m.step(t, ctx, "start", m.Start)
	poll(t, ctx, "the copy to catch up", func() (bool, error) {
		status, err := migrate.Look(ctx, m.Clusters, m.plan.Name)
		return err == nil && status.State.Step == migrate.DualWriting, err
	})
	m.step(t, ctx, "verify", func(ctx context.Context, name string) (migrate.State, error) {
		v, err := m.Verify(ctx, name)
		for _, topic := range v.Topics {
			for i, p := range topic.Partitions {
				if p.Target.Digest != m.digests[i] && err == nil {
					t.Errorf("partition %d: the target's digest is %s, what was produced has %s", i, p.Target.Digest, m.digests[i])
				}
			}
		}
		return v.State, err
	})
}

// run starts a platform with the function until the test ends.
func (m *moving) run(t *testing.T, ctx context.Context) {
	t.Helper()
	platform, err := emulator.New(emulator.Config{
		Dir: t.TempDir(), StartTimeout: patience, Async: emulator.AsyncConfig{RetryInterval: 100 * time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	environment := map[string]string{
		"MIGRATION": m.plan.Name, "SOURCE_BROKERS": strings.Join(m.source.brokers, ","), "TARGET_BROKERS": strings.Join(m.target.brokers, ","),
	}
	for _, side := range []string{"SOURCE_", "TARGET_"} {
		environment[side+"DIAL_TIMEOUT"], environment[side+"REQUEST_TIMEOUT"] = patience.String(), patience.String()
	}
	timer := &scf.TimerTrigger{Name: "continue", Cron: "*/5 * * * * * *", Enabled: true, Qualifier: scf.DefaultQualifier}
	if err := platform.Deploy(ctx, scf.Function{
		Key: "migrate", Name: "migrate", Handler: "main", Runtime: "Go1", MemorySize: 512, Timeout: 5,
		Environment: environment, Events: []scf.Trigger{{Timer: timer}},
	}, migratePackage(t)); err != nil {
		t.Fatal(err)
	}
	m.platform = platform
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- platform.Run(running) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ended, platform.Close()); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			m.report(t)
		}
	})
}

// report shows the last invocations.
func (m *moving) report(t *testing.T) {
	invocations := m.platform.Invocations()
	for _, i := range invocations[max(0, len(invocations)-3):] {
		t.Logf("invocation: %v, error %v, log:\n%s", i.Duration, i.Error, i.Log)
	}
}

// step takes a step as soon as its gates hold.
func (m *moving) step(t *testing.T, ctx context.Context, name string, take func(context.Context, string) (migrate.State, error)) {
	t.Helper()
	poll(t, ctx, name, func() (bool, error) {
		_, err := take(ctx, m.plan.Name)
		var gates *migrate.GateError
		if err != nil && !errors.As(err, &gates) && !errors.Is(err, migrate.ErrConflict) {
			t.Fatalf("%s: %v", name, err)
		}
		return err == nil, err
	})
}

// cutOver wants the group to go on at the same record of each partition.
func (m *moving) cutOver(t *testing.T, ctx context.Context) {
	t.Helper()
	m.step(t, ctx, "cutover", m.CutOver)
	for p := range int32(len(m.codecs)) {
		here, there := m.recordAt(t, ctx, m.source, p), m.recordAt(t, ctx, m.target, p)
		if !bytes.Equal(here.Key, there.Key) || !bytes.Equal(here.Value, there.Value) {
			t.Errorf("partition %d: the group goes on at %q on the target, and was at %q", p, there.Key, here.Key)
		}
	}
}

// recordAt is the first record that the group has not read.
func (m *moving) recordAt(t *testing.T, ctx context.Context, c cluster, partition int32) batch.Record {
	t.Helper()
	fetched, err := c.FetchRecords(ctx, kafka.FetchRequest{
		Topic: m.topic, Partition: partition, Offset: m.position(t, c, partition), MinBytes: 1, MaxBytes: 1 << 20, MaxWait: time.Second, ReadCommitted: true,
	})
	if err != nil || len(fetched.Records) == 0 {
		t.Fatalf("no record where the group is in partition %d of %s (%v)", partition, c.release, err)
	}
	return fetched.Records[0]
}

// finish wants what was written at the target to stay there, and no way back.
func (m *moving) finish(t *testing.T, ctx context.Context) {
	t.Helper()
	m.write(t, ctx)
	if _, err := m.Rollback(ctx, m.plan.Name); !errors.Is(err, migrate.ErrNoWayBack) {
		t.Errorf("rollback: %v, want ErrNoWayBack", err)
	}
	m.step(t, ctx, "finish", m.Finish)
}

// rollBack wants what was written at the target to be at the source, and the
// group to be behind it there.
func (m *moving) rollBack(t *testing.T, ctx context.Context) {
	t.Helper()
	end := m.write(t, ctx)
	m.commit(t, m.target, 0, end)
	m.step(t, ctx, "rollback", m.Rollback)
	offsets, err := m.source.StableOffsets(ctx, m.topic, 0)
	if err != nil {
		t.Fatal(err)
	}
	at := m.position(t, m.source, 0)
	fetched, err := m.source.FetchRecords(ctx, kafka.FetchRequest{Topic: m.topic, Offset: at, MaxBytes: 1 << 20, ReadCommitted: true})
	if err != nil || len(fetched.Records) > 0 || at > offsets[0] {
		t.Errorf("the group is at %d of %d at the source, with %d records to read (%v)", at, offsets[0], len(fetched.Records), err)
	}
	held, err := m.source.FetchRecords(ctx, kafka.FetchRequest{Topic: m.topic, Offset: at - written - 1, MaxBytes: 1 << 20, ReadCommitted: true})
	if err != nil || len(held.Records) < written {
		t.Errorf("%d of the %d records that were written at the target are at the source (%v)", len(held.Records), written, err)
	}
}

// written is how many records are written at the target after the cut-over.
const written = 20

// write appends records to partition 0 of the target, and says where they end.
func (m *moving) write(t *testing.T, ctx context.Context) int64 {
	t.Helper()
	at, err := m.target.Produce(ctx, m.topic, 0, sample.Plain(written, 100, 77)...)
	if err != nil {
		t.Fatal(err)
	}
	return at + written
}
