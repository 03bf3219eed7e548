package kafkatest

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
)

const closeTimeout = time.Minute

// Pair is the source and the target of a copy: two clusters that share
// nothing.
type Pair struct{ Source, Target *Cluster }

// StartPair starts both clusters at the same time, each as cfg says. When one
// does not start, neither stays. The caller closes the pair.
func StartPair(ctx context.Context, cfg Config) (Pair, error) { return startPair(ctx, cfg, cfg) }

func startPair(ctx context.Context, source, target Config) (Pair, error) {
	var pair Pair
	starts, startCtx := errgroup.WithContext(ctx)
	starts.Go(func() (err error) {
		pair.Source, err = Start(startCtx, source)
		return err
	})
	starts.Go(func() (err error) {
		pair.Target, err = Start(startCtx, target)
		return err
	})
	if err := starts.Wait(); err != nil {
		return Pair{}, errors.Join(err, pair.Close(context.WithoutCancel(ctx)))
	}
	return pair, nil
}

// Close removes both clusters.
func (p Pair) Close(ctx context.Context) error {
	var errs []error
	for _, cluster := range []*Cluster{p.Source, p.Target} {
		if cluster != nil {
			errs = append(errs, cluster.Close(ctx))
		}
	}
	return errors.Join(errs...)
}

// Shared is the one pair of clusters that the tests of a package use. It
// starts when the first test asks for it, and ends with the run: a run without
// such a test starts nothing. Its zero value is ready.
type Shared struct {
	// Room is how many nodes may live at a time beside the pair (3 by default):
	// each is a Java process that a machine of two cores has to start.
	Room int64

	ctx  context.Context // of the run: a start does not end with the test that caused it
	once sync.Once
	pair Pair
	err  error

	starts sync.WaitGroup // clusters that are starting, the pair's apart
	mu     sync.Mutex
	slots  *semaphore.Weighted // for nodes beside the pair
	own    map[closer]bool     // started for a test and not closed yet
	closed bool
}

type closer interface{ Close(context.Context) error }

const defaultRoom = 3

// roomTimeout is how long a test waits for that room: far longer than others
// need it.
const roomTimeout = 15 * time.Minute

// Run runs the tests of a package, removes the clusters and returns the exit
// code. An interrupt ends the run, and the clusters with it.
func (s *Shared) Run(m interface{ Run() int }) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s.ctx = ctx
	codes := make(chan int, 1)
	go func() { codes <- m.Run() }()
	code := 130 // of a process that an interrupt ended
	select {
	case code = <-codes:
	case <-ctx.Done():
		stop() // a second interrupt ends the process at once
	}
	if err := s.close(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "kafkatest:", err)
		code = max(code, 1)
	}
	return code
}

func (s *Shared) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.once.Do(func() {}) // after this no pair starts, and a start under way is over
	s.starts.Wait()
	errs := []error{s.pair.Close(ctx)}
	s.mu.Lock()
	defer s.mu.Unlock()
	for cluster := range s.own {
		errs = append(errs, cluster.Close(ctx))
	}
	return errors.Join(errs...)
}

// Pair returns the shared clusters. Where they cannot be had it skips the test,
// and says why and what to do about it; with ETL_REQUIRE_DOCKER=1 it fails the
// test instead.
//
// Tests run side by side on the pair: each keeps to topics, groups and
// transactional ids of its own, see Topic. One that stops a broker starts its
// own with New.
func (s *Shared) Pair(t testing.TB) Pair {
	t.Helper()
	Require(t)
	// why the long session: nobody restarts these brokers, so one that the
	// machine keeps from its heartbeats is busy, not dead
	busy := Config{Settings: map[string]string{"broker.session.timeout.ms": "60000"}}
	s.once.Do(func() { s.pair, s.err = StartPair(s.ctx, busy) })
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.pair
}

// New starts a cluster of the test's own, which is removed when the test or the
// run ends. It skips or fails the test as Pair does, and waits while other
// tests have as many nodes as the machine should carry: a test that needs
// several clusters asks for them at once, with NewPair, and has no parallel
// subtests: those wait for tests that may wait for its nodes.
func (s *Shared) New(t testing.TB, cfg Config) *Cluster {
	t.Helper()
	cluster, err := s.Start(t, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return cluster
}

// NewPair is New for a source and a target that are the test's own.
func (s *Shared) NewPair(t testing.TB, source, target Config) Pair {
	t.Helper()
	pair, err := own(s, t, 2, func(ctx context.Context) (Pair, error) { return startPair(ctx, source, target) })
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// NewNodes is New for one cluster of several nodes, three at most.
func (s *Shared) NewNodes(t testing.TB, count int, cfg Config) *Nodes {
	t.Helper()
	nodes, err := own(s, t, int64(count), func(ctx context.Context) (*Nodes, error) { return StartNodes(ctx, count, cfg) })
	if err != nil {
		t.Fatal(err)
	}
	return nodes
}

// Start is New for a test of what does not start: it returns the error.
func (s *Shared) Start(t testing.TB, cfg Config) (*Cluster, error) {
	t.Helper()
	return own(s, t, 1, func(ctx context.Context) (*Cluster, error) { return Start(ctx, cfg) })
}

// own starts what a test has for itself, once there is room for so many nodes.
func own[C interface {
	comparable
	closer
}](s *Shared, t testing.TB, count int64, start func(context.Context) (C, error)) (C, error) {
	t.Helper()
	Require(t)
	var none C
	slots, err := s.begin()
	if err != nil {
		return none, err
	}
	defer s.starts.Done()
	if count > s.room() {
		return none, fmt.Errorf("start %d nodes: there is never room for more than %d (Shared.Room)", count, s.room())
	}
	waiting, cancel := context.WithTimeout(s.ctx, roomTimeout)
	defer cancel()
	if err := slots.Acquire(waiting, count); err != nil {
		return none, fmt.Errorf("wait for room for %d nodes (does a test that has nodes of its own run parallel subtests?): %w", count, err)
	}
	cluster, err := start(s.ctx)
	if err != nil {
		slots.Release(count)
		return none, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.own == nil {
		s.own = map[closer]bool{}
	}
	s.own[cluster] = true
	t.Cleanup(func() {
		defer slots.Release(count)
		if err := s.remove(cluster); err != nil {
			t.Error(err)
		}
	})
	return cluster, nil
}

// begin counts a start that is under way.
func (s *Shared) begin() (*semaphore.Weighted, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.New("start a cluster: the run of the tests is over")
	}
	if s.slots == nil {
		s.slots = semaphore.NewWeighted(s.room())
	}
	s.starts.Add(1)
	return s.slots, nil
}

func (s *Shared) room() int64 { return cmp.Or(s.Room, defaultRoom) }

func (s *Shared) remove(cluster closer) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), closeTimeout)
	defer cancel()
	s.mu.Lock()
	delete(s.own, cluster)
	s.mu.Unlock()
	return cluster.Close(ctx)
}

// Topic returns a name that no other test uses, that says whose it is and that
// Kafka takes as the name of a topic.
func Topic(t testing.TB) string { return topicFor(t.Name()) }

func topicFor(test string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-':
			return r
		}
		return '-' // "." and "_" too: Kafka takes names that differ in them alone for a clash
	}, test)
	return name[:min(len(name), 120)] + "-" + rand.Text()[:8]
}
