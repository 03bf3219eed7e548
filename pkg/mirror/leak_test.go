package mirror_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// requireQuiet wants no goroutine of the package to run on.
func requireQuiet(t *testing.T, after string) {
	t.Helper()
	stacks := make([]byte, 4<<20)
	for ctx := testContext(t); ; runtime.Gosched() {
		running := ""
		for stack := range strings.SplitSeq(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
			if strings.Contains(stack, "/pkg/mirror.") && !strings.Contains(stack, "tRunner") {
				running = stack
			}
		}
		if running == "" {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("after %s this runs on:\n%s", after, running)
		}
	}
}

// Not parallel: no other test is in the package's code meanwhile.
func TestNothingRunsOnAfterACall(t *testing.T) {
	s := newSweep(t)
	for _, key := range append(targetRequests(), kmsg.Fetch) {
		w := s.targetWire
		if key == kmsg.Fetch {
			w = s.sourceWire
		}
		s.run++
		ctx, cancel := context.WithCancel(testContext(t))
		w.arm(accident{key: key, at: 1, before: cancel})
		if _, err := s.copier(t).Copy(ctx, []mirror.Range{s.whole}); err == nil && ctx.Err() != nil {
			t.Errorf("cancelled at %s: no error", key.Name())
		}
		cancel()
		w.disarm()
		requireQuiet(t, "a copy that was cancelled at "+key.Name())
	}

	produce(t, s.source, "open", 0, batch.None, 5, sample.Plain(10, 100, 1))
	produceIn(t, transaction(t, s.source, "open"), "open", 0, sample.Plain(5, 100, 1))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	s.run++
	if _, err := s.copier(t).Copy(ctx, []mirror.Range{{Topic: "open", First: 0, Last: 14}}); err == nil {
		t.Error("an open transaction was copied")
	}
	requireQuiet(t, "a copy that met an open transaction")

	left, right := side(t, s.source, "open", 0), side(t, s.source, "t", 0)
	if got, err := mirror.Compare(testContext(t), left, right, nil); err == nil || got.Equal {
		t.Errorf("got %+v, %v, want ErrNotStable", got, err)
	}
	requireQuiet(t, "a comparison that failed")
	if _, err := mirror.CompareTopics(testContext(t), s.source, s.source, "open", "t", mirror.CompareOptions{}); err != nil {
		t.Error(err)
	}
	requireQuiet(t, "a comparison")
}
