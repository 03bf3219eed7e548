package migrate_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/migrate"
	"github.com/scf-etl/scf-etl/pkg/migrate/traffic"
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
	name    string
	brokers [2]*localkafka.Cluster // of source and target
	stop    func()                 // ends the runner
	log     lines                  // of the runner
}

func newRig(t *testing.T) *rig {
	t.Helper()
	return newRigFrom(t, "")
}

// newRigFrom is newRig with a source of a release of Kafka, such as "0.10.2".
func newRigFrom(t *testing.T, release string) *rig {
	t.Helper()
	r := &rig{name: "move"}
	releases := [2]string{release}
	var clients [2]*kafka.Client
	for i := range clients {
		var err error
		if r.brokers[i], err = localkafka.Start(localkafka.Config{Version: releases[i]}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.brokers[i].Close() })
		config := kafka.Config{Brokers: r.brokers[i].Brokers(), MetadataTTL: 100 * time.Millisecond}
		if clients[i], err = kafka.Open(testContext(t), config); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { clients[i].Close() })
	}
	r.Operator = &migrate.Operator{
		Clusters: migrate.Clusters{Source: clients[0], Target: clients[1]},
		Limits:   migrate.Limits{Quiet: 200 * time.Millisecond},
	}
	return r
}

// lines keeps what was logged.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (r *rig) plan() migrate.Plan {
	return migrate.Plan{Name: r.name, Include: []string{".*"}, Groups: []string{".*"}}
}

// run has a runner carry the migration out until the test ends or r.stop.
func (r *rig) run(t *testing.T) {
	t.Helper()
	runner, err := migrate.NewRunner(migrate.RunConfig{
		Name: r.name, Clusters: r.Clusters, Watch: 50 * time.Millisecond, GroupInterval: 50 * time.Millisecond,
		Log: func(context.Context) *slog.Logger { return slog.New(slog.NewTextHandler(&r.log, nil)) },
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
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the runner has ended: %v", err)
		}
	})
	t.Cleanup(r.stop)
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

// requireOnce waits until every record that was written is read, and wants each
// read once.
func requireOnce(t *testing.T, s *traffic.Service) {
	t.Helper()
	s.StopWriting()
	await(t, "every record to be read", func() bool {
		lost, _ := s.Tally()
		return lost == 0
	})
	if err := s.Halt(); err != nil {
		t.Error(err)
	}
	if lost, doubled := s.Tally(); lost+doubled > 0 {
		t.Errorf("%d of %d records lost, %d doubled", lost, s.Written(), doubled)
	}
}

func start(t *testing.T, s *traffic.Service, cluster *kafka.Client) {
	t.Helper()
	if err := s.Start(testContext(t), kafka.Config{Brokers: cluster.Brokers(), MetadataTTL: 100 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Halt() })
}

func halt(t *testing.T, services []*traffic.Service) {
	t.Helper()
	for _, s := range services {
		if err := s.Halt(); err != nil {
			t.Fatal(err)
		}
	}
}

// more waits until every service has written more records.
func more(t *testing.T, services []*traffic.Service) {
	t.Helper()
	for _, s := range services {
		enough := s.Written() + 50
		await(t, "more records", func() bool { return s.Written() >= enough })
	}
}

func TestMigration(t *testing.T) {
	t.Parallel()

	// begun is a migration of two written and read topics that is verified.
	begun := func(t *testing.T) (r *rig, services []*traffic.Service) {
		t.Helper()
		r = newRig(t)
		for _, topic := range []string{"orders", "clicks"} {
			if err := r.Source.CreateTopic(testContext(t), kafka.TopicSpec{Name: topic, Partitions: 3, Settings: sample.TopicSettings()}); err != nil {
				t.Fatal(err)
			}
			s := traffic.New(topic)
			services = append(services, s)
			start(t, s, r.Source)
		}
		more(t, services)
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
		return r, services
	}

	// cutOver moves everybody to the target.
	cutOver := func(t *testing.T, r *rig, services []*traffic.Service) {
		t.Helper()
		if _, err := r.CutOver(testContext(t), r.name); err == nil {
			t.Error("it is cut over while producers and consumers are at the source")
		}
		halt(t, services)
		until(t, "cut over", func() error {
			_, err := r.CutOver(testContext(t), r.name)
			return err
		})
		for _, s := range services {
			start(t, s, r.Target)
		}
		more(t, services)
	}

	t.Run("producers and consumers move to the target, and every record is read once", func(t *testing.T) {
		t.Parallel()
		r, services := begun(t)
		cutOver(t, r, services)
		if _, err := r.Finish(testContext(t), r.name); err != nil {
			t.Error(err)
		}
		for _, s := range services {
			requireOnce(t, s)
		}
	})

	t.Run("after the cut-over they can go back, with what was written at the target", func(t *testing.T) {
		t.Parallel()
		r, services := begun(t)
		cutOver(t, r, services)
		if _, err := r.Rollback(testContext(t), r.name); err == nil {
			t.Error("it is rolled back while producers and consumers are at the target")
		}
		halt(t, services)
		until(t, "rolled back", func() error {
			_, err := r.Rollback(testContext(t), r.name)
			return err
		})
		for _, s := range services {
			start(t, s, r.Source)
		}
		more(t, services)
		for _, s := range services {
			requireOnce(t, s)
		}
	})
}
