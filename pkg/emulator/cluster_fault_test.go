package emulator_test

import (
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

// TestClusterFaults shows that a trigger waits out what a cluster may do, says
// so, and loses and doubles nothing.
func TestClusterFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		fault kfake.Fault
		// seen is where the trouble is told while it lasts
		seen func(*rig) string
	}{
		{"reads that fail are waited out", kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.NotLeaderForPartition, Count: -1},
			func(r *rig) string { return r.status(0).LastError }},
		{"commits that fail are tried again before the next batch", kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.CoordinatorLoadInProgress, Count: -1},
			func(r *rig) string { return r.status(0).LastError }},
		{"a start position that cannot be asked for is asked for again", kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, Err: kerr.TopicAuthorizationFailed, Count: -1},
			func(r *rig) string { return r.p.Triggers()[0].Error }},
		{"a group that cannot be joined is joined later", kfake.Fault{Keys: []kmsg.Key{kmsg.JoinGroup}, TopLevel: true, Err: kerr.GroupAuthorizationFailed, Count: -1},
			func(r *rig) string { return r.p.Triggers()[0].Error }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, 1)
			r.produce(0, "a", "b")
			fault := r.brokers.Fake().Fault(tt.fault)
			r.run(trigger())
			await(t, "the trouble is told", func() bool { return tt.seen(r) != "" })
			t.Logf("told: %s", tt.seen(r))
			fault.Remove()
			r.awaitCommitted(0, 2)
			if got := len(r.received()); got != 2 {
				t.Errorf("%d deliveries of 2 records", got)
			}
			await(t, "all is well", func() bool { return r.status(0).State == emulator.Polling && r.p.Triggers()[0].Error == "" })
		})
	}
	t.Run("brokers that go away and come back are found again", testClusterRestart)
}

func testClusterRestart(t *testing.T) {
	r := newRig(t, 1)
	config := localkafka.Config{Dir: t.TempDir(), Topics: map[string]int32{topic: 1}}
	first, err := localkafka.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	r.reconnect(first)
	r.produce(0, "a")
	r.run(trigger())
	r.awaitCommitted(0, 1)
	_, port, err := net.SplitHostPort(first.Brokers()[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	await(t, "the trouble is told", func() bool {
		return strings.Contains(r.p.Triggers()[0].Error+r.status(0).LastError, "refused")
	})
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	config.Ports = []int{n}
	second, err := localkafka.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = second.Close() })
	r.produce(0, "b")
	r.awaitCommitted(0, 2)
}
