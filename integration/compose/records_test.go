package compose

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// codecs are those of the partitions.
var codecs = [partitions]batch.Codec{batch.None, batch.Gzip, batch.Snappy, batch.LZ4, batch.Zstd}

func open(t *testing.T, ctx context.Context, broker string) *kafka.Client {
	t.Helper()
	c, err := kafka.Open(ctx, kafka.Config{Brokers: []string{broker}, MetadataTTL: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// allowSpecial makes the topic take the special records.
func (p *project) allowSpecial(t *testing.T) {
	t.Helper()
	admin, err := kgo.NewClient(kgo.SeedBrokers(p.source))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	resource := kmsg.NewIncrementalAlterConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, topic
	for name, value := range sample.TopicSettings() {
		setting := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		setting.Name, setting.Value = name, kmsg.StringPtr(value)
		resource.Configs = append(resource.Configs, setting)
	}
	request := kmsg.NewPtrIncrementalAlterConfigsRequest()
	request.Resources = append(request.Resources, resource)
	response, err := request.RequestWith(p.ctx, admin)
	if err != nil {
		t.Fatal(err)
	}
	if r := response.Resources[0]; r.ErrorCode != 0 {
		t.Fatalf("settings of topic %s: error code %d", topic, r.ErrorCode)
	}
}

// fill writes every special record and n plain ones to each partition, with the
// partition's compression.
func (p *project) fill(t *testing.T, source *kafka.Client, n int) {
	t.Helper()
	for partition, codec := range codecs {
		for i, special := range sample.Special() {
			if err := send(p.ctx, source, int32(partition), codec, []batch.Record{special}); err != nil {
				t.Fatalf("special record %d: %v", i, err)
			}
		}
		for plain := sample.Plain(n, 200, uint64(partition)); len(plain) > 0; {
			size := min(200, len(plain))
			if err := send(p.ctx, source, int32(partition), codec, plain[:size]); err != nil {
				t.Fatal(err)
			}
			plain = plain[size:]
		}
	}
}

func send(ctx context.Context, source *kafka.Client, partition int32, codec batch.Codec, records []batch.Record) error {
	b, err := batch.Build(batch.Options{Codec: codec}, records)
	if err != nil {
		return err
	}
	_, err = source.ProduceBatches(ctx, topic, partition, "", []batch.Batch{b})
	return err
}

// trickle writes a batch to one partition after the other, some 250 records a
// second, until stop is called, so that whatever happens meanwhile happens in the
// middle of a copy. A broker that is away is waited for: what was sent twice is
// twice in the source.
func (p *project) trickle(t *testing.T, source *kafka.Client) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(p.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for n := 0; ctx.Err() == nil; {
			partition := n % partitions
			if send(ctx, source, int32(partition), codecs[partition], sample.Plain(50, 200, uint64(1000+n))) == nil {
				n++
			}
			select {
			case <-ctx.Done():
			case <-tick.C:
			}
		}
	}()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

func numbers() []int32 {
	var all []int32
	for n := range int32(partitions) {
		all = append(all, n)
	}
	return all
}

// awaitNew waits until every partition of the source has grown from now on: what
// is copied after that was written after whatever was done before.
func (p *project) awaitNew(t *testing.T, source *kafka.Client) {
	t.Helper()
	var before map[int32]int64
	p.await(t, "new records in every partition of the source", func() (bool, error) {
		ends, err := source.Offsets(p.ctx, topic, kafka.Latest, numbers()...)
		if err != nil {
			return false, err
		}
		if before == nil {
			before = ends
		}
		for n, end := range ends {
			if end == before[n] {
				return false, fmt.Errorf("partition %d is still at %d", n, end)
			}
		}
		return true, nil
	})
}

// awaitCopied waits until the job has copied what the source holds now. Both
// clusters may be away for a while.
func (p *project) awaitCopied(t *testing.T, source, target *kafka.Client) {
	t.Helper()
	var ends map[int32]int64
	p.await(t, "the source tells its ends", func() (_ bool, err error) {
		ends, err = source.Offsets(p.ctx, topic, kafka.Latest, numbers()...)
		return err == nil, err
	})
	p.await(t, "the checkpoints reach the end of the source", func() (bool, error) {
		checkpoints, err := mirror.Checkpoints(p.ctx, target, job, topic, topic, numbers()...)
		if err != nil {
			return false, err
		}
		for _, n := range numbers() {
			if checkpoints[n].Next < ends[n] {
				return false, fmt.Errorf("partition %d is at %d of %d", n, checkpoints[n].Next, ends[n])
			}
		}
		return true, nil
	})
}
