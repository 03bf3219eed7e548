package load

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// letterTimeout is how long the broker lets the transaction of letters stay open.
const letterTimeout = time.Minute

// letterBatch is about how many bytes of letters go into one batch.
const letterBatch = 512 << 10

// letter is one about a record.
func (p *partition) letter(r batch.Record, reason error) deadletter.Letter {
	return deadletter.Letter{
		Record: r.Clone(), Topic: p.topic, Partition: p.place.partition, Function: p.Function, Version: p.Version,
		Reason: deadletter.Rejected, Error: reason.Error(), Attempt: 1,
	}
}

// send writes letters, unless they have been written: with them goes a checkpoint, the next offset, in one
// transaction. It is the offset of partition 0 of the dead-letter topic in the group etl.JOB.TOPIC.PARTITION.
func (p *partition) send(ctx context.Context, letters []deadletter.Letter, next int64) error {
	topic, most, err := p.letterTopic(ctx)
	if err != nil {
		return err
	}
	id := fmt.Sprintf("etl.%s.%s.%d", p.Job, p.topic, p.place.partition)
	producer, err := p.Letters.Transactional(ctx, id, letterTimeout) // which fences: only then is the checkpoint true
	if err != nil {
		return fmt.Errorf("dead letters: %w", err)
	}
	done, err := p.Letters.Committed(ctx, id, topic.Name, 0)
	if err != nil {
		return fmt.Errorf("dead letters: %w", err)
	}
	if done[0].Offset >= next {
		return nil
	}
	to := p.place.partition % int32(len(topic.Partitions))
	var records []batch.Record
	size := 0
	flush := func() error {
		if len(records) == 0 {
			return nil
		}
		b, err := batch.Build(batch.Options{}, records)
		if err != nil {
			return err
		}
		records, size = records[:0], 0
		_, err = producer.Produce(ctx, topic.Name, to, []batch.Batch{b})
		return err
	}
	for _, l := range letters {
		l.At = p.now()
		for _, r := range l.Records(most) {
			if size > 0 && size+len(r.Value)+len(r.Key) > min(letterBatch, most/2) {
				if err := flush(); err != nil {
					return fmt.Errorf("dead letters: %w", err)
				}
			}
			records, size = append(records, r), size+len(r.Value)+len(r.Key)+1024
		}
	}
	err = flush()
	if err == nil {
		err = producer.CommitOffsets(ctx, id, topic.Name, map[int32]kafka.Committed{0: {Offset: next}})
	}
	if err == nil {
		err = producer.Commit(ctx)
	}
	if err != nil {
		return fmt.Errorf("dead letters: %w", err)
	}
	return nil
}

// letterTopic makes the topic where it is missing, and says what it takes.
func (p *partition) letterTopic(ctx context.Context) (kafka.Topic, int, error) {
	const defaultMost = 1 << 20
	topic, err := p.Letters.Topic(ctx, p.DeadLetterTopic)
	if errors.Is(err, kafka.ErrUnknownTopic) {
		err = p.Letters.CreateTopic(ctx, kafka.TopicSpec{Name: p.DeadLetterTopic, Partitions: 1, Settings: map[string]string{
			"message.timestamp.type": "CreateTime", "retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete",
		}})
		if err == nil || errors.Is(err, kafka.ErrTopicExists) {
			topic, err = p.Letters.Topic(ctx, p.DeadLetterTopic)
		}
	}
	if err != nil {
		return topic, 0, fmt.Errorf("dead-letter topic: %w", err)
	}
	settings, _, err := p.Letters.TopicSettings(ctx, p.DeadLetterTopic)
	if err != nil {
		return topic, 0, fmt.Errorf("dead-letter topic: %w", err)
	}
	most, err := strconv.Atoi(settings["max.message.bytes"])
	if err != nil || most <= 0 {
		most = defaultMost
	}
	return topic, most, nil
}
