package kafka_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

func TestOffsets(t *testing.T) {
	t.Parallel()
	cluster := brokers(t, localkafka.Config{Topics: map[string]int32{"t": 3}})
	c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
	const first = 1_700_000_000_000 // the time of the first record, ms
	for p, n := range map[int32]int{0: 10, 1: 1} {
		if _, err := c.Produce(deadline(t), "t", p, values("%d", n)...); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		requirement string
		at          int64
		want        map[int32]int64
	}{
		{"are the first ones at the earliest", kafka.Earliest, map[int32]int64{0: 0, 1: 0, 2: 0}},
		{"are the next ones at the latest", kafka.Latest, map[int32]int64{0: 10, 1: 1, 2: 0}},
		{"are those of the first record of a time", first, map[int32]int64{0: 0, 1: 0, 2: 0}},
		{"are those of the first record after a time, or the end", first + 4, map[int32]int64{0: 4, 1: 1, 2: 0}},
		{"are the ends beyond the last record's time", first + 1_000_000, map[int32]int64{0: 10, 1: 1, 2: 0}},
		{"are the first ones at the beginning of time", 0, map[int32]int64{0: 0, 1: 0, 2: 0}},
	} {
		t.Run(test.requirement, func(t *testing.T) {
			t.Parallel()
			got, err := c.Offsets(deadline(t), "t", test.at, 0, 1, 2)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("offsets (-want +got):\n%s", diff)
			}
		})
	}

	t.Run("are those of the partitions that are asked for", func(t *testing.T) {
		t.Parallel()
		got, err := c.Offsets(deadline(t), "t", kafka.Latest, 1)
		if diff := cmp.Diff(map[int32]int64{1: 1}, got); diff != "" || err != nil {
			t.Errorf("error %v, offsets (-want +got):\n%s", err, diff)
		}
		got, err = c.Offsets(deadline(t), "t", kafka.Latest)
		if len(got) != 0 || err != nil {
			t.Errorf("offsets %v, error %v of no partitions", got, err)
		}
	})

	for name, ask := range map[string]func() error{
		"topic":     func() error { _, err := c.Offsets(deadline(t), "missing", kafka.Latest, 0); return err },
		"partition": func() error { _, err := c.Offsets(deadline(t), "t", kafka.Latest, 0, 9); return err },
	} {
		t.Run("are unknown of an unknown "+name, func(t *testing.T) {
			t.Parallel()
			if err := ask(); !errors.Is(err, kafka.ErrUnknownTopic) || !strings.Contains(err.Error(), "list offsets of topic") {
				t.Errorf("error %v, want ErrUnknownTopic", err)
			}
		})
	}
}

func TestOffsetsAreAskedForAgain(t *testing.T) {
	t.Parallel()
	cluster := brokers(t, localkafka.Config{Brokers: 3, Topics: map[string]int32{"t": 6}})
	c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
	moved := func(request *kmsg.ListOffsetsRequest) kmsg.Response {
		response := request.ResponseKind().(*kmsg.ListOffsetsResponse)
		partition := kmsg.NewListOffsetsResponseTopicPartition()
		partition.Partition, partition.ErrorCode = request.Topics[0].Partitions[0].Partition, 6 // NOT_LEADER
		response.Topics = []kmsg.ListOffsetsResponseTopic{{Topic: "t", Partitions: []kmsg.ListOffsetsResponseTopicPartition{partition}}}
		return response
	}
	t.Run("where a leader has moved, or one of the connections breaks", func(t *testing.T) {
		refuse(cluster.Fake(), moved, moved)
		cluster.Fake().ControlKey(int16(kmsg.ListOffsets), func(kmsg.Request) (kmsg.Response, error, bool) {
			return nil, errors.New("cut"), true
		})
		got, err := c.Offsets(deadline(t), "t", kafka.Latest, 0, 1, 2, 3, 4, 5)
		if len(got) != 6 || err != nil {
			t.Errorf("offsets %v, error %v", got, err)
		}
	})
}

func TestStableOffsets(t *testing.T) {
	t.Parallel()

	t.Run("end before the oldest open transaction, and at the high watermark where none is open", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Brokers: 3, Topics: map[string]int32{"t": 3}})
		c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
		for p := range int32(3) {
			_, err := c.Produce(deadline(t), "t", p, values("%d", 4)...)
			must(t, err)
		}
		open := producer(t, c, "id")
		must(t, put(t, open, "t", 1, one(t, "a")))
		_, err := c.Produce(deadline(t), "t", 1, values("%d", 4)...)
		must(t, err)
		wantStable(t, c, map[int32]int64{0: 4, 1: 4, 2: 4})
		must(t, open.Commit(deadline(t)))
		wantStable(t, c, map[int32]int64{0: 4, 1: 10, 2: 4})
	})

	t.Run("are the high watermarks of a broker without transactions", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Version: "0.10.2", Topics: map[string]int32{"t": 2}})
		refuse(cluster.Fake(), func(request *kmsg.ListOffsetsRequest) kmsg.Response { return listed(request, "t", 7) })
		c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
		wantStable(t, c, map[int32]int64{0: 7})
	})

	t.Run("of no partitions need no broker", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t)
		wantStable(t, c, map[int32]int64{})
	})

	for name, answer := range map[string]func(*kmsg.ListOffsetsRequest) kmsg.Response{
		"nothing":           func(request *kmsg.ListOffsetsRequest) kmsg.Response { return request.ResponseKind() },
		"another topic":     func(request *kmsg.ListOffsetsRequest) kmsg.Response { return listed(request, "u", 7) },
		"a negative offset": func(request *kmsg.ListOffsetsRequest) kmsg.Response { return listed(request, "t", -1) },
	} {
		t.Run("are an error where the answer is "+name, func(t *testing.T) {
			t.Parallel()
			c, fake := single(t, "t")
			refuse(fake, answer)
			if got, err := c.StableOffsets(deadline(t), "t", 0); err == nil || !strings.HasPrefix(err.Error(), "list offsets of topic t: partition 0: ") {
				t.Errorf("offsets %v, error %v", got, err)
			}
		})
	}
}

// wantStable looks at the last stable offsets of topic t.
func wantStable(t *testing.T, c *kafka.Client, want map[int32]int64) {
	t.Helper()
	got, err := c.StableOffsets(deadline(t), "t", slices.Collect(maps.Keys(want))...)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v, stable offsets (-want +got):\n%s", err, diff)
	}
}

// listed answers for the partition that was asked for.
func listed(request *kmsg.ListOffsetsRequest, topic string, offset int64) kmsg.Response {
	response := request.ResponseKind().(*kmsg.ListOffsetsResponse)
	partition := kmsg.NewListOffsetsResponseTopicPartition()
	partition.Partition, partition.Offset = request.Topics[0].Partitions[0].Partition, offset
	response.Topics = []kmsg.ListOffsetsResponseTopic{{Topic: topic, Partitions: []kmsg.ListOffsetsResponseTopicPartition{partition}}}
	return response
}
