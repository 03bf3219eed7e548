package localkafka_test

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

// What the rest of this module relies on, so that a new version of kfake that
// differs is noticed here and not three packages further up.
func TestBrokerBehaviour(t *testing.T) {
	t.Parallel()
	t.Run("nil and empty keys, values and header values stay apart", func(t *testing.T) {
		t.Parallel()
		c := start(t, localkafka.Config{Topics: map[string]int32{"t": 1}})
		cl := client(t, c.Brokers(), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{"t": {0: kgo.NewOffset().AtStart()}}))
		sent := []*kgo.Record{
			{Topic: "t", Key: nil, Value: nil},
			{Topic: "t", Key: []byte{}, Value: []byte{}, Headers: []kgo.RecordHeader{{Key: "h", Value: nil}, {Key: "h", Value: []byte{}}}},
		}
		if err := cl.ProduceSync(deadline(t), sent...).FirstErr(); err != nil {
			t.Fatal(err)
		}
		got := cl.PollFetches(deadline(t)).Records()
		if len(got) != 2 {
			t.Fatalf("got %d records, want 2", len(got))
		}
		if got[0].Key != nil || got[0].Value != nil || got[1].Key == nil || got[1].Value == nil {
			t.Errorf("keys and values: got %v %v %v %v", got[0].Key, got[0].Value, got[1].Key, got[1].Value)
		}
		if h := got[1].Headers; len(h) != 2 || h[0].Value != nil || h[1].Value == nil {
			t.Errorf("headers: got %v", h)
		}
	})
	t.Run("an aborted transaction is hidden from read_committed and shown to read_uncommitted", func(t *testing.T) {
		t.Parallel()
		c := start(t, localkafka.Config{Topics: map[string]int32{"t": 1}})
		cl := client(t, c.Brokers(), kgo.TransactionalID("x"))
		for _, tx := range []struct {
			value string
			end   kgo.TransactionEndTry
		}{{"aborted", kgo.TryAbort}, {"committed", kgo.TryCommit}} {
			if err := cl.BeginTransaction(); err != nil {
				t.Fatal(err)
			}
			produce(t, cl, "t", tx.value)
			if err := cl.EndTransaction(deadline(t), tx.end); err != nil {
				t.Fatal(err)
			}
		}
		if got := readValues(t, c.Brokers(), "t", 1, kgo.FetchIsolationLevel(kgo.ReadCommitted())); !cmp.Equal(got, []string{"committed"}) {
			t.Errorf("read_committed: got %q", got)
		}
		if got := readValues(t, c.Brokers(), "t", 2); !cmp.Equal(got, []string{"aborted", "committed"}) {
			t.Errorf("read_uncommitted: got %q", got)
		}
		if got := c.Fake().PartitionInfo("t", 0).HighWatermark; got != 4 {
			t.Errorf("high watermark: got %d, want 4: two records and two control markers", got)
		}
	})
	t.Run("a newer producer of the same transactional id fences the older one", func(t *testing.T) {
		t.Parallel()
		c := start(t, localkafka.Config{Topics: map[string]int32{"t": 1}})
		old, next := client(t, c.Brokers(), kgo.TransactionalID("x")), client(t, c.Brokers(), kgo.TransactionalID("x"))
		for _, cl := range []*kgo.Client{old, next} {
			if err := cl.BeginTransaction(); err != nil {
				t.Fatal(err)
			}
			produce(t, cl, "t", "v")
		}
		err := old.EndTransaction(deadline(t), kgo.TryCommit)
		if !errors.Is(err, kerr.ProducerFenced) && !errors.Is(err, kerr.InvalidProducerEpoch) {
			t.Errorf("commit of the fenced producer: got %v", err)
		}
		if err := next.EndTransaction(deadline(t), kgo.TryCommit); err != nil {
			t.Errorf("commit of the newer producer: %v", err)
		}
	})
	t.Run("a second member gets its share of the partitions within two seconds", func(t *testing.T) {
		t.Parallel()
		c := start(t, localkafka.Config{Topics: map[string]int32{"t": 2}})
		join := func() *kgo.Client {
			return client(t, c.Brokers(), kgo.ConsumerGroup("g"), kgo.ConsumeTopics("t"), kgo.HeartbeatInterval(100*time.Millisecond))
		}
		join()
		if _, err := c.Fake().WaitGroupStable(deadline(t), "g", 1); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		join()
		if _, err := c.Fake().WaitGroupStable(deadline(t), "g", 2); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("took %v", took)
		}
	})
	t.Run("a batch with a wrong checksum or a base offset above 0 is refused", func(t *testing.T) {
		t.Parallel()
		c := start(t, localkafka.Config{Topics: map[string]int32{"t": 1}})
		for name, spoil := range map[string]func([]byte){
			"checksum":    func(b []byte) { b[17] ^= 0xff },
			"base offset": func(b []byte) { b[7] = 1 },
		} {
			batch := batchOfOne()
			spoil(batch)
			if code := produceRaw(t, client(t, c.Brokers()), "t", batch); code == 0 {
				t.Errorf("a wrong %s was accepted", name)
			}
		}
		if code := produceRaw(t, client(t, c.Brokers()), "t", batchOfOne()); code != 0 {
			t.Errorf("the right batch was refused: %v", kerr.ErrorForCode(code))
		}
	})
	t.Run("a wrong password is refused and a right one works", func(t *testing.T) {
		t.Parallel()
		for _, m := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
			c := start(t, localkafka.Config{Users: []localkafka.User{{Mechanism: m, Name: "u", Password: "right"}}})
			if err := client(t, c.Brokers(), login(m, "u", "right")).Ping(deadline(t)); err != nil {
				t.Errorf("%s: %v", m, err)
			}
			err := client(t, c.Brokers(), login(m, "u", "wrong"), kgo.RetryTimeout(time.Second)).Ping(deadline(t))
			if err == nil {
				t.Errorf("%s: a wrong password was accepted", m)
			}
			if m == "PLAIN" && !errors.Is(err, kerr.SaslAuthenticationFailed) {
				t.Errorf("PLAIN with a wrong password: got %v, want it named", err)
			}
		}
	})
}

