package emulator_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// What happens to a batch that fails.
func failureTests() map[string]func(*testing.T) {
	return map[string]func(*testing.T){
		"commit":         testCommit,
		"again":          testAgain,
		"again-timeout":  testAgainTimeout,
		"again-limit":    testAgainLimit,
		"again-exit":     testAgainExit,
		"attempt":        testAttempt,
		"again-panic":    testAgainPanic,
		"again-memory":   testAgainMemory,
		"again-response": testAgainResponse,
		"retry-none":     testRetryNone,
		"interval":       testInterval,
		"retry":          testRetry,
		"retry-drops":    testRetryDrops,
		"others-go-on":   testOthersGoOn,
		"system-error":   testSystemError,
	}
}

func retries(n int) func(*scf.KafkaTrigger) {
	return func(k *scf.KafkaTrigger) { k.Retry = n }
}

func testCommit(t *testing.T) {
	r := newRig(t, 1)
	r.do(`[{"Error":"not yet"}]`)
	r.produce(0, "a", "b")
	r.run(trigger())
	r.awaitReceived(5)
	if got := r.committed(0); got != -1 {
		t.Errorf("committed while every delivery failed: %d", got)
	}
	if s := r.status(0); s.Committed != -1 || s.Lag != 2 || s.Failed < 3 {
		t.Errorf("status: %+v", s)
	}
	r.do(``)
	r.awaitCommitted(0, 2)
}

func testAgain(t *testing.T) {
	r := newRig(t, 1)
	r.do(`[{"Error":"not yet"}]`)
	r.produce(0, "a", "b", "c", "d")
	r.run(trigger(of(2)))
	r.awaitReceived(4)
	r.produce(0, "e", "f") // what comes meanwhile does not join the batch
	r.do(``)
	r.awaitCommitted(0, 6)
	got := r.received()
	failed := slices.IndexFunc(got, func(d delivery) bool { return d.values() != "a b" })
	ids := map[string]bool{}
	for _, d := range got[:failed] {
		if d.Event != got[0].Event {
			t.Errorf("delivered again as %s, first as %s", d.Event, got[0].Event)
		}
		ids[d.RequestID] = true
	}
	if failed < 4 || len(ids) != failed {
		t.Errorf("%d deliveries with %d request ids", failed, len(ids))
	}
	if rest := got[failed:]; len(rest) != 2 || rest[0].values() != "c d" || rest[1].values() != "e f" {
		t.Errorf("afterwards: got %d deliveries", len(rest))
	}
}

func testAgainTimeout(t *testing.T) {
	r := newRig(t, 1)
	r.do(`[{"SleepMS":60000}]`)
	r.produce(0, "a", "b")
	f := scf.Function{
		Name: function, Handler: "main", MemorySize: 256, Timeout: 1,
		Environment: map[string]string{"PROBE_RECORD": r.record, "PROBE_CONTROL": r.control},
	}
	k := trigger(of(2))
	f.Events = []scf.Trigger{{Kafka: &k}}
	if err := r.p.Deploy(t.Context(), f, probeDir); err != nil {
		t.Fatal(err)
	}
	start(t, r.p)
	r.awaitReceived(1)
	r.do(``)
	got := r.awaitReceived(2)
	r.awaitCommitted(0, 2)
	if got[0].Event != got[1].Event || got[0].PID == got[1].PID {
		t.Errorf("got %q in process %d, then %q in %d", got[0].values(), got[0].PID, got[1].values(), got[1].PID)
	}
	if s := r.status(0); !strings.Contains(s.LastError, "timed out after 1 s") || s.Failures != 1 {
		t.Errorf("status: %+v", s)
	}
}

func testAgainLimit(t *testing.T) {
	r := newRig(t, 2, func(c *emulator.Config) { c.MaxInstances = 1 })
	r.do(`[{"SleepMS":300}]`)
	r.produce(0, "a", "b")
	r.produce(1, "c", "d")
	r.run(trigger())
	r.awaitCommitted(0, 2)
	r.awaitCommitted(1, 2)
	if got := len(r.received()); got != 4 {
		t.Errorf("%d deliveries reached the function, want 4", got)
	}
	limited := func(i emulator.Invocation) bool { return kindOf(i) == emulator.KindLimit }
	if !slices.ContainsFunc(r.p.Invocations(), limited) {
		t.Error("no invocation was above the limit, so nothing was shown")
	}
}

