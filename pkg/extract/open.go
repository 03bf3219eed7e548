package extract

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// cursorPartition is the partition of every topic that exists.
const cursorPartition = 0

// open makes a cold job warm: first fence, then read.
func (e *Extractor) open(ctx context.Context) error {
	if e.producer != nil {
		e.source.begin()
		return nil
	}
	e.topics, e.batches, e.pending = map[string]topic{}, map[destination]*batching{}, nil
	main, err := e.topic(ctx, e.File.Topic())
	if err != nil {
		return err
	}
	e.fault("fence")
	producer, err := e.Target.Transactional(ctx, Group(e.Job), e.TransactionTimeout)
	if err != nil {
		return err
	}
	e.fault("read")
	committed, err := e.Target.Committed(ctx, Group(e.Job), main.name, cursorPartition)
	if err != nil {
		return fmt.Errorf("read the cursor of job %s: %w", e.Job, err)
	}
	e.cursor = cursor{Kind: e.source.kind()}
	if c := committed[cursorPartition]; c.Offset >= 0 {
		if e.cursor, err = decodeCursor(c.Metadata, c.Offset, e.source.kind()); err != nil {
			return fmt.Errorf("job %s: %w", e.Job, err)
		}
	}
	if then := e.cursor.Topic; then != "" && main.id != "" && then != main.id {
		return fmt.Errorf("job %s, topic %s: %w: its id was %s and is %s; give the job another name, and it begins anew",
			e.Job, main.name, ErrRecreated, then, main.id)
	}
	e.producer = producer
	e.source.begin()
	return nil
}

// abandon ends the transaction that may be open, and forgets what is not certain any
// more. Where that is not possible the next run fences it, or its time-out ends it.
func (e *Extractor) abandon(ctx context.Context, err error) {
	producer := e.producer
	e.producer, e.pending = nil, nil
	if producer == nil || errors.Is(err, kafka.ErrFenced) || producer.Failed() != nil && ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abandonGrace)
	defer cancel()
	if err := producer.Abort(ctx); err != nil {
		e.Log(ctx).Debug("the open transaction is left to its time-out", "job", e.Job, "reason", err)
	}
}

// abandonGrace is how long that may take: less than what a function has left when its
// context ends (ETL_DEADLINE_MARGIN).
const abandonGrace = 300 * time.Millisecond

// topic is what has to be known of where records go.
type topic struct {
	name       string
	id         string // empty where the cluster has none
	partitions int32
	maxBytes   int // of a batch; 0 where the user may not read the settings
}

// topic describes a topic, after creating it where it is missing and the job may.
func (e *Extractor) topic(ctx context.Context, name string) (topic, error) {
	if known, ok := e.topics[name]; ok {
		return known, nil
	}
	described, err := e.Target.Topic(ctx, name)
	if errors.Is(err, kafka.ErrUnknownTopic) {
		if err := e.create(ctx, name); err != nil {
			return topic{}, err
		}
		described, err = e.Target.Topic(ctx, name)
	}
	if err != nil {
		return topic{}, err
	}
	t := topic{name: name, id: described.ID.String(), partitions: int32(len(described.Partitions))}
	settings, _, err := e.Target.TopicSettings(ctx, name)
	switch {
	case errors.Is(err, kafka.ErrAuthorization), errors.Is(err, kafka.ErrUnsupported):
	case err != nil:
		return topic{}, err
	default:
		t.maxBytes, _ = strconv.Atoi(settings["max.message.bytes"]) // 0 is no bound that is known
	}
	e.topics[name] = t
	return t, nil
}

func (e *Extractor) create(ctx context.Context, name string) error {
	if !e.CreateTopics {
		return fmt.Errorf("topic %s: %w: create it, or let the job create it (CREATE_TOPICS=true)", name, kafka.ErrUnknownTopic)
	}
	spec := kafka.TopicSpec{Name: name, Partitions: e.Partitions, Settings: map[string]string{"message.timestamp.type": "CreateTime"}}
	if name == e.DeadLetters {
		// A letter is what its record was, and a little more, and waits until somebody reads it.
		spec.Settings["max.message.bytes"] = strconv.Itoa(brokersMaxBytes + letterMargin)
		spec.Settings["retention.ms"], spec.Settings["retention.bytes"], spec.Settings["cleanup.policy"] = "-1", "-1", "delete"
	}
	err := e.Target.CreateTopic(ctx, spec)
	if errors.Is(err, kafka.ErrTopicExists) {
		return nil // another run was faster
	}
	if err == nil {
		e.Log(ctx).Info("created topic", "topic", name, "partitions", e.Partitions)
	}
	return err
}

// brokersMaxBytes is max.message.bytes of a broker that is not told otherwise.
const brokersMaxBytes = 1048588

// letterMargin is what the headers of a letter may need.
const letterMargin = 64 << 10
