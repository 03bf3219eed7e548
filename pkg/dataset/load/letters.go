package load

import (
	"context"
	"crypto/sha256"
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

// deliver writes the letters of an entry, unless they have been written, and notes it beside the entry.
func (p *partition) deliver(ctx context.Context, letters []deadletter.Letter, e entry) error {
	if noted, err := p.journal.sent(ctx, e.First); noted || err != nil {
		return err
	}
	if err := p.send(ctx, letters, e.Last+1); err != nil {
		return err
	}
	return p.journal.noteSent(ctx, e.First)
}

// delivered says that the letters of an entry have been written: by the note, or else by the checkpoint. It needs no
// records. The cluster forgets a checkpoint some time after the last one (offsets.retention.minutes): so it is noted.
func (p *partition) delivered(ctx context.Context, e entry) (bool, error) {
	if noted, err := p.journal.sent(ctx, e.First); noted || err != nil || p.Letters == nil {
		return noted, err
	}
	// why not waiting for a transaction that is open: its letters are sent again, behind a fence that ends it
	done, err := p.Letters.CommittedNow(ctx, p.letterID(), p.DeadLetterTopic, 0)
	if errors.Is(err, kafka.ErrUnknownTopic) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("dead letters: %w", err)
	}
	if done[0].Offset <= e.Last {
		return false, nil
	}
	return true, p.journal.noteSent(ctx, e.First)
}

// letterID is the transactional id of letters, and the group of their checkpoint. Its end stands for the topic's id and the
// dataset: the letters of a topic that was created again, and is loaded into another one, are others.
func (p *partition) letterID() string {
	of := sha256.Sum256([]byte(p.id + "\n" + p.Dataset.Key("")))
	return fmt.Sprintf("etl.%s.%s.%d.%x", p.Job, p.topic, p.place.partition, of[:4])
}

// send writes letters, unless they have been written: with them goes a checkpoint, the next offset, in one
// transaction. It is the offset of partition 0 of the dead-letter topic in the group of letterID.
func (p *partition) send(ctx context.Context, letters []deadletter.Letter, next int64) error {
	topic, most, err := p.letterTopic(ctx)
	if err != nil {
		return err
	}
	id := p.letterID()
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