func testAgainExit(t *testing.T) {
	r := newRig(t, 1)
	r.do(`[{"Exit":3}]`)
	r.produce(0, "a")
	r.run(trigger())
	r.awaitReceived(2)
	r.do(``)
	r.awaitCommitted(0, 1)
	got := r.received()
	for i := 1; i < len(got); i++ {
		if got[i].Event != got[0].Event || got[i].PID == got[i-1].PID {
			t.Errorf("delivery %d: %q in process %d, before in %d", i, got[i].values(), got[i].PID, got[i-1].PID)
		}
	}
}

func testAttempt(t *testing.T) {
	r := newRig(t, 1)
	r.do(`[{"Error":"not yet"}]`)
	r.produce(0, "a")
	r.run(trigger())
	got := r.awaitReceived(3)
	ids := map[string]bool{}
	for _, d := range got {
		ids[d.RequestID] = true
		// why: everything but the id and the invocation's own times
		if d.Event != got[0].Event || d.Client != got[0].Client || !slices.Equal(d.Environ, got[0].Environ) {
			t.Errorf("delivery %s tells itself apart from the first", d.RequestID)
		}
	}
	if len(ids) != len(got) {
		t.Errorf("%d deliveries with %d request ids", len(got), len(ids))
	}
}

// testAgainAfter wants that a batch comes again after a failure that ends the
// process, byte for byte, in a new one.
func testAgainAfter(t *testing.T, failure, reason string) {
	t.Helper()
	r := newRig(t, 1)
	r.do(failure)
	r.produce(0, "a", "b")
	r.run(trigger(of(2)))
	r.awaitReceived(2)
	r.do(``)
	r.awaitCommitted(0, 2)
	got := r.received()
	for i := 1; i < len(got); i++ {
		if got[i].Event != got[0].Event || got[i].PID == got[i-1].PID {
			t.Errorf("delivery %d: %q in process %d, before in %d", i, got[i].values(), got[i].PID, got[i-1].PID)
		}
	}
	if s := r.status(0); !strings.Contains(s.LastError, reason) {
		t.Errorf("last error: got %q, want %q in it", s.LastError, reason)
	}
}

func testAgainPanic(t *testing.T) { testAgainAfter(t, `[{"Panic":"nil map"}]`, "nil map") }

func testAgainMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells the memory of another process")
	}
	testAgainAfter(t, `[{"HoldMB":400},{"SleepMS":60000}]`, "its memory is 256 MB")
}

func testAgainResponse(t *testing.T) {
	testAgainAfter(t, `[{"Respond":6291457}]`, "the response has 6291457 bytes")
}

func testRetryNone(t *testing.T) {
	r := newRig(t, 1)
	r.do(`[{"Error":"no such table"}]`)
	r.produce(0, "a", "b")
	r.run(trigger(retries(0)))
	if s := r.awaitState(0, emulator.Stalled); !strings.Contains(s.Reason, "failed 1 times") {
		t.Errorf("reason: got %q", s.Reason)
	}
	if got := len(r.received()); got != 1 {
		t.Errorf("%d deliveries, want one", got)
	}
}

func testInterval(t *testing.T) {
	clock := newFakeClock()
	r := newRig(t, 1, func(c *emulator.Config) {
		c.Clock = clock
		c.Kafka.RetryInterval = 0 // the default, which is the cloud's
	})
	r.do(`[{"Error":"not yet"}]`)
	r.produce(0, "a")
	r.run(trigger())
	for n := 1; n <= 3; n++ {
		r.awaitReceived(n)
		await(t, "the next delivery is due in a minute", func() bool { return clock.waiting(time.Minute) })
		s := r.status(0)
		if s.State != emulator.Retrying || s.Failed != n || !s.Next.Equal(clock.Now().Add(time.Minute)) {
			t.Errorf("after %d failures: %+v", n, s)
		}
		clock.advance(59 * time.Second)
		if got := len(r.received()); got != n {
			t.Errorf("after 59 s: %d deliveries, want %d", got, n)
		}
		clock.advance(time.Second)
	}
}

