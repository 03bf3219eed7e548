package migrate_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/migrate"
)

const testTimeout = 2 * time.Minute

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	t.Cleanup(cancel)
	return ctx
}

// rig is a migration between two embedded clusters.
type rig struct {
	*migrate.Operator
	name string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	client := func() *kafka.Client {
		brokers, err := localkafka.Start(localkafka.Config{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { brokers.Close() })
		c, err := kafka.Open(testContext(t), kafka.Config{Brokers: brokers.Brokers(), MetadataTTL: 100 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	return &rig{name: "move", Operator: &migrate.Operator{
		Clusters: migrate.Clusters{Source: client(), Target: client()},
		Limits:   migrate.Limits{Quiet: 200 * time.Millisecond},
	}}
}

func (r *rig) plan() migrate.Plan {
	return migrate.Plan{Name: r.name, Include: []string{".*"}, Groups: []string{".*"}}
}

// run has a runner carry the migration out until the test ends or it is stopped.
func (r *rig) run(t *testing.T) (stop func()) {
	t.Helper()
	runner, err := migrate.NewRunner(migrate.RunConfig{
		Name: r.name, Clusters: r.Clusters, Watch: 50 * time.Millisecond, GroupInterval: 50 * time.Millisecond,
		Log: func(context.Context) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		for ctx.Err() == nil {
			if _, err := runner.Run(ctx); err != nil {
				ended <- err
				return
			}
		}
		ended <- nil
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the runner has ended: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for ctx := testContext(t); !holds(); {
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}

func (r *rig) awaitStep(t *testing.T, want migrate.Step) {
	t.Helper()
	await(t, string(want), func() bool {
		status, err := migrate.Look(testContext(t), r.Clusters, r.name)
		return err == nil && status.State.Step == want
	})
}

// until takes a step as soon as its gates hold.
func until(t *testing.T, what string, step func() error) {
	t.Helper()
	var last error
	await(t, what, func() bool {
		last = step()
		var gates *migrate.GateError
		if last != nil && !errors.As(last, &gates) && !errors.Is(last, migrate.ErrConflict) {
			t.Fatalf("%s: %v", what, last)
		}
		return last == nil
	})
}

// service writes numbered records to a topic, and reads them in a group.
type service struct {
	topic string
	next  atomic.Int64 // number of the next record

	mu   sync.Mutex
	read map[string]int // how often each was read
}

func (s *service) start(t *testing.T, brokers []string, produce, consume bool) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	if produce {
		client := client(t, brokers)
		running.Go(func() {
			defer client.Close()
			for ctx.Err() == nil {
				value := fmt.Sprintf("%s-%d", s.topic, s.next.Load())
				record := &kgo.Record{Topic: s.topic, Key: fmt.Append(nil, s.next.Load()%7), Value: []byte(value)}
				if err := client.ProduceSync(context.WithoutCancel(ctx), record).FirstErr(); err != nil {
					t.Errorf("produce %s: %v", value, err)
					return
				}
				s.next.Add(1)
				select {
				case <-ctx.Done():
				case <-time.After(time.Millisecond):
				}
			}
		})
	}
	if consume {
		client := client(t, brokers, kgo.ConsumerGroup("readers-"+s.topic), kgo.ConsumeTopics(s.topic), kgo.DisableAutoCommit(),
			kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
		running.Go(func() {
			defer client.Close()
			for {
				fetches := client.PollFetches(ctx)
				if ctx.Err() != nil {
					return
				}
				s.mu.Lock()
				fetches.EachRecord(func(r *kgo.Record) { s.read[string(r.Value)]++ })
				s.mu.Unlock()
				if err := client.CommitUncommittedOffsets(context.WithoutCancel(ctx)); err != nil {
					t.Errorf("commit: %v", err)
				}
			}
		})
	}
	return sync.OnceFunc(func() {
		cancel()
		running.Wait()
	})
}

func client(t *testing.T, brokers []string, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append(options, kgo.SeedBrokers(brokers...), kgo.MetadataMinAge(50*time.Millisecond), kgo.ProducerLinger(0))...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// requireOnce waits until every record was read, and wants each read once.
func (s *service) requireOnce(t *testing.T) {
	t.Helper()
	await(t, "every record of "+s.topic+" to be read", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.read) >= int(s.next.Load())
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	for value, times := range s.read {
		if times != 1 {
			t.Errorf("%s was read %d times", value, times)
		}
	}
}

func TestMigration(t *testing.T) {
	t.Parallel()

	// begun is a migration of two written and read topics that is verified.
	begun := func(t *testing.T) (r *rig, services []*service, stop []func()) {
		t.Helper()
		r = newRig(t)
		for _, topic := range []string{"orders", "clicks"} {
			if err := r.Source.CreateTopic(testContext(t), kafka.TopicSpec{Name: topic, Partitions: 3, Settings: sample.TopicSettings()}); err != nil {
				t.Fatal(err)
			}
			s := &service{topic: topic, read: map[string]int{}}
			services = append(services, s)
			stop = append(stop, s.start(t, r.Source.Brokers(), true, true))
		}
		preview, err := r.Plan(testContext(t), r.plan())
		if err != nil || len(preview.Conflicts) > 0 || len(preview.Topics) != 2 {
			t.Fatalf("plan is %+v (%v)", preview, err)
		}
		if _, err := r.Start(testContext(t), r.name); err != nil {
			t.Fatal(err)
		}
		r.run(t)
		r.awaitStep(t, migrate.DualWriting)
		until(t, "verified", func() error {
			_, err := r.Verify(testContext(t), r.name)
			return err
		})
		return r, services, stop
	}

	// cutOver moves everybody to the target.
	cutOver := func(t *testing.T, r *rig, services []*service, stop []func()) {
		t.Helper()
		if _, err := r.CutOver(testContext(t), r.name); err == nil {
			t.Error("it is cut over while producers and consumers are at the source")
		}
		for i := range services {
			stop[i]()
		}
		until(t, "cut over", func() error {
			_, err := r.CutOver(testContext(t), r.name)
			return err
		})
		for i, s := range services {
			stop[i] = s.start(t, r.Target.Brokers(), true, true)
		}
	}

	t.Run("producers and consumers move to the target, and every record is read once", func(t *testing.T) {
		t.Parallel()
		r, services, stop := begun(t)
		cutOver(t, r, services, stop)
		moved := services[0].next.Load()
		await(t, "more records", func() bool { return services[0].next.Load() > moved+50 })
		if _, err := r.Finish(testContext(t), r.name); err != nil {
			t.Error(err)
		}
		for i, s := range services {
			stop[i]()
			stop[i] = s.start(t, r.Target.Brokers(), false, true)
			s.requireOnce(t)
			stop[i]()
		}
	})

	t.Run("after the cut-over they can go back, with what was written at the target", func(t *testing.T) {
		t.Parallel()
		r, services, stop := begun(t)
		cutOver(t, r, services, stop)
		moved := services[0].next.Load()
		await(t, "more records", func() bool { return services[0].next.Load() > moved+50 })
		if _, err := r.Rollback(testContext(t), r.name); err == nil {
			t.Error("it is rolled back while producers and consumers are at the target")
		}
		for i := range services {
			stop[i]()
		}
		until(t, "rolled back", func() error {
			_, err := r.Rollback(testContext(t), r.name)
			return err
		})
		for i, s := range services {
			stop[i] = s.start(t, r.Source.Brokers(), true, true)
			back := s.next.Load()
			await(t, "more records", func() bool { return s.next.Load() > back+20 })
			stop[i]()
			stop[i] = s.start(t, r.Source.Brokers(), false, true)
			s.requireOnce(t)
			stop[i]()
		}
	})
}
