package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// What one call of the writer gets: it cuts that into batches of at most
// writerBatchBytes, and sends them one after the other.
const (
	writerMessages   = 20_000
	writerBytes      = 8 << 20
	writerBatchBytes = 1_000_000
)

// runKafkaGo is a Reader and a Writer of kafka-go for each partition, tuned. It
// is at-least-once, since kafka-go has no idempotent producer, and commits no
// position, which is in its favour.
func runKafkaGo(ctx context.Context, t task) (outcome, error) {
	each := t.records / int64(t.partitions)
	begun := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	for _, p := range t.numbers() {
		group.Go(func() error {
			if err := t.kafkaGoPartition(ctx, int(p), each); err != nil {
				return fmt.Errorf("partition %d: %w", p, err)
			}
			return nil
		})
	}
	err := group.Wait()
	return since(begun, each*int64(t.partitions)), err
}

// kafkaGoPartition reads ahead while it writes.
func (t task) kafkaGoPartition(ctx context.Context, p int, records int64) (err error) {
	reader := kafkago.NewReader(kafkago.ReaderConfig{
		Brokers: []string{t.source}, Topic: t.from, Partition: p, QueueCapacity: 20_000,
		MinBytes: 1, MaxBytes: 8 << 20, MaxWait: 200 * time.Millisecond, ReadBackoffMin: time.Millisecond,
	})
	transport := &kafkago.Transport{}
	writer := &kafkago.Writer{
		Addr: kafkago.TCP(t.target), Topic: t.to, Transport: transport, RequiredAcks: kafkago.RequireAll,
		Balancer:  kafkago.BalancerFunc(func(kafkago.Message, ...int) int { return p }),
		BatchSize: writerMessages, BatchBytes: writerBatchBytes, BatchTimeout: 5 * time.Millisecond,
		Compression: kafkaGoCodec(t.codec),
	}
	defer func() {
		transport.CloseIdleConnections()
		err = errors.Join(err, reader.Close())
	}()
	read := make(chan []kafkago.Message)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(read)
		return gather(ctx, reader, records, read)
	})
	group.Go(func() error {
		for messages := range read {
			if err := writer.WriteMessages(ctx, messages...); err != nil {
				return err
			}
		}
		return writer.Close()
	})
	return group.Wait()
}

// gather reads records and hands them on, many at a time.
func gather(ctx context.Context, reader *kafkago.Reader, records int64, out chan<- []kafkago.Message) error {
	var messages []kafkago.Message
	size := 0
	for n := int64(1); n <= records; n++ {
		m, err := reader.ReadMessage(ctx)
		if err != nil {
			return err
		}
		size += len(m.Key) + len(m.Value)
		messages = append(messages, kafkago.Message{Key: m.Key, Value: m.Value, Headers: m.Headers, Time: m.Time})
		if len(messages) < writerMessages && size < writerBytes && n < records {
			continue
		}
		select {
		case out <- messages:
			messages, size = nil, 0
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// kafkaGoCodec is the codec by its number, which is Kafka's in both; 0 is none.
func kafkaGoCodec(c batch.Codec) kafkago.Compression { return kafkago.Compression(c) }
