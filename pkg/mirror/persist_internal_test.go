package mirror

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// lateContext is past its deadline and does not know it yet.
type lateContext struct{ context.Context }

func (lateContext) Deadline() (time.Time, bool) { return time.Now().Add(-time.Millisecond), true }

func TestPersist(t *testing.T) {
	t.Parallel()

	t.Run("what a connection says at the deadline is its end, and no fault of the partition", func(t *testing.T) {
		t.Parallel()
		copier := newPartition(&job{Config: Config{RetryFor: time.Minute}}, "orders", 0)
		timeout := errors.New("i/o timeout")
		_, err := copier.persist(lateContext{t.Context()}, Range{Topic: "orders"}, func(context.Context, *PartitionResult) error { return timeout })
		if !errors.Is(err, timeout) || !strings.Contains(err.Error(), "stopped before") {
			t.Errorf("error is %v, want one that says that it has stopped", err)
		}
	})
}
