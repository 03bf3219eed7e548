package kafka_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

// producer takes a transactional id over.
func producer(t *testing.T, c *kafka.Client, id string) *kafka.Transactional {
	t.Helper()
	p, err := c.Transactional(deadline(t), id, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// must fails the test with the first error.
func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// put appends batches in a transaction, where their offsets do not matter.
func put(t *testing.T, p *kafka.Transactional, topic string, partition int32, batches []batch.Batch) error {
	t.Helper()
	_, err := p.Produce(deadline(t), topic, partition, batches)
	return err
}

// one makes one batch with one value.
func one(t *testing.T, value string) []batch.Batch {
	t.Helper()
	return []batch.Batch{build(t, batch.None, batch.Record{Value: []byte(value), Timestamp: 1})}
}

func committed(offset int64) map[int32]kafka.Committed {
	return map[int32]kafka.Committed{0: {Offset: offset, Metadata: "m"}}
}

func wantValues(t *testing.T, c *kafka.Client, topic string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, read(t, c, topic, true), cmp.Transformer("", func(s []string) string { return strings.Join(s, " ") })); diff != "" {
		t.Errorf("committed values of %s (-want +got):\n%s", topic, diff)
	}
}

func TestTransaction(t *testing.T) {
	t.Parallel()

	t.Run("shows records and offsets together, once it is committed", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t, "t", "u")
		p := producer(t, c, "id")
		must(t, put(t, p, "t", 0, one(t, "a")), put(t, p, "u", 0, one(t, "b")), put(t, p, "t", 0, one(t, "c")))
		must(t, p.CommitOffsets(deadline(t), "g", "t", committed(7)))
		wantValues(t, c, "t")
		if got := read(t, c, "t", false); len(got) != 2 {
			t.Errorf("uncommitted values %q, want both", got)
		}
		must(t, p.Commit(deadline(t)))
		wantValues(t, c, "t", "a", "c")
		wantValues(t, c, "u", "b")
		must(t, p.Fence(deadline(t)))
		got, err := c.Committed(deadline(t), "g", "t", 0)
		if diff := cmp.Diff(committed(7), got); diff != "" || err != nil {
			t.Errorf("error %v, offsets (-want +got):\n%s", err, diff)
		}
	})

	t.Run("shows nothing of it, once it is aborted", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t, "t")
		p := producer(t, c, "id")
		must(t, put(t, p, "t", 0, one(t, "a")), p.CommitOffsets(deadline(t), "g", "t", committed(7)), p.Abort(deadline(t)))
		must(t, put(t, p, "t", 0, one(t, "b")), p.Commit(deadline(t)))
		wantValues(t, c, "t", "b")
		must(t, p.Fence(deadline(t)))
		if got, err := c.Committed(deadline(t), "g", "t", 0); got[0].Offset != -1 || err != nil {
			t.Errorf("offsets %v, error %v, want none", got, err)
		}
	})

	t.Run("ends without a request where nothing was done", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		p := producer(t, c, "id")
		observe(fake, func(*kmsg.EndTxnRequest) { t.Error("EndTxn was sent") })
		must(t, put(t, p, "t", 0, nil), p.CommitOffsets(deadline(t), "g", "t", nil), p.Commit(deadline(t)), p.Abort(deadline(t)))
	})

	t.Run("gives the offset that each batch got, after the marker of the transaction before", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t, "t")
		p := producer(t, c, "id")
		batches := func() []batch.Batch {
			return []batch.Batch{build(t, batch.None, values("a%d", 3)...), build(t, batch.None, values("b%d", 2)...)}
		}
		for _, want := range [][]int64{{0, 3}, {6, 9}} {
			got, err := p.Produce(deadline(t), "t", 0, batches())
			must(t, err, p.Commit(deadline(t)))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("offsets (-want +got):\n%s", diff)
			}
		}
	})

	t.Run("counts sequences through its transactions, and anew in each epoch", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Topics: map[string]int32{"t": 2}})
		c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
		got := make(chan string, 100)
		observe(cluster.Fake(), func(request *kmsg.ProduceRequest) {
			partition := request.Topics[0].Partitions[0]
			b := batch.Batch(partition.Records)
			got <- fmt.Sprintf("%d: epoch %d sequence %d", partition.Partition, b.ProducerEpoch(), b.BaseSequence())
			if !b.Transactional() || *request.TransactionID != "id" {
				t.Errorf("not of the transaction: %x", []byte(b))
			}
		})
		p := producer(t, c, "id")
		three := func() []batch.Batch { return []batch.Batch{build(t, batch.None, values("%d", 3)...)} }
		must(t, put(t, p, "t", 0, three()), put(t, p, "t", 1, three()), put(t, p, "t", 0, three()), p.Commit(deadline(t)))
		must(t, put(t, p, "t", 0, three()), p.Abort(deadline(t)))
		must(t, put(t, p, "t", 0, three()), p.Commit(deadline(t)))
		must(t, p.Fence(deadline(t)), put(t, p, "t", 0, three()), p.Commit(deadline(t)))
		close(got)
		want := []string{
			"0: epoch 0 sequence 0", "1: epoch 0 sequence 0", "0: epoch 0 sequence 3",
			"0: epoch 0 sequence 6",
			"0: epoch 0 sequence 9",
			"0: epoch 1 sequence 0",
		}
		if diff := cmp.Diff(want, slices.Collect(received(got))); diff != "" {
			t.Errorf("batches (-want +got):\n%s", diff)
		}
	})

	// kfake keeps times
	retimed := func(request *kmsg.ProduceRequest) kmsg.Response {
		response := produceError(request, 0, "").(*kmsg.ProduceResponse)
		response.Topics[0].Partitions[0].LogAppendTime = 1_700_000_000_000
		return response
	}
	t.Run("writes to a topic that replaces the records' times where it may", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		p := producer(t, c, "id")
		p.Retimed = true
		refuse(fake, retimed)
		must(t, put(t, p, "t", 0, one(t, "a")))
	})

	t.Run("refuses a topic that would replace the records' times", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		p := producer(t, c, "id")
		refuse(fake, retimed)
		err := put(t, p, "t", 0, one(t, "a"))
		if !errors.Is(err, kafka.ErrTimestampReplaced) || kafka.Retriable(err) {
			t.Errorf("error %v, want ErrTimestampReplaced", err)
		}
		must(t, p.Abort(deadline(t)))
		wantValues(t, c, "t")
	})

	t.Run("claims no leader epoch for the offsets it commits", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		observe(fake, func(request *kmsg.TxnOffsetCommitRequest) {
			if epoch := request.Topics[0].Partitions[0].LeaderEpoch; epoch != -1 {
				t.Errorf("leader epoch %d, want -1: a consumer would take it for a fact", epoch)
			}
		})
		p := producer(t, c, "id")
		must(t, p.CommitOffsets(deadline(t), "g", "t", committed(7)), p.Commit(deadline(t)))
	})

	t.Run("needs a broker that knows of them", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Version: "0.10.2"})
		c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
		if c.SupportsTransactions() {
			t.Error("a broker of 0.10.2 supports transactions")
		}
		if _, err := c.Transactional(deadline(t), "id", time.Minute); !errors.Is(err, kafka.ErrUnsupported) {
			t.Errorf("error %v, want ErrUnsupported", err)
		}
	})

	t.Run("says that its time-out is more than the broker allows", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t)
		_, err := c.Transactional(deadline(t), "id", 24*time.Hour)
		if err == nil || !strings.Contains(err.Error(), "transaction.max.timeout.ms") || kafka.Retriable(err) {
			t.Errorf("error %v, want one that names the setting", err)
		}
	})

	t.Run("that was open for too long cannot be committed", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t, "t")
		p, err := c.Transactional(deadline(t), "id", 500*time.Millisecond)
		must(t, err, put(t, p, "t", 0, one(t, "a")))
		until(t, "the broker to abort", func() bool {
			got, err := c.FetchRecords(deadline(t), kafka.FetchRequest{Topic: "t", ReadCommitted: true})
			return err == nil && got.Next > 0
		})
		err = p.Commit(deadline(t))
		if !errors.Is(err, kafka.ErrFenced) && !kafka.Retriable(err) {
			t.Errorf("error %v, want one that a fence helps", err)
		}
		must(t, p.Fence(deadline(t)), put(t, p, "t", 0, one(t, "b")), p.Commit(deadline(t)))
		wantValues(t, c, "t", "b")
	})
}

