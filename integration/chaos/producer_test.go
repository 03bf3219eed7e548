package chaos_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/scf-etl/scf-etl/integration/chaos"
)

const partitions = 4

// producer writes the records of a run to the source, as far as it is allowed
// to, and notes what was acknowledged. It writes none again: where its client
// ends before an answer, the record is there once or not at all.
type producer struct {
	content chaos.Content
	brokers []string
	ledgers [partitions]chaos.Ledger

	mu         sync.RWMutex // held to produce: an abandoned client gets nothing more
	clients    [partitions]*kgo.Client
	generation int

	allowed  chan struct{} // closed when quota has grown
	quotaMu  sync.Mutex
	quota    int // records a partition
	writers  sync.WaitGroup
	awaiting sync.WaitGroup // records whose fate is open
	refused  error          // by the broker; guarded by quotaMu
}

// newProducer starts writing so many records to each partition.
func newProducer(t *testing.T, content chaos.Content, brokers []string, each int) *producer {
	t.Helper()
	p := &producer{content: content, brokers: brokers, allowed: make(chan struct{})}
	if err := p.connect(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	for partition := range int32(partitions) {
		p.writers.Go(func() { p.write(t.Context(), partition, each) })
	}
	return p
}

// connect makes a client a partition: codec and size of its batches are other
// ones for each, and for each generation.
func (p *producer) connect() error {
	codecs := []kgo.CompressionCodec{
		kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression(),
	}
	for i := range p.clients {
		client, err := kgo.NewClient(
			kgo.SeedBrokers(p.brokers...), kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()),
			kgo.ProducerBatchCompression(codecs[(i+p.generation)%len(codecs)]),
			kgo.ProducerBatchMaxBytes(int32(4<<10<<((i+p.generation)%5))), // 4 to 64 KB
			// why one: a broker that was started again knows only the last batch of a
			// producer, and takes an earlier one that is sent again for another one
			kgo.MaxProduceRequestsInflightPerBroker(1),
			kgo.ProducerLinger(time.Millisecond), kgo.MaxBufferedRecords(1<<30), // the quota is the bound
			kgo.ProduceRequestTimeout(5*time.Second), kgo.RequestTimeoutOverhead(5*time.Second),
			kgo.UnknownTopicRetries(-1),
			kgo.AlwaysRetryEOF(), // a broker that is killed during a connection's first answer is no wrong setting
		)
		if err != nil {
			return err
		}
		p.clients[i] = client
	}
	p.generation++
	return nil
}

// allow lets it write so many records in all.
func (p *producer) allow(records int) {
	p.quotaMu.Lock()
	defer p.quotaMu.Unlock()
	p.quota = max(p.quota, (records+partitions-1)/partitions)
	close(p.allowed)
	p.allowed = make(chan struct{})
}

// abandon ends the clients with what they have under way and makes new ones. It
// is called while the source is dead, so that nothing of the old ones arrives
// behind the first record of the new ones.
func (p *producer) abandon() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closeClients()
	return p.connect()
}

// finish waits until the fate of every record is known.
func (p *producer) finish() error {
	done := make(chan struct{})
	go func() {
		p.writers.Wait()
		p.awaiting.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(patience):
		var open []int64
		for _, client := range p.clients {
			open = append(open, client.BufferedProduceRecords())
		}
		return fmt.Errorf("the producer has had no answer for %v; records without one, by partition: %v", patience, open)
	}
	p.quotaMu.Lock()
	defer p.quotaMu.Unlock()
	return p.refused
}

func (p *producer) write(ctx context.Context, partition int32, each int) {
	for number := range each {
		if !p.await(ctx, number) {
			return
		}
		r := p.content.Record(partition, number)
		record := &kgo.Record{Partition: partition, Key: r.Key, Value: r.Value, Timestamp: time.UnixMilli(r.Timestamp)}
		for _, h := range r.Headers {
			record.Headers = append(record.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
		}
		p.awaiting.Add(1)
		p.mu.RLock()
		p.clients[partition].Produce(ctx, record, func(_ *kgo.Record, err error) {
			defer p.awaiting.Done()
			switch err {
			case nil:
				p.ledgers[partition].Acknowledge(number)
			case kgo.ErrClientClosed: // abandoned
			default:
				p.quotaMu.Lock()
				p.refused = err
				p.quotaMu.Unlock()
			}
		})
		p.mu.RUnlock()
	}
}

// await waits until a record is allowed; it is false where ctx ends before.
func (p *producer) await(ctx context.Context, number int) bool {
	for {
		p.quotaMu.Lock()
		ok, allowed := number < p.quota, p.allowed
		p.quotaMu.Unlock()
		if ok {
			return true
		}
		select {
		case <-allowed:
		case <-ctx.Done():
			return false
		}
	}
}

func (p *producer) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closeClients()
}

func (p *producer) closeClients() {
	for _, client := range p.clients {
		client.Close()
	}
}
