package kafkatest

import (
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
)

const closeTimeout = time.Minute

// Pair is the source and the target of a copy: two clusters that share
// nothing.
type Pair struct{ Source, Target *Cluster }

// StartPair starts both clusters at the same time, each as cfg says. When one
// does not start, neither stays. The caller closes the pair.
func StartPair(ctx context.Context, cfg Config) (Pair, error) {
	var pair Pair
	starts, startCtx := errgroup.WithContext(ctx)
	starts.Go(func() (err error) {
		pair.Source, err = Start(startCtx, cfg)
		return err
	})
	starts.Go(func() (err error) {
		pair.Target, err = Start(startCtx, cfg)
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
	ctx  context.Context // of the run: a start does not end with the test that caused it
	once sync.Once
	pair Pair
	err  error

	starts sync.WaitGroup // clusters that are starting, the pair's apart
	mu     sync.Mutex
	own    map[*Cluster]bool // started by Start and not closed yet
	closed bool
}

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
	s.once.Do(func() { s.pair, s.err = StartPair(s.ctx, Config{}) })
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.pair
}

// New starts a cluster of the test's own, which is removed when the test or the
// run ends. It skips or fails the test as Pair does.
func (s *Shared) New(t testing.TB, cfg Config) *Cluster {
	t.Helper()
	cluster, err := s.Start(t, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return cluster
}

// Start is New for a test of what does not start: it returns the error.
func (s *Shared) Start(t testing.TB, cfg Config) (*Cluster, error) {
	t.Helper()
	Require(t)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, errors.New("start a cluster: the run of the tests is over")
	}
	s.starts.Add(1)
	s.mu.Unlock()
	defer s.starts.Done()

	cluster, err := Start(s.ctx, cfg)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.own == nil {
		s.own = map[*Cluster]bool{}
	}
	s.own[cluster] = true
	t.Cleanup(func() {
		if err := s.remove(cluster); err != nil {
			t.Error(err)
		}
	})
	return cluster, nil
}

func (s *Shared) remove(cluster *Cluster) error {
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