func TestFence(t *testing.T) {
	t.Parallel()
	for step, next := range map[string]func(*testing.T, *kafka.Transactional) error{
		"Produce":           func(t *testing.T, p *kafka.Transactional) error { return put(t, p, "t", 0, one(t, "b")) },
		"Produce elsewhere": func(t *testing.T, p *kafka.Transactional) error { return put(t, p, "u", 0, one(t, "b")) },
		"CommitOffsets": func(t *testing.T, p *kafka.Transactional) error {
			return p.CommitOffsets(deadline(t), "g", "t", committed(1))
		},
		"CommitOffsets of other": func(t *testing.T, p *kafka.Transactional) error {
			return p.CommitOffsets(deadline(t), "h", "t", committed(1))
		},
		"Commit": func(t *testing.T, p *kafka.Transactional) error { return p.Commit(deadline(t)) },
		"Abort":  func(t *testing.T, p *kafka.Transactional) error { return p.Abort(deadline(t)) },
	} {
		t.Run("keeps the older producer from "+step, func(t *testing.T) {
			t.Parallel()
			c, _ := single(t, "t", "u")
			older := producer(t, c, "id")
			must(t, put(t, older, "t", 0, one(t, "a")), older.CommitOffsets(deadline(t), "g", "t", committed(1)))
			newer := producer(t, c, "id")
			err := next(t, older)
			if step == "Produce" && !errors.Is(err, kafka.ErrFenced) && strings.Contains(err.Error(), "broker error 48") {
				err = kafka.ErrFenced // why: kfake looks at the state first; a real 4.2 broker answers 47
			}
			if !errors.Is(err, kafka.ErrFenced) || kafka.Retriable(err) {
				t.Errorf("error %v, want ErrFenced, not retriable", err)
			}
			if err := older.Commit(deadline(t)); err == nil {
				t.Error("the older producer commits")
			}
			must(t, put(t, newer, "t", 0, one(t, "c")), newer.Commit(deadline(t)))
			wantValues(t, c, "t", "c")
			wantValues(t, c, "u")
			if got, err := c.Committed(deadline(t), "g", "t", 0); got[0].Offset != -1 || err != nil {
				t.Errorf("offsets %v, error %v, want none", got, err)
			}
		})
	}

	t.Run("takes the id back", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t, "t")
		older, newer := producer(t, c, "id"), producer(t, c, "id")
		must(t, older.Fence(deadline(t)), put(t, older, "t", 0, one(t, "a")), older.Commit(deadline(t)))
		if err := put(t, newer, "t", 0, one(t, "b")); !errors.Is(err, kafka.ErrFenced) {
			t.Errorf("error %v, want ErrFenced", err)
		}
		wantValues(t, c, "t", "a")
	})
}

