package kafka_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

// produceError answers a produce of partition 0 with an error and words.
func produceError(request *kmsg.ProduceRequest, code int16, words string) kmsg.Response {
	response := request.ResponseKind().(*kmsg.ProduceResponse)
	partition := kmsg.NewProduceResponseTopicPartition()
	partition.ErrorCode = code
	if words != "" {
		record := kmsg.NewProduceResponseTopicPartitionErrorRecord()
		record.RelativeOffset, record.ErrorMessage = 3, &words
		partition.ErrorRecords = append(partition.ErrorRecords, record, record)
		whole := "the batch is refused"
		partition.ErrorMessage = &whole
	}
	response.Topics = []kmsg.ProduceResponseTopic{{Topic: request.Topics[0].Topic, Partitions: []kmsg.ProduceResponseTopicPartition{partition}}}
	return response
}

func TestProduce(t *testing.T) {
	t.Parallel()

	t.Run("gives the offset of the first record", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t, "t")
		for _, want := range []int64{0, 3} {
			if got, err := c.Produce(deadline(t), "t", 0, values("%d", 3)...); got != want || err != nil {
				t.Errorf("offset %d, error %v, want %d", got, err, want)
			}
		}
	})

	t.Run("is repeated until a leader is there", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		notLeader := func(request *kmsg.ProduceRequest) kmsg.Response { return produceError(request, 6, "") }
		refuse(fake, notLeader, notLeader)
		if _, err := c.Produce(deadline(t), "t", 0, values("%d", 1)...); err != nil {
			t.Error(err)
		}
	})

	t.Run("of no records is an error", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t, "t")
		if _, err := c.Produce(deadline(t), "t", 0); !errors.Is(err, batch.ErrEmpty) || !strings.HasPrefix(err.Error(), "produce to t/0: ") {
			t.Errorf("error %v, want ErrEmpty with the partition", err)
		}
	})

	t.Run("to an unknown topic fails, after the time that a new one needs", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t)
		if _, err := c.Produce(deadline(t), "missing", 0, values("%d", 1)...); !errors.Is(err, kafka.ErrUnknownTopic) {
			t.Errorf("error %v, want ErrUnknownTopic", err)
		}
	})
}

func TestProduceBatches(t *testing.T) {
	t.Parallel()

	t.Run("keeps the order of many, and gives the offset of each", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t, "t")
		var batches []batch.Batch
		var wantOffsets []int64
		var wantValues []string
		for i := range 30 {
			batches = append(batches, build(t, batch.Codec(i%5), values(fmt.Sprint(i, "-%d"), 3)...))
			wantOffsets = append(wantOffsets, int64(3*i))
			for j := range 3 {
				wantValues = append(wantValues, fmt.Sprintf("%d-%d", i, j))
			}
		}
		offsets, err := c.ProduceBatches(deadline(t), "t", 0, "", batches)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(wantOffsets, offsets); diff != "" {
			t.Errorf("offsets (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(wantValues, read(t, c, "t", false)); diff != "" {
			t.Errorf("values (-want +got):\n%s", diff)
		}
	})

	t.Run("of none needs no broker", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t)
		if offsets, err := c.ProduceBatches(deadline(t), "missing", 0, "", nil); len(offsets) != 0 || err != nil {
			t.Errorf("offsets %v, error %v", offsets, err)
		}
	})

	t.Run("names the first batch that is refused, in the broker's words, and sends no more", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		var requests atomic.Int32
		fake.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
			fake.KeepControl()
			if n := requests.Add(1); n != 3 && n != 5 {
				return nil, nil, false
			}
			return produceError(r.(*kmsg.ProduceRequest), 87, "no key"), nil, true
		})
		batches := builds(t, 20)
		_, err := c.ProduceBatches(deadline(t), "t", 0, "", batches)
		var refused *kafka.RefusedError
		if !errors.As(err, &refused) || refused.Index != 2 || refused.Bytes != len(batches[2]) || kafka.Retriable(err) {
			t.Fatalf("error %v, want batch 2 to be refused", err)
		}
		want := fmt.Sprintf("produce to t/0: batch 2 of %d bytes refused: invalid record (broker error 87): record 3 of the batch: no key", len(batches[2]))
		if diff := cmp.Diff(want, err.Error()); diff != "" {
			t.Errorf("error (-want +got):\n%s", diff)
		}
		if n := requests.Load(); n > 2+5 {
			t.Errorf("%d batches were sent, though the third was refused", n)
		}
		if _, err := c.ProduceBatches(deadline(t), "t", 0, "", batches[:1]); err != nil {
			t.Errorf("after a refused batch: %v", err)
		}
	})

	t.Run("says that a batch is too large", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t)
		if err := c.CreateTopic(deadline(t), kafka.TopicSpec{Name: "t", Partitions: 1, Settings: map[string]string{"max.message.bytes": "1000"}}); err != nil {
			t.Fatal(err)
		}
		small, large := build(t, batch.None, values("%d", 1)...), build(t, batch.None, batch.Record{Value: bytes.Repeat([]byte("x"), 1000)})
		_, err := c.ProduceBatches(deadline(t), "t", 0, "", []batch.Batch{small, large})
		var refused *kafka.RefusedError
		if !errors.Is(err, kafka.ErrTooLarge) || !errors.As(err, &refused) || refused.Index != 1 || refused.Bytes != len(large) || kafka.Retriable(err) {
			t.Errorf("error %v, want ErrTooLarge of batch 1", err)
		}
	})

	t.Run("says that a leader has moved, which is retriable", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		refuse(fake, func(request *kmsg.ProduceRequest) kmsg.Response { return produceError(request, 6, "") })
		if _, err := c.ProduceBatches(deadline(t), "t", 0, "", builds(t, 1)); !kafka.Retriable(err) {
			t.Errorf("error %v, want a retriable one", err)
		}
	})

	t.Run("refuses zstd for a broker before 2.1, after what is before it", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Version: "2.0", Topics: map[string]int32{"t": 1}})
		c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
		packed := func(codec batch.Codec) batch.Batch { return build(t, codec, values("%d", 1)...) }
		_, err := c.ProduceBatches(deadline(t), "t", 0, "", []batch.Batch{packed(batch.Gzip), packed(batch.LZ4), packed(batch.Zstd), packed(batch.Gzip)})
		var refused *kafka.RefusedError
		if !errors.Is(err, kafka.ErrUnsupported) || !errors.As(err, &refused) || refused.Index != 2 || kafka.Retriable(err) {
			t.Errorf("error %v, want batch 2 to be refused", err)
		}
		if got := read(t, c, "t", false); len(got) != 2 {
			t.Errorf("values %q, want those before it", got)
		}
	})

	t.Run("needs a broker that knows record batches", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Version: "0.10.2", Topics: map[string]int32{"t": 1}})
		c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
		if _, err := c.ProduceBatches(deadline(t), "t", 0, "", builds(t, 1)); !errors.Is(err, kafka.ErrUnsupported) || kafka.Retriable(err) {
			t.Errorf("error %v, want ErrUnsupported", err)
		}
	})
}
