package kafka_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

// sameBytes tells nil from empty, and is quick where values are large.
var sameBytes = cmp.Comparer(func(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) })

func TestFetchRecords(t *testing.T) {
	t.Parallel()

	for _, codec := range []batch.Codec{batch.None, batch.Gzip, batch.Snappy, batch.LZ4, batch.Zstd} {
		t.Run("gives records as they were, packed by "+codec.String(), func(t *testing.T) {
			t.Parallel()
			c, _ := single(t)
			settings := sample.TopicSettings()
			settings["max.message.bytes"] = "10000000"
			must(t, c.CreateTopic(deadline(t), kafka.TopicSpec{Name: "t", Partitions: 1, Settings: settings}))
			want := sample.Special()
			_, err := c.ProduceBatches(deadline(t), "t", 0, "", []batch.Batch{build(t, codec, want[:9]...), build(t, codec, want[9:]...)})
			must(t, err)
			got, err := c.FetchRecords(deadline(t), kafka.FetchRequest{Topic: "t", MaxBytes: 10_000_000})
			must(t, err)
			for i := range want {
				want[i].Offset = int64(i)
			}
			if diff := cmp.Diff(want, got.Records, sameBytes); diff != "" {
				t.Errorf("records (-want +got):\n%s", diff)
			}
			n := int64(len(want))
			if got.Next != n || got.HighWatermark != n || got.LastStable != n || got.LogStart != 0 {
				t.Errorf("next %d, high watermark %d, last stable %d, start %d, want %d thrice and 0", got.Next, got.HighWatermark, got.LastStable, got.LogStart, n)
			}
		})
	}

	t.Run("begins inside a batch", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t, "t")
		_, err := c.Produce(deadline(t), "t", 0, values("%d", 5)...)
		must(t, err)
		got, err := c.FetchRecords(deadline(t), kafka.FetchRequest{Topic: "t", Offset: 3})
		must(t, err)
		if len(got.Records) != 2 || got.Records[0].Offset != 3 || got.Next != 5 {
			t.Errorf("records %v, next %d, want the last two", got.Records, got.Next)
		}
	})

	t.Run("gives nothing at the end, and does not move", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t, "t")
		got, err := c.FetchRecords(deadline(t), kafka.FetchRequest{Topic: "t"})
		if len(got.Records) != 0 || got.Next != 0 || err != nil {
			t.Errorf("records %v, next %d, error %v", got.Records, got.Next, err)
		}
	})

	t.Run("gives the broker's error", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t, "t")
		if _, err := c.FetchRecords(deadline(t), kafka.FetchRequest{Topic: "t", Offset: 9}); !errors.Is(err, kafka.ErrOffsetOutOfRange) {
			t.Errorf("error %v, want ErrOffsetOutOfRange", err)
		}
	})
}

