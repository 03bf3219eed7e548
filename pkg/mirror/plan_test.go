package mirror

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// randomLog is a log as a broker may have stored it, and what a reader sees of it.
type randomLog struct {
	units   []Unit
	aborted []kafka.AbortedTransaction
	visible []batch.Record // with their offsets
	end     int64
}

func newRandomLog(r *rand.Rand) randomLog {
	var log randomLog
	compacted, open := r.IntN(2) == 0, int64(0) // the producer of a transaction that will be aborted
	for range 1 + r.IntN(25) {
		if compacted && r.IntN(3) == 0 {
			log.end += int64(r.IntN(20))
		}
		switch kind := r.IntN(12); {
		case kind == 0 && compacted:
			log.add(CraftBatch(log.end, Craft{LastDelta: int32(r.IntN(9))})) // emptied
		case kind == 1 && open == 0:
			open = 1 + r.Int64N(5)
			log.aborted = append(log.aborted, kafka.AbortedTransaction{ProducerID: open, FirstOffset: log.end})
			log.transactional(r, open, false)
		case kind == 2 && open != 0:
			log.transactional(r, open, false)
		case kind == 3 && open != 0:
			log.add(marker(log.end, open))
			open = 0
		case kind == 4:
			log.transactional(r, 9, true)
			log.add(marker(log.end, 9))
		case kind == 5:
			record := randomRecords(r, 1)[0]
			record.Offset, record.Headers = log.end, nil
			log.add(CraftMessage(1, record), record)
		default:
			log.plain(r, compacted)
		}
	}
	return log
}

func (l *randomLog) add(u Unit, visible ...batch.Record) {
	l.units = append(l.units, u)
	l.visible = append(l.visible, visible...)
	l.end = u.Last + 1
}

// transactional adds a batch of a producer.
func (l *randomLog) transactional(r *rand.Rand, producer int64, visible bool) {
	records := numbered(randomRecords(r, 1+r.IntN(5)), l.end, r, false)
	u := CraftBatch(l.end, Craft{Attributes: BitTransactional, Producer: producer}, records...)
	if !visible {
		records = nil
	}
	l.add(u, records...)
}

func marker(offset, producer int64) Unit {
	return CraftBatch(offset, Craft{Attributes: BitTransactional | BitControl, Producer: producer},
		batch.Record{Offset: offset, Key: []byte{0, 0, 0, 0}, Value: []byte{0, 0, 0, 0, 0, 0}})
}

func (l *randomLog) plain(r *rand.Rand, compacted bool) {
	records := randomRecords(r, 1+r.IntN(12))
	if r.IntN(3) == 0 {
		records = numbered(records, l.end, r, compacted)
		attributes := int16(0)
		if r.IntN(3) == 0 {
			attributes = BitLogAppendTime
			for i := range records {
				records[i].Timestamp = 777
			}
			l.add(CraftBatch(l.end, Craft{Attributes: attributes, MaxTime: 777, LastDelta: int32(r.IntN(3))}, records...), records...)
			return
		}
		l.add(CraftBatch(l.end, Craft{LastDelta: int32(r.IntN(3))}, records...), records...)
		return
	}
	records = numbered(records, l.end, r, false)
	b, err := batch.Build(batch.Options{Codec: someCodec(r)}, records)
	if err != nil {
		panic(err)
	}
	binary.BigEndian.PutUint64(b, uint64(l.end)) // the base offset is not in the checksum
	l.add(Unit{b, b.LastOffset()}, records...)
}

// someCodec is none as a rule: an encoder costs more than all the rest.
func someCodec(r *rand.Rand) batch.Codec { return batch.Codec(max(0, r.IntN(20)-15)) }

// numbered gives records offsets from base on, with holes where compacted.
func numbered(records []batch.Record, base int64, r *rand.Rand, compacted bool) []batch.Record {
	for i := range records {
		if compacted {
			base += r.Int64N(3)
		}
		records[i].Offset = base
		base++
	}
	return records
}

func randomRecords(r *rand.Rand, n int) []batch.Record {
	records := make([]batch.Record, n)
	field := func() []byte {
		if r.IntN(6) == 0 {
			return nil
		}
		return bytes.Repeat([]byte{byte(r.IntN(256)), byte(r.IntN(256))}, r.IntN(60))
	}
	for i := range records {
		records[i] = batch.Record{Timestamp: r.Int64N(1 << 41), Key: field(), Value: field()}
		for range r.IntN(3) {
			records[i].Headers = append(records[i].Headers, batch.Header{Key: fmt.Sprint(r.IntN(3)), Value: field()})
		}
	}
	return records
}

