package mirror_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

func TestCopyFencing(t *testing.T) {
	t.Parallel()

	t.Run("instances that copy one partition at the same time copy it once", func(t *testing.T) {
		t.Parallel()
		source, target := pair(t)
		createTopic(t, source, kafka.TopicSpec{Name: "t"})
		createTopic(t, target, kafka.TopicSpec{Name: "t"})
		const records = 1000
		produce(t, source, "t", 0, batch.None, 5, sample.Plain(records, 100, 1))
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				c := copier(t, mirror.Config{Source: source, Target: target, ChunkBytes: 2000, TransactionBytes: 4000})
				for first := int64(0); first < records; first += 100 {
					for { // the platform delivers again after an error
						_, err := c.Copy(testContext(t), []mirror.Range{rangeOf(first, first+99)})
						if err == nil {
							break
						}
						if !errors.Is(err, kafka.ErrFenced) {
							t.Error(err)
							return
						}
					}
				}
			})
		}
		wg.Wait()
		requireCopied(t, source, target, "t", records)
	})

	t.Run("two calls of one instance for the same partition wait for each other", func(t *testing.T) {
		t.Parallel()
		source, target := filled(t)
		c := copier(t, mirror.Config{Source: source, Target: target, ChunkBytes: 500})
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if _, err := c.Copy(testContext(t), []mirror.Range{rangeOf(0, 99)}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		requireCopied(t, source, target, "t", 100)
		// nobody was fenced: the batches and one marker for each of the transactions
		if epoch := stored(t, side(t, target, "t", 0))[9].Batch.ProducerEpoch(); epoch != 0 {
			t.Errorf("the producer is in epoch %d, want 0", epoch)
		}
	})

	t.Run("a call whose context ends while another has the partition says so", func(t *testing.T) {
		t.Parallel()
		s := newSweep(t)
		c := s.copier(t)
		holding, release := make(chan struct{}), make(chan struct{})
		s.targetWire.arm(accident{key: kmsg.Produce, before: func() { close(holding); <-release }})
		done := make(chan error, 1)
		go func() {
			_, err := c.Copy(testContext(t), []mirror.Range{s.whole})
			done <- err
		}()
		<-holding
		ctx, cancel := context.WithCancelCause(t.Context())
		gone := errors.New("gone")
		cancel(gone)
		if _, err := c.Copy(ctx, []mirror.Range{s.whole}); !errors.Is(err, gone) {
			t.Errorf("got %v, want the cause %v", err, gone)
		}
		close(release)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// An instance is paused at a request, a newer one does the work, and then the
// request reaches the broker after all.
func TestCopyPausedInstance(t *testing.T) {
	t.Parallel()
	for _, killed := range []bool{false, true} {
		name := "an instance that resumes after a newer one doubles nothing"
		if killed {
			name = "an instance whose time is over writes nothing more, though its last request comes late"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSweep(t)
			for _, key := range targetRequests() {
				for at, more := 0, true; more; at++ {
					s.next(t, fmt.Sprintf("paused at %s request %d", key.Name(), at), true, func(old *mirror.Copier) {
						more = s.pause(t, old, key, at, killed)
					})
				}
			}
			t.Logf("%d runs", s.run)
		})
	}
}

// pause holds one request of the old instance back until a newer one is done;
// it says whether there was such a request.
func (s *sweep) pause(t *testing.T, old *mirror.Copier, key kmsg.Key, at int, killed bool) bool {
	ctx, kill := context.WithCancel(testContext(t))
	defer kill()
	held, release := make(chan struct{}), make(chan struct{})
	s.targetWire.arm(accident{key: key, at: at, before: func() { close(held); <-release }})
	done := make(chan error, 1)
	go func() {
		_, err := old.Copy(ctx, []mirror.Range{s.whole})
		done <- err
	}()
	select {
	case <-held:
	case err := <-done: // it needed no such request
		s.targetWire.disarm()
		if err != nil {
			t.Fatal(err)
		}
		return false
	}
	if killed {
		kill()
		if err := <-done; err == nil {
			t.Errorf("paused at %s request %d: no error, though it was killed", key.Name(), at)
		}
	}
	copyRange(t, s.copier(t), s.whole)
	close(release)
	if !killed {
		if err := <-done; err != nil && !errors.Is(err, kafka.ErrFenced) {
			t.Errorf("paused at %s request %d: %v", key.Name(), at, err)
		}
	}
	s.targetWire.disarm()
	return true
}
