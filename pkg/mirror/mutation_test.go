package mirror_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// mutation is one thing that can have happened to a copy.
type mutation struct {
	name  string
	apply func(random *rand.Rand, records []batch.Record, at int) []batch.Record // nil: not to this record
	index int                                                                    // of the first difference, from at on
	field string
}

// flip changes one bit of a copy of b.
func flip(random *rand.Rand, b []byte) []byte {
	b = slices.Clone(b)
	b[random.IntN(len(b))] ^= 1 << random.IntN(8)
	return b
}

// otherEmpty makes null of empty, and empty of anything else.
func otherEmpty(b []byte) []byte {
	if b != nil && len(b) == 0 {
		return nil
	}
	return []byte{}
}

// change is a mutation of one record.
func change(name, field string, f func(random *rand.Rand, r *batch.Record) bool) mutation {
	return mutation{name, func(random *rand.Rand, records []batch.Record, at int) []batch.Record {
		r := records[at].Clone()
		if !f(random, &r) {
			return nil
		}
		records[at] = r
		return records
	}, 0, field}
}

var mutations = []mutation{
	change("flip a bit of the key", mirror.FieldKey, func(random *rand.Rand, r *batch.Record) bool {
		if len(r.Key) == 0 {
			return false
		}
		r.Key = flip(random, r.Key)
		return true
	}),
	change("flip a bit of the value", mirror.FieldValue, func(random *rand.Rand, r *batch.Record) bool {
		if len(r.Value) == 0 {
			return false
		}
		r.Value = flip(random, r.Value)
		return true
	}),
	change("null for empty in the key, or empty for what was there", mirror.FieldKey, func(_ *rand.Rand, r *batch.Record) bool {
		r.Key = otherEmpty(r.Key)
		return true
	}),
	change("null for empty in the value, or empty for what was there", mirror.FieldValue, func(_ *rand.Rand, r *batch.Record) bool {
		r.Value = otherEmpty(r.Value)
		return true
	}),
	change("another time", mirror.FieldTimestamp, func(random *rand.Rand, r *batch.Record) bool {
		r.Timestamp += 1 << random.IntN(20)
		return true
	}),
	change("a header more", mirror.FieldHeaders, func(random *rand.Rand, r *batch.Record) bool {
		r.Headers = slices.Insert(r.Headers, random.IntN(len(r.Headers)+1), batch.Header{Key: "more"})
		return true
	}),
	change("a header less", mirror.FieldHeaders, func(random *rand.Rand, r *batch.Record) bool {
		if len(r.Headers) == 0 {
			return false
		}
		i := random.IntN(len(r.Headers))
		r.Headers = slices.Delete(r.Headers, i, i+1)
		return true
	}),
	change("null for empty in a header, or empty for what was there", mirror.FieldHeaders, func(random *rand.Rand, r *batch.Record) bool {
		if len(r.Headers) == 0 {
			return false
		}
		h := &r.Headers[random.IntN(len(r.Headers))]
		h.Value = otherEmpty(h.Value)
		return true
	}),
	{"drop", func(_ *rand.Rand, records []batch.Record, at int) []batch.Record {
		return slices.Delete(records, at, at+1)
	}, 0, mirror.FieldMissing},
	{"duplicate", func(_ *rand.Rand, records []batch.Record, at int) []batch.Record {
		return slices.Insert(records, at, records[at])
	}, 1, mirror.FieldExtra},
	{"swap", func(_ *rand.Rand, records []batch.Record, at int) []batch.Record {
		if at+1 == len(records) {
			return nil
		}
		records[at], records[at+1] = records[at+1], records[at]
		return records
	}, 0, mirror.FieldOrder},
}

// Every mutation of a copy is found, and where it is: 10,000 of them, by seed.
func TestMutations(t *testing.T) {
	t.Parallel()
	count := 10_000
	if testing.Short() {
		count = 1000
	}
	const workers = 4
	client, _ := cluster(t, localkafka.Config{})
	small, _ := special()
	original := slices.Concat(sample.Plain(20, 60, 1), small, sample.Plain(20, 60, 2))
	createTopic(t, client, kafka.TopicSpec{Name: "original", Settings: sample.TopicSettings()})
	createTopic(t, client, kafka.TopicSpec{Name: "copies", Partitions: workers, Settings: sample.TopicSettings()})
	produce(t, client, "original", 0, batch.None, 9, original)
	source := side(t, client, "original", 0)

	var group errgroup.Group
	for worker := range workers {
		group.Go(func() error {
			for seed := worker; seed < count; seed += workers {
				if err := mutate(t, client, source, original, int32(worker), uint64(seed)); err != nil {
					return fmt.Errorf("seed %d: %w", seed, err)
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}

// mutate appends a mutated copy to a partition and compares it.
func mutate(t *testing.T, client *kafka.Client, source mirror.Side, original []batch.Record, partition int32, seed uint64) error {
	random := rand.New(rand.NewPCG(seed, 7))
	var m mutation
	var copied []batch.Record
	at := 0
	for copied == nil {
		m, at = mutations[random.IntN(len(mutations))], random.IntN(len(original))
		copied = m.apply(random, slices.Clone(original), at)
		if copied != nil && at+1 < len(original) && len(copied) == len(original) && m.name != "swap" && reflect.DeepEqual(copied[at], original[at+1]) {
			copied = nil // it is the next one now: as if this one was dropped
		}
	}
	var all []batch.Batch
	for rest, codec := copied, batch.Codec(random.IntN(5)); len(rest) > 0; {
		n := min(1+random.IntN(30), len(rest))
		b, err := batch.Build(batch.Options{Codec: codec}, rest[:n])
		if err != nil {
			return err
		}
		all, rest = append(all, b), rest[n:]
	}
	offsets, err := client.ProduceBatches(t.Context(), "copies", partition, "", all)
	if err != nil {
		return err
	}
	first := offsets[0]
	target := mirror.Side{Client: client, Topic: "copies", Partition: partition, First: first, End: first + int64(len(copied))}
	got, err := mirror.Compare(t.Context(), source, target, nil)
	if err != nil {
		return err
	}
	d := got.Difference
	if got.Equal || d == nil {
		return fmt.Errorf("%s at %d is not found", m.name, at)
	}
	if d.Index != int64(at+m.index) || d.Field != m.field {
		return fmt.Errorf("%s at %d is found as %s at %d (%v)", m.name, at, d.Field, d.Index, d)
	}
	if d.Source != nil && d.Source.Offset != source.First+d.Index || d.Target != nil && d.Target.Offset != first+d.Index {
		return fmt.Errorf("%s at %d is found at other offsets: %v", m.name, at, d)
	}
	return nil
}
