package matrix

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/scf-etl/scf-etl/integration/kafkatest"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
)

// format is a way in which a release stores records, and a row of the table.
type format struct {
	name        string
	magic       int8
	since, till release           // the releases that can hold it; till is not one of them
	settings    map[string]string // of the source topic
	codecs      []kgo.CompressionCodec
	ahead       bool // records with timestamps that are still to come
	transacted  bool
}

const always release = "1000"

// The releases in which something has changed.
const (
	transactionsSince release = "0.11" // and headers: KIP-98, KIP-82
	zstdSince         release = "2.1"  // KIP-110
	oldFormatsTill    release = "3.0"  // message.format.version has no effect from then on: KIP-724
	timeLimitsSince   release = "3.6"  // message.timestamp.after.max.ms: KIP-937
)

var (
	oldCodecs = []kgo.CompressionCodec{kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression()}
	zstd      = []kgo.CompressionCodec{kgo.ZstdCompression()}
)

var plain = format{name: "magic 2", magic: 2, since: transactionsSince, till: always, codecs: oldCodecs}

// formats are the rows of the table, for each release that has them.
var formats = []format{
	{name: "magic 0", magic: 0, since: "0.10", till: oldFormatsTill, settings: map[string]string{"message.format.version": "0.9.0"}, codecs: oldCodecs},
	{name: "magic 1", magic: 1, since: "0.10", till: oldFormatsTill, settings: map[string]string{"message.format.version": "0.10.2"}, codecs: oldCodecs},
	plain,
	{name: "magic 2, transactions", magic: 2, since: transactionsSince, till: always, codecs: oldCodecs[:1], transacted: true},
	{name: "magic 2, zstd", magic: 2, since: zstdSince, till: always, codecs: zstd},
	{name: "magic 2, times ahead", magic: 2, since: transactionsSince, till: always, codecs: oldCodecs[:1], ahead: true},
}

func (f format) of(r release) bool { return !r.before(f.since) && r.before(f.till) }

// filled is a topic that holds records of a format, and what a reader of
// committed records must find in it.
type filled struct {
	format
	topic   string
	digests []string // by partition
	records int64
}

// fill makes a topic on the source, with a partition for each codec.
func (f format) fill(t *testing.T, source cluster) filled {
	t.Helper()
	topic := kafkatest.Topic(t)
	settings := map[string]string{"retention.ms": "-1"} // records of 1970 stay
	for key, value := range f.settings {
		settings[key] = value
	}
	if f.ahead && !source.before(timeLimitsSince) {
		settings["message.timestamp.after.max.ms"] = sample.TopicSettings()["message.timestamp.after.max.ms"]
	}
	if err := source.CreateTopic(t.Context(), kafka.TopicSpec{Name: topic, Partitions: len(f.codecs), Replication: 1, Settings: settings}); err != nil {
		t.Fatal(err)
	}
	result := filled{format: f, topic: topic}
	for partition, codec := range f.codecs {
		var committed []batch.Record
		if f.transacted {
			committed = transactions(t, source, topic)
		} else {
			committed = f.records(uint64(partition))
			client := producer(t, source, topic, kgo.ProducerBatchCompression(codec), f.idempotence())
			produce(t, client, int32(partition), committed)
		}
		var digest batch.Digest
		for _, r := range committed {
			if f.magic == 0 {
				r.Timestamp = -1 // it has none
			}
			digest.Add(r)
		}
		result.digests = append(result.digests, digest.String())
		result.records += int64(len(committed))
	}
	f.verify(t, source, topic)
	return result
}

// idempotence is not for topics of old formats.
func (f format) idempotence() kgo.Opt {
	if f.magic < 2 {
		return kgo.DisableIdempotentWrite()
	}
	return kgo.RequiredAcks(kgo.AllISRAcks())
}

// records are plain and special ones, as far as the format can hold them.
func (f format) records(seed uint64) []batch.Record {
	special := slices.DeleteFunc(sample.Special(), func(r batch.Record) bool {
		ahead := r.Timestamp > time.Now().UnixMilli()
		return ahead && !f.ahead || f.magic < 2 && len(r.Headers) > 0
	})
	return slices.Concat(sample.Plain(100, 200, seed), special, sample.Plain(100, 200, seed+1000))
}

// producer is another client than the one that is tested, so that nothing is
// judged by itself.
func producer(t *testing.T, source cluster, topic string, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append(options,
		kgo.SeedBrokers(source.brokers...), kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// together is how many records go into one batch.
const together = 7

func produce(t *testing.T, client *kgo.Client, partition int32, records []batch.Record) {
	t.Helper()
	for chunk := range slices.Chunk(records, together) {
		var send []*kgo.Record
		for _, r := range chunk {
			record := &kgo.Record{Partition: partition, Key: r.Key, Value: r.Value, Timestamp: time.UnixMilli(r.Timestamp)}
			for _, h := range r.Headers {
				record.Headers = append(record.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
			}
			send = append(send, record)
		}
		if err := client.ProduceSync(t.Context(), send...).FirstErr(); err != nil {
			t.Fatalf("produce: %v", err)
		}
	}
}

// transactions has two producers write side by side, of which every other
// transaction is aborted, and a third one without transactions. It gives the
// records that count.
func transactions(t *testing.T, source cluster, topic string) []batch.Record {
	t.Helper()
	plain := producer(t, source, topic)
	var transacted []*kgo.Client
	for i := range 2 {
		transacted = append(transacted, producer(t, source, topic, kgo.TransactionalID(topic+"-"+strconv.Itoa(i))))
	}
	var committed []batch.Record
	for round := range 6 {
		for i, client := range transacted {
			if err := client.BeginTransaction(); err != nil {
				t.Fatal(err)
			}
			records := sample.Plain(together, 100, uint64(round*2+i))
			produce(t, client, 0, records)
			if commits(round, i) {
				committed = append(committed, records...)
			}
		}
		records := sample.Plain(together, 100, uint64(1000+round))
		produce(t, plain, 0, records)
		committed = append(committed, records...)
		for i, client := range transacted {
			if err := client.EndTransaction(t.Context(), kgo.TransactionEndTry(commits(round, i))); err != nil {
				t.Fatal(err)
			}
		}
	}
	return committed
}

func commits(round, producer int) bool { return (round+producer)%2 == 0 }

// verify makes sure that the source stores what the row says.
func (f format) verify(t *testing.T, source cluster, topic string) {
	t.Helper()
	const atMagic = 16
	for partition := range f.codecs {
		var buf kafka.Buffer
		answer, err := source.Fetch(t.Context(), kafka.FetchRequest{Topic: topic, Partition: int32(partition), MinBytes: 1, MaxWait: time.Minute}, &buf)
		if err != nil {
			t.Fatal(err)
		}
		for stored, err := range answer.Visible(false) {
			if err != nil {
				t.Fatal(err)
			}
			bytes := []byte(stored.Batch)
			if stored.Message != nil {
				bytes = stored.Message
			}
			if magic := int8(bytes[atMagic]); magic != f.magic {
				t.Fatalf("Kafka %s stores magic %d in partition %d, want %d", source.release, magic, partition, f.magic)
			}
		}
	}
}