// batchOfOne is a record batch of one record with the value "v".
func batchOfOne() []byte {
	rec := kmsg.Record{Value: []byte("v")}
	rec.Length = int32(len(rec.AppendTo(nil)) - 1)
	b := kmsg.RecordBatch{
		PartitionLeaderEpoch: -1, Magic: 2, ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1,
		NumRecords: 1, Records: rec.AppendTo(nil),
	}
	b.Length = int32(len(b.AppendTo(nil)) - 12)
	raw := b.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	return raw
}

func produceRaw(t *testing.T, cl *kgo.Client, topic string, batch []byte) int16 {
	t.Helper()
	req := kmsg.NewPtrProduceRequest()
	req.Acks, req.TimeoutMillis = -1, 5000
	rt := kmsg.NewProduceRequestTopic()
	rt.Topic = topic
	rt.TopicID = topicID(t, cl, topic)
	rp := kmsg.NewProduceRequestTopicPartition()
	rp.Records = batch
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	resp, err := req.RequestWith(deadline(t), cl)
	if err != nil {
		t.Fatal(err)
	}
	return resp.Topics[0].Partitions[0].ErrorCode
}

func topicID(t *testing.T, cl *kgo.Client, topic string) [16]byte {
	t.Helper()
	req := kmsg.NewPtrMetadataRequest()
	mt := kmsg.NewMetadataRequestTopic()
	mt.Topic = kmsg.StringPtr(topic)
	req.Topics = append(req.Topics, mt)
	resp, err := req.RequestWith(deadline(t), cl)
	if err != nil {
		t.Fatal(err)
	}
	return resp.Topics[0].TopicID
}