// answer is what a broker gives for a fetch: whole batches from the one that
// holds the offset on.
func (l randomLog) answer(r *rand.Rand, offset int64) kafka.FetchResponse {
	answer := kafka.FetchResponse{HighWatermark: l.end, LastStable: l.end}
	most := 1 + r.IntN(6)
	for _, u := range l.units {
		if u.Last < offset || most == 0 {
			continue
		}
		answer.Batches = append(answer.Batches, u.Bytes...)
		most--
	}
	for _, a := range l.aborted {
		// those whose marker is before the offset are over
		over := slices.ContainsFunc(l.units, func(u Unit) bool {
			b := batch.Batch(u.Bytes)
			return u.Bytes[16] == 2 && b.Control() && b.ProducerID() == a.ProducerID && b.BaseOffset() > a.FirstOffset && u.Last < offset
		})
		if !over {
			answer.Aborted = append(answer.Aborted, a)
		}
	}
	return answer
}

// copyLog plans the log from an offset to the end of a range, fetch by fetch,
// and gives what the target's partitions would hold, decoded.
func copyLog(t *testing.T, r *rand.Rand, log randomLog, p *partition, first, last int64) (got map[int32][]batch.Record, next int64) {
	t.Helper()
	compacts := true
	p.next = first
	reader := newReader(p, nil, last, nil)
	reader.compacts = &compacts
	got, next = map[int32][]batch.Record{}, first
	for reader.next <= last {
		ok := reader.plan(t.Context(), log.answer(r, reader.next), func(c *chunk, err error) bool {
			if err != nil {
				t.Fatalf("plan: %v", err)
			}
			if c.next <= next {
				t.Fatalf("a chunk's checkpoint is %d after %d", c.next, next)
			}
			next = c.next
			for target, all := range c.batches {
				for _, b := range all {
					got[target.partition] = append(got[target.partition], written(t, p, b)...)
				}
			}
			return true
		})
		if !ok {
			t.Fatal("the plan ended early")
		}
	}
	return got, next
}

// written is what a broker has after a batch was produced.
func written(t *testing.T, p *partition, b batch.Batch) []batch.Record {
	t.Helper()
	if limit := p.target.maxBytes; limit > 0 && len(b) > limit {
		t.Fatalf("a batch of %d bytes for a target that takes %d", len(b), limit)
	}
	b = bytes.Clone(b)
	if err := b.Stamp(batch.Producer{ID: 5, Epoch: 1, Transactional: true}); err != nil {
		t.Fatalf("a batch that no broker takes: %v", err)
	}
	if p.Codec != nil && b.Codec() != *p.Codec && b.Codec() != batch.None {
		t.Fatalf("a batch with codec %v, want %v", b.Codec(), *p.Codec)
	}
	var records []batch.Record
	for record, err := range b.Records(nil) {
		if err != nil {
			t.Fatal(err)
		}
		record.Offset = 0
		records = append(records, record.Clone())
	}
	return records
}

// checkPlan wants of a random log, range and target exactly the visible
// records, in order.
func checkPlan(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	log := newRandomLog(r)
	first := r.Int64N(log.end)
	last := first + r.Int64N(log.end-first)
	p := newPartition(&job{Config: Config{ChunkBytes: 1 + r.IntN(5000)}}, "t", 1)
	p.source = kafka.Topic{Name: "t", ID: kafka.TopicID{1}, Partitions: make([]kafka.Partition, 3)}
	p.target = targetTopic{name: "t", partitions: 3}
	if r.IntN(3) == 0 {
		p.target.partitions = 1 + r.Int32N(6)
	}
	if r.IntN(3) == 0 {
		p.target.maxBytes = 600 + r.IntN(1000) // a record takes less
	}
	if r.IntN(4) == 0 {
		p.ceiling = 100 + r.IntN(500)
	}
	if codec := someCodec(r); r.IntN(3) == 0 {
		p.Codec = &codec
	}

	got, next := copyLog(t, r, log, p, first, last)
	if next <= last {
		t.Fatalf("the checkpoint is %d, want it beyond %d", next, last)
	}
	want := map[int32][]batch.Record{}
	planner := newPlanner(p, nil, 0)
	for _, record := range log.visible {
		if record.Offset >= first && record.Offset < next {
			target := planner.route(record).partition
			record.Offset = 0
			want[target] = append(want[target], record)
		}
	}
	for target := range p.target.partitions {
		if digestOf(want[target]) != digestOf(got[target]) {
			t.Errorf("seed %d, offsets %d to %d, target partition %d: records (-want +got):\n%s", seed, first, last, target, cmp.Diff(want[target], got[target]))
		}
	}
}

// digestOf is much faster than a diff.
func digestOf(records []batch.Record) string {
	var d batch.Digest
	for _, r := range records {
		d.Add(r)
	}
	return d.String()
}