// TestReadCommitted reads a partition in which transactions are committed,
// aborted, mixed and repeated by one producer, from each of its offsets.
func TestReadCommitted(t *testing.T) {
	t.Parallel()
	cluster := brokers(t, localkafka.Config{Topics: map[string]int32{"t": 1}})
	c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
	p, q := producer(t, c, "p"), producer(t, c, "q")
	say := func(by *kafka.Transactional, value string) error {
		return put(t, by, "t", 0, one(t, value))
	}
	plain := func(value string) error {
		_, err := c.ProduceBatches(deadline(t), "t", 0, "", one(t, value))
		return err
	}
	must(t,
		say(p, "aborted"), p.Abort(deadline(t)), // 0 1
		say(p, "a"), p.Commit(deadline(t)), // 2 3
		say(p, "aborted"), say(p, "aborted"), plain("b"), say(q, "c"), p.Abort(deadline(t)), // 4 5 6 7 8
		say(p, "d"), say(q, "e"), q.Commit(deadline(t)), say(q, "aborted"), // 9 10 11 12
		p.Commit(deadline(t)), say(p, "aborted"), q.Abort(deadline(t)), p.Abort(deadline(t)), // 13 14 15 16
		plain("f"),                 // 17
		say(p, "open"), plain("g"), // 18 19
	)
	visible := map[int64]string{2: "a", 6: "b", 7: "c", 9: "d", 10: "e", 17: "f"}
	for _, maxBytes := range []int32{1, 150, 1 << 20} {
		for from := int64(0); from <= 18; from++ {
			t.Run(fmt.Sprintf("from offset %d, %d bytes at a time", from, maxBytes), func(t *testing.T) {
				t.Parallel()
				got := map[int64]string{}
				for next := from; next < 18; {
					fetched, err := c.FetchRecords(deadline(t), kafka.FetchRequest{Topic: "t", Offset: next, MaxBytes: maxBytes, ReadCommitted: true})
					must(t, err)
					if fetched.Next <= next {
						t.Fatalf("stuck at offset %d", next)
					}
					if fetched.LastStable != 18 || fetched.HighWatermark != 20 {
						t.Errorf("last stable %d, high watermark %d, want 18 and 20", fetched.LastStable, fetched.HighWatermark)
					}
					for _, r := range fetched.Records {
						got[r.Offset] = string(r.Value)
					}
					next = fetched.Next
				}
				want := map[int64]string{}
				for offset, value := range visible {
					if offset >= from {
						want[offset] = value
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("values by offset (-want +got):\n%s", diff)
				}
			})
		}
	}

	t.Run("stops before an open transaction", func(t *testing.T) {
		t.Parallel()
		got, err := c.FetchRecords(deadline(t), kafka.FetchRequest{Topic: "t", Offset: 18, ReadCommitted: true})
		if len(got.Records) > 0 || got.Next != 18 || err != nil {
			t.Errorf("records %v, next %d, error %v, want nothing", got.Records, got.Next, err)
		}
	})

	t.Run("is a matter of choice", func(t *testing.T) {
		t.Parallel()
		got, err := c.FetchRecords(deadline(t), kafka.FetchRequest{Topic: "t"})
		must(t, err)
		var texts []string
		for _, r := range got.Records {
			texts = append(texts, string(r.Value))
		}
		want := "aborted a aborted aborted b c d e aborted aborted f open g"
		if diff := cmp.Diff(want, strings.Join(texts, " ")); diff != "" || got.Next != 20 {
			t.Errorf("next %d, values (-want +got):\n%s", got.Next, diff)
		}
	})
}

// stored answers the next fetch with the bytes of a log.
func stored(log []byte, aborted ...kafka.AbortedTransaction) func(*kmsg.FetchRequest) kmsg.Response {
	return func(request *kmsg.FetchRequest) kmsg.Response {
		partition := kmsg.NewFetchResponseTopicPartition()
		partition.HighWatermark, partition.RecordBatches = 1_000_000, log
		for _, a := range aborted {
			partition.AbortedTransactions = append(partition.AbortedTransactions, kmsg.FetchResponseTopicPartitionAbortedTransaction{ProducerID: a.ProducerID, FirstOffset: a.FirstOffset})
		}
		response := request.ResponseKind().(*kmsg.FetchResponse)
		response.Topics = []kmsg.FetchResponseTopic{{Topic: request.Topics[0].Topic, Partitions: []kmsg.FetchResponseTopicPartition{partition}}}
		return response
	}
}

// at moves a batch to an offset.
func at(offset int64, b batch.Batch) batch.Batch {
	binary.BigEndian.PutUint64(b, uint64(offset))
	return b
}

// emptied is a batch as the cleaner leaves it: its records are gone.
func emptied(b batch.Batch) batch.Batch {
	b = slices.Clone(b[:batch.HeaderSize])
	binary.BigEndian.PutUint32(b[57:], 0)
	binary.BigEndian.PutUint32(b[8:], batch.HeaderSize-12)
	binary.BigEndian.PutUint32(b[17:], crc32.Checksum(b[21:], crc32.MakeTable(crc32.Castagnoli)))
	return b
}

func TestFetchRecordsOfStrangeLogs(t *testing.T) {
	t.Parallel()
	three := func() batch.Batch { return build(t, batch.None, values("%d", 3)...) }
	corrupt := at(13, three())
	corrupt[len(corrupt)-1]++

	for _, test := range []struct {
		requirement string
		log         []byte
		offsets     []int64
		next        int64
		err         error
	}{
		{"a last batch that is cut short is for the next fetch", slices.Concat(at(10, three()), at(13, three())[:80]), []int64{10, 11, 12}, 13, nil},
		{"a last batch of which not even the header is there", slices.Concat(at(10, three()), at(13, three())[:5]), []int64{10, 11, 12}, 13, nil},
		{"a batch without records is passed by", slices.Concat(emptied(at(10, three())), at(13, three())), []int64{13, 14, 15}, 16, nil},
		{"only batches without records", emptied(at(10, three())), nil, 13, nil},
		{"a gap between batches is passed over", slices.Concat(at(20, three()), at(40, three())), []int64{20, 21, 22, 40, 41, 42}, 43, nil},
		{"a batch that is damaged is an error, after what is good", slices.Concat(at(10, three()), corrupt), []int64{10, 11, 12}, 13, batch.ErrCorrupt},
	} {
		t.Run(test.requirement, func(t *testing.T) {
			t.Parallel()
			c, fake := single(t, "t")
			refuse(fake, stored(test.log))
			got, err := c.FetchRecords(deadline(t), kafka.FetchRequest{Topic: "t", Offset: 10})
			if !errors.Is(err, test.err) || err != nil && !strings.HasPrefix(err.Error(), fmt.Sprintf("decode t/0 at offset %d: ", test.next)) {
				t.Errorf("error %v, want %v", err, test.err)
			}
			var offsets []int64
			for _, r := range got.Records {
				offsets = append(offsets, r.Offset)
			}
			if diff := cmp.Diff(test.offsets, offsets); diff != "" || got.Next != test.next {
				t.Errorf("next %d, want %d, offsets (-want +got):\n%s", got.Next, test.next, diff)
			}
		})
	}

	t.Run("an aborted list in no order is put into one", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		batchOf := func(offset, producer int64) batch.Batch {
			b := three()
			must(t, b.Stamp(batch.Producer{ID: producer, Transactional: true}))
			return at(offset, b)
		}
		refuse(fake, stored(slices.Concat(batchOf(10, 1), batchOf(13, 2), batchOf(16, 3)),
			kafka.AbortedTransaction{ProducerID: 2, FirstOffset: 13}, kafka.AbortedTransaction{ProducerID: 1, FirstOffset: 4}))
		got, err := c.FetchRecords(deadline(t), kafka.FetchRequest{Topic: "t", Offset: 10, ReadCommitted: true})
		if len(got.Records) != 3 || got.Records[0].Offset != 16 || got.Next != 19 || err != nil {
			t.Errorf("records %v, next %d, error %v, want those from offset 16 on", got.Records, got.Next, err)
		}
	})
}

