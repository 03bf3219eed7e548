package emulator_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// Where delivery begins and goes on.
func positionTests() map[string]func(*testing.T) {
	return map[string]func(*testing.T){
		"earliest":        testEarliest,
		"latest":          testLatest,
		"latest-kept":     testLatestKept,
		"timestamp":       testTimestamp,
		"committed-first": testCommittedFirst,
		"gone":            testGone,
		"killed":          testKilled,
		"group":           testGroup,
		"rebalance":       testRebalance,
		"new-partition":   testNewPartition,
	}
}

func from(offset scf.Offset) func(*scf.KafkaTrigger) {
	return func(k *scf.KafkaTrigger) { k.Offset = offset }
}

func testEarliest(t *testing.T) {
	r := newRig(t, 1)
	r.produce(0, "a", "b", "c", "d")
	if err := r.brokers.Fake().DeleteRecords(topic, 0, 2); err != nil {
		t.Fatal(err)
	}
	r.run(trigger(from(scf.Earliest)))
	if got := r.awaitReceived(1)[0].values(); got != "c" {
		t.Errorf("got %q first, want c, the first that is there", got)
	}
}

func testLatest(t *testing.T) {
	r := newRig(t, 1)
	r.produce(0, "a", "b")
	r.run(trigger(from(scf.Latest)))
	r.awaitState(0, emulator.Polling)
	r.produce(0, "c")
	if got := r.awaitReceived(1)[0].values(); got != "c" {
		t.Errorf("got %q first, want c", got)
	}
}

func testLatestKept(t *testing.T) {
	r := newRig(t, 1)
	r.produce(0, "a")
	r.run(trigger(from(scf.Latest)))
	r.awaitState(0, emulator.Polling)
	r.stop()
	if err := r.p.Close(); err != nil {
		t.Fatal(err)
	}
	r.produce(0, "b")
	again := platform(t, r.config)
	r.deployOn(again, trigger(from(scf.Latest)))
	start(t, again)
	if got := r.awaitReceived(1)[0].values(); got != "b" {
		t.Errorf("got %q first, want b", got)
	}
}

func testTimestamp(t *testing.T) {
	r := newRig(t, 2)
	for n, ms := range []int64{1000, 2000, 3000} {
		r.produceRecords(0, batch.Record{Value: fmt.Append(nil, n), Timestamp: ms})
	}
	r.produceRecords(1, batch.Record{Value: []byte("early"), Timestamp: 1000})
	r.run(trigger(from(1500)))
	r.awaitCommitted(0, 3)
	r.produce(1, "later")
	r.awaitCommitted(1, 2)
	var got []string
	for _, d := range r.received() {
		got = append(got, d.values())
	}
	if s := strings.Join(got, " "); s != "1 2 later" {
		t.Errorf("got %q, want the records from 1.5 s on", s)
	}
}

func testCommittedFirst(t *testing.T) {
	r := newRig(t, 1)
	r.produce(0, "a", "b", "c")
	if err := r.client.Commit(t.Context(), group, topic, map[int32]kafka.Committed{0: {Offset: 1}}); err != nil {
		t.Fatal(err)
	}
	r.run(trigger(from(scf.Latest)))
	r.awaitCommitted(0, 3)
	if got := r.received()[0].values(); got != "b" {
		t.Errorf("got %q first, want b", got)
	}
}

func testGone(t *testing.T) {
	r := newRig(t, 1)
	r.produce(0, "a", "b", "c", "d")
	if err := r.client.Commit(t.Context(), group, topic, map[int32]kafka.Committed{0: {Offset: 1}}); err != nil {
		t.Fatal(err)
	}
	if err := r.brokers.Fake().DeleteRecords(topic, 0, 3); err != nil {
		t.Fatal(err)
	}
	r.run(trigger())
	r.awaitCommitted(0, 4)
	if got := r.received(); len(got) != 1 || got[0].values() != "d" {
		t.Errorf("got %d deliveries", len(got))
	}
	if s := r.status(0); s.Lost != 2 || !strings.Contains(s.LastError, "offset 1 to 2 are gone") {
		t.Errorf("status: %+v", s)
	}
}

func testGroup(t *testing.T) {
	r := newRig(t, 2)
	r.run(trigger())
	await(t, "the first has both partitions", func() bool {
		return r.status(0).State == emulator.Polling && r.status(1).State == emulator.Polling
	})
	second := platform(t, r.config)
	r.deployOn(second, trigger())
	stop := start(t, second)
	polling := func(p *emulator.Platform) (n int) {
		for _, s := range p.Triggers()[0].Partitions {
			if s.State == emulator.Polling {
				n++
			}
		}
		return n
	}
	await(t, "each has one partition", func() bool { return polling(r.p) == 1 && polling(second) == 1 })
	r.produce(0, "a", "b")
	r.produce(1, "c", "d")
	r.awaitCommitted(0, 2)
	r.awaitCommitted(1, 2)
	stop()
	await(t, "the first has both partitions again", func() bool { return polling(r.p) == 2 })
	r.produce(0, "e")
	r.produce(1, "f")
	r.awaitCommitted(0, 3)
	r.awaitCommitted(1, 3)
	if got := len(r.received()); got != 6 {
		t.Errorf("%d deliveries of 6 records", got)
	}
}

func testRebalance(t *testing.T) {
	const session = 3 * time.Second
	r := newRig(t, 1, func(c *emulator.Config) { c.Kafka.SessionTimeout = session })
	open, until := gate(t)
	r.do("[" + until + "]")
	r.produce(0, "a")
	r.run(trigger())
	r.awaitReceived(1)
	second := platform(t, r.config)
	r.deployOn(second, trigger())
	start(t, second)
	await(t, "the group waits for the first member", func() bool {
		g := r.brokers.Fake().GroupInfo(group)
		return g != nil && g.State == "PreparingRebalance"
	})
	began := time.Now()
	await(t, "a dead member would have been given up", func() bool { return time.Since(began) > session*5/4 })
	open()
	r.awaitCommitted(0, 1)
	r.produce(0, "b")
	r.awaitCommitted(0, 2)
	if got := len(r.received()); got != 2 {
		t.Errorf("%d deliveries of 2 records", got)
	}
}

func testNewPartition(t *testing.T) {
	r := newRig(t, 1)
	r.run(trigger(from(scf.Earliest)))
	r.awaitState(0, emulator.Polling)
	r.addPartition(2)
	r.produce(1, "a")
	r.awaitCommitted(1, 1)
}