func TestPlanGivesExactlyTheVisibleRecords(t *testing.T) {
	t.Parallel()
	for seed := range uint64(1000) {
		checkPlan(t, seed)
	}
}

func FuzzPlan(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { checkPlan(t, seed) })
}

func TestPlanOfDamagedBytesNeverPanics(t *testing.T) {
	t.Parallel()
	for seed := range uint64(1000) {
		r := rand.New(rand.NewPCG(seed, 2))
		log := newRandomLog(r)
		answer := log.answer(r, 0)
		answer.Batches[r.IntN(len(answer.Batches))] ^= 1 << r.IntN(8)
		compacts := true
		p := newPartition(&job{Config: Config{ChunkBytes: 1000}}, "t", 0)
		p.source, p.target, p.next = kafka.Topic{ID: kafka.TopicID{1}, Partitions: make([]kafka.Partition, 1)}, targetTopic{name: "t", partitions: 1}, 0
		reader := newReader(p, nil, log.end-1, nil)
		reader.compacts = &compacts
		reader.plan(t.Context(), answer, func(*chunk, error) bool { return true })
	}
}

func TestPlanDropsAChunkThatCannotBeBuilt(t *testing.T) {
	t.Parallel()
	p := &planner{topic: "t", target: targetTopic{name: "t", partitions: 1}, builders: map[destination]*building{}, pool: &sync.Pool{}}
	p.begin(0, 0)
	unknown := batch.Codec(6)
	for offset := range int64(3) {
		if err := p.build(p.here(), 0, unknown, batch.Record{Offset: offset}); err != nil {
			t.Fatal(err)
		}
		p.chunk.next = offset + 1
	}
	if c, err := p.end(); err == nil || c != nil {
		t.Errorf("got chunk %+v and %v, want no chunk, whose checkpoint would be a lie", c, err)
	}
}

func TestPlanStopsBeforeARecordThatIsTooLarge(t *testing.T) {
	t.Parallel()
	for _, partitions := range []int32{1, 3} {
		p := &planner{topic: "t", target: targetTopic{name: "t", partitions: partitions, maxBytes: 500}, byKey: partitions > 1, builders: map[destination]*building{}, pool: &sync.Pool{}}
		p.begin(0, 0)
		var fault error
		var records []batch.Record
		for offset := range int64(10) {
			r := batch.Record{Offset: offset, Key: fmt.Append(nil, offset), Value: make([]byte, 10)}
			if offset == 7 {
				r.Value = make([]byte, 1000)
			}
			records = append(records, r)
		}
		for _, r := range records {
			if fault = p.copy(batch.None, r); fault != nil {
				break
			}
			p.chunk.next = r.Offset + 1
		}
		var tooLarge *TooLargeError
		if !errors.As(fault, &tooLarge) || tooLarge.Offset != 7 || tooLarge.Limit != 500 {
			t.Fatalf("got %v, want a TooLargeError at offset 7", fault)
		}
		c, err := p.end()
		if err != nil || c.next != 7 || c.records != 7 {
			t.Errorf("to %d partitions: the chunk before it ends at %d with %d records (%v), want 7 and 7", partitions, c.next, c.records, err)
		}
	}
}

func TestPortableSettings(t *testing.T) {
	t.Parallel()
	own := map[string]string{"retention.ms": "1", "min.insync.replicas": "2", "message.format.version": "2.0"}
	all := maps.Clone(own)
	all["message.timestamp.type"], all["max.message.bytes"] = "LogAppendTime", "2000000"
	want := map[string]string{"retention.ms": "1", "message.timestamp.type": "CreateTime", "max.message.bytes": "2000000"}
	if diff := cmp.Diff(want, portable(all, own)); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	all["message.timestamp.type"], all["max.message.bytes"] = "CreateTime", "1000012"     // the defaults, or less
	want = map[string]string{"retention.ms": "1", "message.timestamp.type": "CreateTime"} // the target's default may be another
	if diff := cmp.Diff(want, portable(all, own)); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

func TestMetadataOfOtherTextIsUnknown(t *testing.T) {
	t.Parallel()
	known := note{identity: identity{Source: "a", Target: "b", Epoch: 3}, mapState: mapState{Since: 7, Runs: OffsetMap{[]run{{1, 2, 3}, {9, 6, 1}}}}}
	if got := decodeNote(known.encode()); !reflect.DeepEqual(got, known) {
		t.Errorf("got %+v, want %+v", got, known)
	}
	for _, text := range []string{"", "host-1", "{", `{"source":7}`, "null"} {
		if got := decodeNote(text); !reflect.DeepEqual(got, note{}) {
			t.Errorf("%q is %+v, want nothing known", text, got)
		}
	}
}