func testRetry(t *testing.T) {
	r := newRig(t, 1)
	r.do(`[{"Error":"no such table"}]`)
	r.produce(0, "a", "b")
	r.run(trigger(retries(3)))
	s := r.awaitState(0, emulator.Stalled)
	if got := len(r.received()); got != 4 {
		t.Errorf("%d deliveries, want the first and 3 repeats", got)
	}
	for _, want := range []string{"failed 4 times", "offsets 0-0", "no such table"} {
		if !strings.Contains(s.Reason, want) {
			t.Errorf("reason: got %q, want %q in it", s.Reason, want)
		}
	}
	if got := r.committed(0); got != -1 {
		t.Errorf("committed %d", got)
	}
	// closed and opened it tries again, and nothing was lost
	r.do(``)
	for _, enabled := range []bool{false, true} {
		if err := r.p.UpdateTrigger(t.Context(), function, onKafka(trigger(retries(3), func(k *scf.KafkaTrigger) { k.Enabled = enabled }))); err != nil {
			t.Fatal(err)
		}
	}
	r.awaitCommitted(0, 2)
}

func testRetryDrops(t *testing.T) {
	r := newRig(t, 1, func(c *emulator.Config) { c.Kafka.AfterLastRetry = emulator.Drop })
	r.do(`[{"Error":"no such table"}]`)
	r.produce(0, "a", "b", "c")
	r.run(trigger(of(2), retries(2)))
	r.awaitCommitted(0, 2)
	r.do(``)
	r.produce(0, "d")
	r.awaitCommitted(0, 4)
	got := r.received()
	if len(got) < 4 || got[2].values() != "a b" || got[3].values() != "c d" {
		t.Errorf("got %d deliveries", len(got))
	}
	if s := r.status(0); s.Dropped != 2 || s.Delivered != 2 || !strings.Contains(s.LastError, "no such table") {
		t.Errorf("status: %+v", s)
	}
}

func testOthersGoOn(t *testing.T) {
	r := newRig(t, 2)
	r.produce(0, strings.Repeat("x", scf.MaxSyncPayload+1))
	r.produce(1, "a", "b", "c")
	r.run(trigger())
	r.awaitState(0, emulator.Stalled)
	r.awaitCommitted(1, 3)
}

func testSystemError(t *testing.T) {
	clock := newFakeClock()
	var broken atomic.Bool
	broken.Store(true)
	r := newRig(t, 1, func(c *emulator.Config) {
		c.Clock = clock
		c.Kafka.BackOffMin, c.Kafka.BackOffMax = time.Second, 5*time.Second
		c.Credentials = func(context.Context) (emulator.Credentials, error) {
			if broken.Load() {
				return emulator.Credentials{}, errors.New("the role service is away")
			}
			return emulator.Credentials{}, nil
		}
	})
	r.produce(0, "a")
	r.run(trigger(retries(0)))
	for n, pause := range []time.Duration{1, 2, 4, 5, 5} {
		pause *= time.Second
		await(t, fmt.Sprintf("fault %d is waited out for %v", n, pause), func() bool {
			return clock.waiting(pause) && r.status(0).Failures == int64(n+1)
		})
		s := r.status(0)
		if s.State != emulator.BackingOff || s.Failed != 0 || !strings.Contains(s.Reason, "the role service is away") {
			t.Errorf("after fault %d: %+v", n, s)
		}
		clock.advance(pause)
	}
	await(t, "the last fault is waited out", func() bool { return clock.waiting(5*time.Second) && r.status(0).Failures == 6 })
	broken.Store(false)
	clock.advance(5 * time.Second)
	r.awaitCommitted(0, 1)
}
