package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/media/transcode"
)

// topics are those that the function writes to. It connects when it first does.
type topics struct {
	config            Config
	function, version string
	client            *kafka.Client
}

func (t *topics) open(ctx context.Context) error {
	if t.client != nil {
		return nil
	}
	client, err := kafka.Open(ctx, t.config.Source)
	if err == nil {
		t.client = client
	}
	return err
}

// publish sends the messages of pieces, spread over the partitions of the topic: as many are
// done at once as it has. A message that is there twice does no harm, so a repeat may send all
// of them again.
func (t *topics) publish(ctx context.Context, pieces []transcode.Piece) error {
	if err := t.open(ctx); err != nil {
		return err
	}
	topic, err := t.client.Topic(ctx, t.config.JobsTopic)
	if err != nil {
		return err
	}
	records := make(map[int][]batch.Record)
	for i, p := range pieces {
		body, err := json.Marshal(transcode.Message{Piece: &p})
		if err != nil {
			return err
		}
		n := i % len(topic.Partitions)
		records[n] = append(records[n], batch.Record{Key: []byte(p.Job), Value: body, Timestamp: time.Now().UnixMilli()})
	}
	for n, list := range records {
		if _, err := t.client.Produce(ctx, topic.Name, topic.Partitions[n].ID, list...); err != nil {
			return err
		}
	}
	return nil
}

// mostLetter is below what a broker takes by default, 1 MiB.
const mostLetter = 1000 << 10

// bury puts a message whose job failed into the topic of dead letters, where there is one.
func (t *topics) bury(ctx context.Context, r event.KafkaRecord, failed []transcode.Failed) error {
	if t.config.DeadLetterTopic == "" {
		return nil
	}
	if err := t.open(ctx); err != nil {
		return err
	}
	topic, err := t.deadLetters(ctx)
	if err != nil {
		return err
	}
	var reasons []string
	for _, f := range failed {
		reasons = append(reasons, fmt.Sprintf("%s (%s)", f.Error, f.Object))
	}
	key := r.Key
	if r.NullKey() {
		key = nil
	}
	now := time.Now()
	letter := deadletter.Letter{
		Record: batch.Record{Offset: r.Offset, Timestamp: -1, Key: key, Value: r.Body}, Topic: r.Topic, Partition: r.Partition,
		Function: t.function, Version: t.version, Reason: deadletter.Rejected, Error: strings.Join(reasons, "; "), Attempt: 1, At: now,
	}
	to := topic.Partitions[int(r.Partition)%len(topic.Partitions)]
	_, err = t.client.Produce(ctx, topic.Name, to.ID, letter.Records(mostLetter)...)
	return err
}

// deadLetters is the topic of dead letters, which is created where it is missing: without an
// end of its retention.
func (t *topics) deadLetters(ctx context.Context) (kafka.Topic, error) {
	name := t.config.DeadLetterTopic
	topic, err := t.client.Topic(ctx, name)
	if !errors.Is(err, kafka.ErrUnknownTopic) {
		return topic, err
	}
	err = t.client.CreateTopic(ctx, kafka.TopicSpec{Name: name, Partitions: 1, Settings: map[string]string{
		"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete",
	}})
	if err != nil && !errors.Is(err, kafka.ErrTopicExists) {
		return kafka.Topic{}, err
	}
	return t.client.Topic(ctx, name)
}

func (t *topics) close() error {
	if t.client == nil {
		return nil
	}
	return t.client.Close()
}
