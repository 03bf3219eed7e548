package chaos_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/scf-etl/scf-etl/integration/chaos"
	"github.com/scf-etl/scf-etl/integration/kafkatest"
)

// producer writes the records of a run, as far as it is allowed to, and notes
// what was acknowledged. It writes none again: where its client ends before an
// answer, the record is there once or not at all.
type producer struct {
	content chaos.Content
	lanes   []lane
	ledgers []chaos.Ledger // by lane
	begun   int            // how many records of each lane it was told to write

	mu         sync.RWMutex // held to produce: an abandoned client gets nothing more
	cluster    *kafkatest.Cluster
	clients    []*kgo.Client // by lane
	generation int

	allowed  chan struct{} // closed when quota has grown
	quotaMu  sync.Mutex
	quota    int // records a lane
	writers  sync.WaitGroup
	awaiting sync.WaitGroup // records whose fate is open
	refused  error          // by the broker; guarded by quotaMu
}

// newProducer connects to a cluster, and writes nothing yet.
func newProducer(t *testing.T, content chaos.Content, lanes []lane, cluster *kafkatest.Cluster) *producer {
	t.Helper()
	p := &producer{
		content: content, lanes: lanes, ledgers: make([]chaos.Ledger, len(lanes)), cluster: cluster, allowed: make(chan struct{}),
	}
	if err := p.connect(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	return p
}

// start has it write each lane up to so many records, as far as it is allowed to.
func (p *producer) start(ctx context.Context, each int) {
	from := p.begun
	p.begun = each
	for i := range p.lanes {
		p.writers.Go(func() { p.write(ctx, i, from, each) })
	}
}

// move has it go on at another cluster, once it has finished at this one.
func (p *producer) move(cluster *kafkatest.Cluster) error {
	p.mu.Lock()
	p.cluster = cluster
	p.mu.Unlock()
	return p.abandon()
}

// connect makes a client a lane: codec and size of its batches are other
// ones for each, and for each generation.
func (p *producer) connect() error {
	codecs := []kgo.CompressionCodec{
		kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression(),
	}
	p.clients = make([]*kgo.Client, len(p.lanes))
	for i, lane := range p.lanes {
		client, err := kgo.NewClient(
			kgo.SeedBrokers(p.cluster.Brokers...), kgo.DefaultProduceTopic(lane.topic), kgo.RecordPartitioner(kgo.ManualPartitioner()),
			kgo.ProducerBatchCompression(codecs[(i+p.generation)%len(codecs)]),
			kgo.ProducerBatchMaxBytes(int32(4<<10<<((i+p.generation)%5))), // 4 to 64 KB
			// why one: a broker that was started again knows only the last batch of a
			// producer, and takes an earlier one that is sent again for another one
			kgo.MaxProduceRequestsInflightPerBroker(1),
			kgo.ProducerLinger(time.Millisecond), kgo.MaxBufferedRecords(1<<30), // the quota is the bound
			kgo.ProduceRequestTimeout(2*time.Second), kgo.RequestTimeoutOverhead(3*time.Second), // a lost connection is noticed soon
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
	p.quota = max(p.quota, (records+len(p.lanes)-1)/len(p.lanes))
	close(p.allowed)
	p.allowed = make(chan struct{})
}

// abandon ends the clients with what they have under way and makes new ones. It
// is called while the cluster is dead, so that nothing of the old ones arrives
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
		return fmt.Errorf("the producer has had no answer for %v; records without one, by lane: %v", patience, open)
	}
	p.quotaMu.Lock()
	defer p.quotaMu.Unlock()
	return p.refused
}

func (p *producer) write(ctx context.Context, lane, from, end int) {
	for number := from; number < end; number++ {
		if !p.await(ctx, number) {
			return
		}
		r := p.content.Record(int32(lane), number)
		record := &kgo.Record{Partition: p.lanes[lane].partition, Key: r.Key, Value: r.Value, Timestamp: time.UnixMilli(r.Timestamp)}
		for _, h := range r.Headers {
			record.Headers = append(record.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
		}
		p.awaiting.Add(1)
		p.mu.RLock()
		p.clients[lane].Produce(ctx, record, func(_ *kgo.Record, err error) {
			defer p.awaiting.Done()
			switch err {
			case nil:
				p.ledgers[lane].Acknowledge(number)
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
		if client != nil {
			client.Close()
		}
	}
}