// TestFetchRecordsOfOldFormats reads what brokers of 0.10 send, as Java wrote it.
func TestFetchRecordsOfOldFormats(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"v0-none", "v0-gzip", "v0-gzip-gaps", "v0-snappy", "v0-lz4", "v1-none", "v1-none-gaps", "v1-gzip", "v1-gzip-appendtime", "v1-lz4", "v2-none"} {
		t.Run("gives the records of "+name, func(t *testing.T) {
			t.Parallel()
			log, err := os.ReadFile("batch/testdata/java/" + name + ".bin")
			must(t, err)
			want := fixture(t, name)
			c, fake := single(t, "t")
			refuse(fake, stored(slices.Concat(log, log[:30])))
			got, err := c.FetchRecords(deadline(t), kafka.FetchRequest{Topic: "t", Offset: want[2].Offset})
			must(t, err)
			var lines []line
			for _, r := range got.Records {
				lines = append(lines, line{r.Offset, r.Timestamp, inWords(r.Key), inWords(r.Value)})
			}
			if diff := cmp.Diff(want[2:], lines); diff != "" {
				t.Errorf("records (-want +got):\n%s", diff)
			}
			if last := want[len(want)-1].Offset; got.Next != last+1 {
				t.Errorf("next %d, want %d", got.Next, last+1)
			}
		})
	}
}

// line is a record as the fixtures state it.
type line struct {
	Offset, Timestamp int64
	Key, Value        *string
}

// fixture reads what Java says it wrote.
func fixture(t *testing.T, name string) (lines []line) {
	t.Helper()
	text, err := os.ReadFile("batch/testdata/java/" + name + ".json")
	must(t, err, json.Unmarshal(text, &lines))
	return lines
}

// inWords is nil, hexadecimal, or the hash of what is longer than 32 bytes.
func inWords(b []byte) *string {
	if b == nil {
		return nil
	}
	text := hex.EncodeToString(b)
	if len(b) > 32 {
		text = fmt.Sprintf("sha256:%x", sha256.Sum256(b))
	}
	return &text
}
