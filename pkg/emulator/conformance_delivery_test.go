package emulator_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// How batches are made and handed over.
func deliveryTests() map[string]func(*testing.T) {
	return map[string]func(*testing.T){
		"event":              testEvent,
		"no-headers":         testNoHeaders,
		"partition-spelling": testPartitionSpelling,
		"no-partial-success": testNoPartialSuccess,
		"null-key":           testNullKey,
		"text-only":          testTextOnly,
		"max-msg-num":        testMaxMsgNum,
		"time-out":           testTimeOut,
		"event-limit":        testBatchLimit,
		"large-record":       testLargeRecord,
		"too-large-stalls":   testTooLargeStalls,
		"too-large-drops":    testTooLargeDrops,
		"one-partition":      testOnePartition,
		"in-turn":            testInTurn,
		"side-by-side":       testSideBySide,
		"success":            testSuccess,
		"transactions":       testTransactions,
	}
}

// of returns a change of the trigger's maxMsgNum.
func of(records int) func(*scf.KafkaTrigger) {
	return func(k *scf.KafkaTrigger) { k.MaxMsgNum = records }
}

func testEvent(t *testing.T) {
	r := newRig(t, 1)
	r.produceRecords(0,
		batch.Record{Key: []byte("k"), Value: []byte(`say "hi"`), Headers: []batch.Header{{Key: "h", Value: []byte("v")}}, Timestamp: 1},
		batch.Record{Key: []byte(""), Value: []byte("二")})
	r.run(trigger(of(2)))
	got := r.awaitReceived(1)[0].Event
	want := `{"Records":[` +
		`{"Ckafka":{"topic":"orders","partition":0,"offset":0,"msgKey":"k","msgBody":"say \"hi\""}},` +
		`{"Ckafka":{"topic":"orders","partition":0,"offset":1,"msgKey":"","msgBody":"二"}}]}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

func testNoHeaders(t *testing.T) {
	r := newRig(t, 1)
	for n, h := range []batch.Header{{Key: "trace", Value: []byte("one")}, {Key: "other", Value: []byte("two")}} {
		r.produceRecords(0, batch.Record{Key: []byte("k"), Value: []byte("v"), Headers: []batch.Header{h}, Timestamp: int64(n+1) * 1e12})
	}
	r.run(trigger())
	got := r.awaitReceived(2)
	if other := strings.Replace(got[1].Event, `"offset":1`, `"offset":0`, 1); other != got[0].Event {
		t.Errorf("two records that differ in headers and time make different events:\n%s\n%s", got[0].Event, got[1].Event)
	}
}

func testPartitionSpelling(t *testing.T) {
	for _, tt := range []struct {
		capital bool
		want    string
	}{{false, `"partition":1,`}, {true, `"Partition":1,`}} {
		t.Run(tt.want, func(t *testing.T) {
			r := newRig(t, 2, func(c *emulator.Config) { c.Kafka.CapitalPartition = tt.capital })
			r.produce(1, "v")
			r.run(trigger())
			got := r.awaitReceived(1)[0]
			if !strings.Contains(got.Event, tt.want) || got.kafka.Records[0].Partition != 1 {
				t.Errorf("got %s, want %s in it", got.Event, tt.want)
			}
		})
	}
}

func testNoPartialSuccess(t *testing.T) {
	r := newRig(t, 1)
	r.do(`[{"Answer":"{\"batchItemFailures\":[{\"itemIdentifier\":0}],\"errorCode\":1,\"errorMessage\":\"failed\"}"}]`)
	r.produce(0, "a", "b", "c", "d")
	r.run(trigger(of(2)))
	r.awaitCommitted(0, 4)
	if got := r.received(); len(got) != 2 || got[0].values() != "a b" || got[1].values() != "c d" {
		t.Errorf("%d deliveries of 2 batches", len(got))
	}
}

func testNullKey(t *testing.T) {
	for _, tt := range []struct {
		empty bool
		want  string
	}{{false, `"msgKey":"None"`}, {true, `"msgKey":""`}} {
		t.Run(tt.want, func(t *testing.T) {
			r := newRig(t, 1, func(c *emulator.Config) { c.Kafka.EmptyNullKey = tt.empty })
			r.produce(0, "v")
			r.run(trigger())
			if got := r.awaitReceived(1)[0].Event; !strings.Contains(got, tt.want) {
				t.Errorf("got %s, want %s in it", got, tt.want)
			}
		})
	}
}

func testTextOnly(t *testing.T) {
	r := newRig(t, 1)
	r.produceRecords(0, batch.Record{Key: []byte{0xff, 'k'}, Value: []byte{'a', 0x80, 0x00, 'b'}}, batch.Record{Value: nil})
	r.run(trigger(of(2)))
	got := r.awaitReceived(1)[0].kafka.Records
	if string(got[0].Key) != "\uFFFDk" || string(got[0].Body) != "a\uFFFD\x00b" {
		t.Errorf("bytes that are no text: got key %q, body %q", got[0].Key, got[0].Body)
	}
	if got[1].Body == nil || len(got[1].Body) != 0 {
		t.Errorf("a tombstone: got body %q, want an empty one", got[1].Body)
	}
}

func testMaxMsgNum(t *testing.T) {
	r := newRig(t, 1)
	r.produce(0, "a", "b", "c", "d", "e", "f")
	r.run(trigger(of(3)))
	got := r.awaitReceived(2)
	if got[0].values() != "a b c" || got[1].values() != "d e f" {
		t.Errorf("got %q and %q", got[0].values(), got[1].values())
	}
}

func testTimeOut(t *testing.T) {
	r := newRig(t, 1)
	r.run(trigger(of(1000), func(k *scf.KafkaTrigger) { k.TimeOut = 2 }))
	r.awaitState(0, emulator.Polling)
	r.produce(0, "a")
	began := time.Now()
	r.produce(0, "b")
	got := r.awaitReceived(1)[0]
	if got.values() != "a b" {
		t.Errorf("got %q, want both records in one batch", got.values())
	}
	if took := got.Time.Sub(began); took < 1900*time.Millisecond || took > 8*time.Second {
		t.Errorf("delivered after %v, want about 2 s", took)
	}
}

func testBatchLimit(t *testing.T) {
	r := newRig(t, 1)
	const size = 700_000
	for range 12 {
		r.produce(0, strings.Repeat("x", size))
	}
	r.run(trigger(of(1000)))
	r.awaitCommitted(0, 12)
	next := int64(0)
	for i, d := range r.received() {
		if len(d.Event) > scf.MaxSyncPayload {
			t.Errorf("event %d has %d bytes", i, len(d.Event))
		}
		for _, rec := range d.kafka.Records {
			if rec.Offset != next || len(rec.Body) != size {
				t.Fatalf("got offset %d with %d bytes, want %d", rec.Offset, len(rec.Body), next)
			}
			next++
		}
	}
	if got := len(r.received()[0].kafka.Records); got != scf.MaxSyncPayload/(size+100) {
		t.Errorf("the first batch has %d records, want as many as fit", got)
	}
}

func testLargeRecord(t *testing.T) {
	r := newRig(t, 1)
	r.produce(0, "small")
	r.produce(0, strings.Repeat("x", scf.MaxSyncPayload))
	r.produce(0, "small")
	r.run(trigger(of(1000)))
	r.awaitCommitted(0, 3)
	var sizes []int
	for _, d := range r.received() {
		for _, rec := range d.kafka.Records {
			sizes = append(sizes, len(rec.Body))
		}
		sizes = append(sizes, -1) // the end of a batch
	}
	if want := []int{5, -1, scf.MaxSyncPayload, -1, 5, -1}; !slices.Equal(sizes, want) {
		t.Errorf("got bodies %v, want %v", sizes, want)
	}
}

func testTooLargeStalls(t *testing.T) {
	r := newRig(t, 1)
	r.produce(0, "small")
	r.produce(0, strings.Repeat("x", scf.MaxSyncPayload+1))
	r.produce(0, "small")
	r.run(trigger())
	s := r.awaitState(0, emulator.Stalled)
	for _, want := range []string{"offset 1", "6291457 bytes", "6291456"} {
		if !strings.Contains(s.Reason, want) {
			t.Errorf("reason: got %q, want %q in it", s.Reason, want)
		}
	}
	r.awaitCommitted(0, 1)
	if got := len(r.received()); got != 1 {
		t.Errorf("%d deliveries, want the one before it", got)
	}
}

func testTooLargeDrops(t *testing.T) {
	r := newRig(t, 1, func(c *emulator.Config) { c.Kafka.Oversize = emulator.Drop })
	r.produce(0, "before")
	r.produce(0, strings.Repeat("x", scf.MaxSyncPayload+1))
	r.produce(0, "after")
	r.run(trigger())
	r.awaitCommitted(0, 3)
	if got := r.received(); got[0].values() != "before" || got[1].values() != "after" {
		t.Errorf("got %d deliveries", len(got))
	}
	if s := r.status(0); s.Dropped != 1 || !strings.Contains(s.LastError, "offset 1") {
		t.Errorf("status: %+v", s)
	}
}

func testOnePartition(t *testing.T) {
	const partitions, records = 3, 200
	r := newRig(t, partitions)
	for n := range records {
		for p := range int32(partitions) {
			r.produce(p, fmt.Sprintf("%d-%d", p, n))
		}
	}
	r.run(trigger(of(7)))
	for p := range int32(partitions) {
		r.awaitCommitted(p, records)
	}
	next := map[int32]int64{}
	for _, d := range r.received() {
		if n := len(d.kafka.Ranges()); n != 1 {
			t.Fatalf("a batch holds %d partitions", n)
		}
		for _, rec := range d.kafka.Records {
			if want := fmt.Sprintf("%d-%d", rec.Partition, next[rec.Partition]); rec.Offset != next[rec.Partition] || string(rec.Body) != want {
				t.Fatalf("got %q at offset %d, want %q", rec.Body, rec.Offset, want)
			}
			next[rec.Partition]++
		}
	}
}

func testInTurn(t *testing.T) {
	r := newRig(t, 1)
	const took = 60
	r.do(fmt.Sprintf(`[{"SleepMS":%d}]`, took))
	r.produce(0, "a", "b", "c", "d", "e")
	r.run(trigger())
	got := r.awaitReceived(5)
	for i := 1; i < len(got); i++ {
		if gap := got[i].Time.Sub(got[i-1].Time); gap < took*time.Millisecond {
			t.Errorf("batch %d began %v after the one before, which took %d ms", i, gap, took)
		}
	}
	if got[0].PID != got[4].PID {
		t.Error("one partition kept more than one instance busy")
	}
}

func testSideBySide(t *testing.T) {
	const partitions = 4
	r := newRig(t, partitions)
	open, until := gate(t)
	r.do("[" + until + "]")
	for p := range int32(partitions) {
		r.produce(p, "a", "b")
	}
	r.run(trigger())
	got := r.awaitReceived(partitions)
	open()
	pids := map[int]bool{}
	for _, d := range got {
		pids[d.PID] = true
		if d.values() != "a" {
			t.Errorf("got %q while the first batches were not done", d.values())
		}
	}
	if len(pids) != partitions {
		t.Errorf("%d partitions were delivered to %d processes at once", partitions, len(pids))
	}
}

func testSuccess(t *testing.T) {
	r := newRig(t, 1)
	r.do(`[{"Respond":100}]`) // no JSON object, and no status of any kind
	r.produce(0, "a", "b")
	r.run(trigger())
	r.awaitCommitted(0, 2)
	if got := len(r.received()); got != 2 {
		t.Errorf("%d deliveries of 2 records", got)
	}
}

func testTransactions(t *testing.T) {
	for _, tt := range []struct {
		uncommitted bool
		want        string
	}{{false, "plain committed last"}, {true, "plain aborted committed last"}} {
		t.Run(fmt.Sprintf("read uncommitted is %v", tt.uncommitted), func(t *testing.T) {
			r := newRig(t, 1, func(c *emulator.Config) { c.Kafka.ReadUncommitted = tt.uncommitted })
			r.produce(0, "plain")
			r.transaction("aborted", false)
			r.transaction("committed", true)
			r.produce(0, "last")
			r.run(trigger())
			r.awaitCommitted(0, 6) // two control markers among them
			var got []string
			for _, d := range r.received() {
				got = append(got, d.values())
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("got %q, want %q", s, tt.want)
			}
		})
	}
}
