package mirror_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// at gives records the offsets that they have in a log.
func at(records []batch.Record, offsets ...int64) []batch.Record {
	out := make([]batch.Record, len(offsets))
	for i, offset := range offsets {
		out[i] = records[i]
		out[i].Offset = offset
	}
	return out
}

// What a producer cannot write but a broker may have stored.
func TestCopyStoredForms(t *testing.T) {
	t.Parallel()
	records := sample.Plain(20, 100, 1)
	small, _ := special()
	second := make([]batch.Record, len(small)) // with offsets and times as in a log
	for i, r := range small {
		r.Offset = int64(i)
		second[i] = r
	}

	for _, c := range []struct {
		name    string
		policy  string
		units   []mirror.Unit
		records int
		passed  int
		check   func(t *testing.T, got []batch.Record)
	}{
		{
			name:   "batches with holes in them, emptied batches and holes between batches of a compacted topic",
			policy: "compact",
			units: []mirror.Unit{
				mirror.CraftBatch(0, mirror.Craft{LastDelta: 9}, at(records, 2, 3, 7)...),
				mirror.CraftBatch(10, mirror.Craft{LastDelta: 4}),
				mirror.CraftBatch(30, mirror.Craft{}, at(records[3:], 30, 31, 32)...),
				mirror.CraftBatch(40, mirror.Craft{LastDelta: 9}, at(records[6:], 49)...),
				mirror.CraftBatch(90, mirror.Craft{LastDelta: 9}),
			},
			records: 7, passed: 1,
		},
		{
			name:   "a batch that compaction has given a delete horizon",
			policy: "compact,delete",
			units: []mirror.Unit{
				mirror.CraftBatch(0, mirror.Craft{Attributes: mirror.BitDeleteHorizon, BaseTime: records[0].Timestamp + 12345}, at(records, 0, 1, 2)...),
				mirror.CraftBatch(3, mirror.Craft{Attributes: mirror.BitDeleteHorizon, BaseTime: records[0].Timestamp + 99999, LastDelta: 5}, at(records[3:], 3, 6)...),
			},
			records: 5, passed: 1,
			check: func(t *testing.T, got []batch.Record) {
				for i, r := range got {
					if r.Timestamp != records[i].Timestamp {
						t.Errorf("record %d has timestamp %d, want %d", i, r.Timestamp, records[i].Timestamp)
					}
				}
			},
		},
		{
			name:    "records whose time the broker has set keep that time",
			units:   []mirror.Unit{mirror.CraftBatch(0, mirror.Craft{Attributes: mirror.BitLogAppendTime, MaxTime: 1_700_000_000_000}, at(records, 0, 1, 2)...)},
			records: 3,
			check: func(t *testing.T, got []batch.Record) {
				for i, r := range got {
					if r.Timestamp != 1_700_000_000_000 {
						t.Errorf("record %d has timestamp %d, want the broker's", i, r.Timestamp)
					}
				}
			},
		},
		{
			name: "messages of format 0 and 1 beside batches",
			units: []mirror.Unit{
				mirror.CraftMessage(0, at(records, 0)[0]),
				mirror.CraftMessage(0, batch.Record{Offset: 1, Key: nil, Value: []byte{}}),
				mirror.CraftMessage(0, batch.Record{Offset: 2, Key: []byte{}, Value: nil}),
				mirror.CraftMessage(1, at(records, 3)[0]),
				mirror.CraftBatch(4, mirror.Craft{}, at(records, 4, 5)...),
				mirror.CraftBatch(6, mirror.Craft{}, at(records, 6)...),
			},
			records: 7, passed: 2,
			check: func(t *testing.T, got []batch.Record) {
				if got[0].Timestamp != -1 || got[3].Timestamp != records[0].Timestamp {
					t.Errorf("timestamps are %d and %d, want -1 and %d", got[0].Timestamp, got[3].Timestamp, records[0].Timestamp)
				}
				if got[1].Key != nil || got[1].Value == nil || got[2].Key == nil || got[2].Value != nil {
					t.Errorf("nil and empty were mixed up: %+v, %+v", got[1], got[2])
				}
			},
		},
		{
			name:   "every special record from a batch that must be built anew",
			policy: "compact",
			units: []mirror.Unit{
				mirror.CraftBatch(0, mirror.Craft{LastDelta: int32(len(second)) + 5}, second...),
			},
			records: len(second),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			source, brokers := cluster(t, localkafka.Config{})
			target, _ := cluster(t, localkafka.Config{})
			settings := map[string]string{"retention.ms": "-1"}
			if c.policy != "" {
				settings["cleanup.policy"] = c.policy
			}
			createTopic(t, source, kafka.TopicSpec{Name: "t", Settings: settings})
			end := serve(t, brokers.Fake(), "t", c.units...)
			got := copyRange(t, copier(t, mirror.Config{Source: source, Target: target}), rangeOf(0, end-1)).Partitions[0]
			if got.Next != end || got.Records != int64(c.records) || got.Passed != c.passed {
				t.Errorf("got %+v, want %d records up to %d and %d batches passed on", got, c.records, end, c.passed)
			}
			copied := side(t, target, "t", 0)
			requireEqual(t, mirror.Side{Client: source, Topic: "t", End: end}, copied, c.records)
			if c.check != nil {
				c.check(t, recordsOf(t, copied))
			}
		})
	}

	t.Run("a batch whose bytes were damaged stops the copy before it", func(t *testing.T) {
		t.Parallel()
		source, brokers := cluster(t, localkafka.Config{})
		target, _ := cluster(t, localkafka.Config{})
		createTopic(t, source, kafka.TopicSpec{Name: "t"})
		good, bad := mirror.CraftBatch(0, mirror.Craft{}, at(records, 0, 1)...), mirror.CraftBatch(2, mirror.Craft{}, at(records, 2, 3)...)
		bad.Bytes[80] ^= 1
		serve(t, brokers.Fake(), "t", good, bad)
		result, err := copier(t, mirror.Config{Source: source, Target: target}).Copy(testContext(t), []mirror.Range{rangeOf(0, 3)})
		if !errors.Is(err, batch.ErrCorrupt) || !strings.Contains(err.Error(), "t/0 at offset 2") {
			t.Errorf("got %v, want ErrCorrupt at offset 2", err)
		}
		if got := result.Partitions[0]; got.Next != 2 || got.Records != 2 {
			t.Errorf("got %+v, want the two records before it", got)
		}
	})

	t.Run("a hole in a topic that is not compacted is a gap, and nothing after it is copied", func(t *testing.T) {
		t.Parallel()
		source, brokers := cluster(t, localkafka.Config{})
		target, _ := cluster(t, localkafka.Config{})
		createTopic(t, source, kafka.TopicSpec{Name: "t"})
		serve(t, brokers.Fake(), "t",
			mirror.CraftBatch(0, mirror.Craft{}, at(records, 0, 1)...),
			mirror.CraftBatch(2, mirror.Craft{LastDelta: 7}, at(records[2:], 2)...), // a hole inside is compaction's alone
			mirror.CraftBatch(15, mirror.Craft{}, at(records[3:], 15, 16)...))
		c := copier(t, mirror.Config{Source: source, Target: target})
		result, err := c.Copy(testContext(t), []mirror.Range{rangeOf(0, 16)})
		var gap *mirror.GapError
		if !errors.As(err, &gap) || gap.Next != 10 || gap.Available != 15 {
			t.Fatalf("got %v, want a gap from 10 to 15", err)
		}
		if got := result.Partitions[0]; got.Next != 10 || got.Records != 3 {
			t.Errorf("got %+v, want the three records before it", got)
		}
		if err := mirror.ResetCheckpoint(testContext(t), target, "test", "t", "t", 0, gap.Available); err != nil {
			t.Fatal(err)
		}
		if got := copyRange(t, c, rangeOf(0, 16)).Partitions[0]; got.Records != 2 {
			t.Errorf("after the reset %d records were copied, want 2", got.Records)
		}
	})

	t.Run("a hole in a topic whose settings may not be read may be compaction's, and is no alarm", func(t *testing.T) {
		t.Parallel()
		source, brokers := cluster(t, localkafka.Config{})
		target, _ := cluster(t, localkafka.Config{})
		createTopic(t, source, kafka.TopicSpec{Name: "t"})
		createTopic(t, target, kafka.TopicSpec{Name: "t"})
		end := serve(t, brokers.Fake(), "t", mirror.CraftBatch(0, mirror.Craft{}, at(records, 0, 1)...), mirror.CraftBatch(9, mirror.Craft{}, at(records, 9)...))
		brokers.Fake().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeConfigs}, Err: kerr.TopicAuthorizationFailed, Count: -1})
		if got := copyRange(t, copier(t, mirror.Config{Source: source, Target: target}), rangeOf(0, end-1)).Partitions[0]; got.Records != 3 {
			t.Errorf("got %+v, want 3 records", got)
		}
	})

	t.Run("a leader epoch that went back is another topic, where brokers have no topic ids", func(t *testing.T) {
		t.Parallel()
		source, brokers := cluster(t, localkafka.Config{Version: "2.6"})
		target, _ := cluster(t, localkafka.Config{})
		createTopic(t, source, kafka.TopicSpec{Name: "t"})
		old := []mirror.Unit{mirror.CraftBatch(0, mirror.Craft{Epoch: 7}, at(records, 0, 1)...), mirror.CraftBatch(2, mirror.Craft{Epoch: 8}, at(records, 2, 3)...)}
		serve(t, brokers.Fake(), "t", append(old, mirror.CraftBatch(4, mirror.Craft{Epoch: 3}, at(records[4:], 4, 5)...))...)
		for range 2 { // before the first instance ends, and for a cold one
			_, err := copier(t, mirror.Config{Source: source, Target: target}).Copy(testContext(t), []mirror.Range{rangeOf(0, 5)})
			if !errors.Is(err, mirror.ErrRecreated) || !strings.Contains(err.Error(), "leader epoch was 8 and is 3") {
				t.Errorf("got %v, want ErrRecreated for the epoch", err)
			}
		}
	})
}

// recordsOf reads the records of a side.
func recordsOf(t testing.TB, s mirror.Side) []batch.Record {
	t.Helper()
	var all []batch.Record
	for _, unit := range stored(t, s) {
		for r, err := range unit.Records(nil) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, r.Clone())
		}
	}
	return all
}