// TestTransactionRepeats: what a broker asks to repeat is repeated, at each step.
func TestTransactionRepeats(t *testing.T) {
	t.Parallel()
	for _, code := range []*kerr.Error{kerr.ConcurrentTransactions, kerr.CoordinatorLoadInProgress, kerr.CoordinatorNotAvailable, kerr.NotCoordinator} {
		t.Run("after "+code.Message, func(t *testing.T) {
			t.Parallel()
			c, fake := single(t, "t")
			var faults []kfake.Fault
			for _, key := range []kmsg.Key{kmsg.InitProducerID, kmsg.AddPartitionsToTxn, kmsg.AddOffsetsToTxn, kmsg.TxnOffsetCommit, kmsg.EndTxn} {
				faults = append(faults, kfake.Fault{Keys: []kmsg.Key{key}, Err: code, Count: 2})
			}
			handle := fake.Fault(faults...)
			p := producer(t, c, "id")
			must(t, put(t, p, "t", 0, one(t, "a")), p.CommitOffsets(deadline(t), "g", "t", committed(7)), p.Commit(deadline(t)))
			wantValues(t, c, "t", "a")
			if hits := handle.Hits(); hits != 10 {
				t.Errorf("%d requests failed, want 10", hits)
			}
		})
	}
}

// TestTransactionFaults: after anything else the transaction is lost, nothing
// is sent twice, and a fence makes all well.
func TestTransactionFaults(t *testing.T) {
	t.Parallel()
	lose := func(key kmsg.Key) func(*kfake.Cluster) { return func(fake *kfake.Cluster) { cut(fake, key) } }
	answer := func(key kmsg.Key, code *kerr.Error) func(*kfake.Cluster) {
		return func(fake *kfake.Cluster) { fake.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: code}) }
	}
	for _, test := range []struct {
		requirement string
		fault       func(*kfake.Cluster)
		key         kmsg.Key // of the request that may come once only
		retriable   bool
	}{
		{"a lost answer of AddPartitionsToTxn", lose(kmsg.AddPartitionsToTxn), kmsg.AddPartitionsToTxn, true},
		{"a lost answer of Produce", lose(kmsg.Produce), kmsg.Produce, true},
		{"a lost answer of AddOffsetsToTxn", lose(kmsg.AddOffsetsToTxn), kmsg.AddOffsetsToTxn, true},
		{"a lost answer of TxnOffsetCommit", lose(kmsg.TxnOffsetCommit), kmsg.TxnOffsetCommit, true},
		{"a lost answer of EndTxn", lose(kmsg.EndTxn), kmsg.EndTxn, true},
		{"an EndTxn that timed out in the broker", answer(kmsg.EndTxn, kerr.RequestTimedOut), kmsg.EndTxn, true},
		{"a partition that is refused", answer(kmsg.AddPartitionsToTxn, kerr.TopicAuthorizationFailed), kmsg.AddPartitionsToTxn, false},
		{"a batch that is refused", answer(kmsg.Produce, kerr.InvalidTimestamp), kmsg.Produce, false},
		{"a leader that has moved", answer(kmsg.Produce, kerr.NotLeaderForPartition), kmsg.Produce, true},
		{"a sequence that is out of order", answer(kmsg.Produce, kerr.OutOfOrderSequenceNumber), kmsg.Produce, true},
		{"a transaction that the coordinator does not know", answer(kmsg.EndTxn, kerr.InvalidTxnState), kmsg.EndTxn, true},
		{"a group that is refused", answer(kmsg.TxnOffsetCommit, kerr.GroupAuthorizationFailed), kmsg.TxnOffsetCommit, false},
	} {
		t.Run("stop at "+test.requirement, func(t *testing.T) {
			t.Parallel()
			c, fake := single(t, "t")
			p := producer(t, c, "id")
			requests := count(fake, test.key)
			test.fault(fake)

			err := put(t, p, "t", 0, one(t, "a"))
			if err == nil {
				err = p.CommitOffsets(deadline(t), "g", "t", committed(7))
			}
			if err == nil {
				err = p.Commit(deadline(t))
			}
			if err == nil || kafka.Retriable(err) != test.retriable {
				t.Errorf("error %v, retriable: %t, want %t", err, kafka.Retriable(err), test.retriable)
			}
			if n := requests.Load(); n != 1 {
				t.Errorf("%v was sent %d times", test.key.Name(), n)
			}
			for name, again := range map[string]error{
				"Produce": put(t, p, "t", 0, one(t, "b")), "CommitOffsets": p.CommitOffsets(deadline(t), "g", "t", committed(8)), "Commit": p.Commit(deadline(t)),
			} {
				if again == nil || !errors.Is(again, errors.Unwrap(again)) || !strings.Contains(again.Error(), "must be fenced first, after: "+err.Error()) {
					t.Errorf("%s goes on with %v", name, again)
				}
			}
			if n := requests.Load(); n != 1 {
				t.Errorf("%v was sent %d times", test.key.Name(), n)
			}

			must(t, p.Abort(deadline(t))) // a fence, now
			want := []string{"c"}
			if got := read(t, c, "t", true); len(got) > 0 {
				want = []string{"a", "c"} // it had been committed
			}
			offsets, err := c.Committed(deadline(t), "g", "t", 0)
			if (offsets[0].Offset == 7) != (len(want) == 2) || err != nil {
				t.Errorf("records are there: %t, offsets %v, error %v", len(want) == 2, offsets, err)
			}
			must(t, put(t, p, "t", 0, one(t, "c")), p.Commit(deadline(t)))
			wantValues(t, c, "t", want...)
		})
	}

	for name, response := range map[string]func(*kmsg.AddPartitionsToTxnRequest) kmsg.Response{
		"a partition that was not added": func(request *kmsg.AddPartitionsToTxnRequest) kmsg.Response { return addedError(request, 0, 29) },
		"an answer about another one":    func(request *kmsg.AddPartitionsToTxnRequest) kmsg.Response { return addedError(request, 1, 0) },
		"an answer about none":           func(request *kmsg.AddPartitionsToTxnRequest) kmsg.Response { return request.ResponseKind() },
	} {
		t.Run("never produce to "+name, func(t *testing.T) {
			t.Parallel()
			c, fake := single(t, "t")
			p := producer(t, c, "id")
			observe(fake, func(*kmsg.ProduceRequest) { t.Error("a produce was sent") })
			refuse(fake, response)
			if err := put(t, p, "t", 0, one(t, "a")); err == nil || !strings.HasPrefix(err.Error(), "add t/0 to transaction id: ") {
				t.Errorf("error %v, want one that names partition and transaction", err)
			}
		})
	}

	t.Run("never send a batch that cannot be stamped", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		p := producer(t, c, "id")
		observe(fake, func(*kmsg.ProduceRequest) { t.Error("a produce was sent") })
		broken := build(t, batch.None, values("%d", 2)...)
		broken[26]++ // one more offset than records
		if err := put(t, p, "t", 0, []batch.Batch{one(t, "a")[0], broken}); !errors.Is(err, batch.ErrNotStampable) {
			t.Errorf("error %v, want ErrNotStampable", err)
		}
		must(t, p.Fence(deadline(t)))
	})
}

// addedError answers for one partition of topic t.
func addedError(request *kmsg.AddPartitionsToTxnRequest, partition int32, code int16) kmsg.Response {
	response := request.ResponseKind().(*kmsg.AddPartitionsToTxnResponse)
	response.Topics = []kmsg.AddPartitionsToTxnResponseTopic{{Topic: "t", Partitions: []kmsg.AddPartitionsToTxnResponseTopicPartition{{Partition: partition, ErrorCode: code}}}}
	return response
}
