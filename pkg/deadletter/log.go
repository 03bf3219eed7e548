package deadletter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// LogTopic is the topic beside a dead-letter topic that records what was sent on
// its way again. Its one partition has no end of its retention.
func LogTopic(deadLetterTopic string) string { return deadLetterTopic + ".redrives" }

const (
	logPartition = 0
	logFormat    = 1
)

// Entry is one record of the redrive log, as JSON; its key is the position of the
// letter.
type Entry struct {
	Format int      `json:"format"`
	Step   Step     `json:"step"`
	ID     string   `json:"id"` // of the sending: see [Redrive]
	Letter Position `json:"letter"`
	Of     Origin   `json:"of"`
	// Cluster has the topic; "" where brokers do not tell.
	Cluster   string `json:"cluster,omitempty"`
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	// Offset is where the record is; of an intent, where the partition ended
	// before it was sent.
	Offset int64     `json:"offset"`
	Count  int       `json:"count"`
	Edited bool      `json:"edited,omitempty"`
	At     time.Time `json:"at"`
}

// Step says what an entry is about.
type Step string

// The steps. An intent is followed by sent or unsent. Where one transaction holds
// the record and the entry, there is only sent.
const (
	Intent Step = "intent"
	Sent   Step = "sent"
	Unsent Step = "unsent"
)

// Origin tells letters apart that had the same position, one after the other: the
// topic was deleted in between.
type Origin struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
	Failed    int64  `json:"failed"` // ms since 1970
}

func originOf(l Letter) Origin {
	return Origin{Topic: l.Topic, Partition: l.Partition, Offset: l.Record.Offset, Failed: l.At.UnixMilli()}
}

func decodeEntry(value []byte) (Entry, error) {
	var head struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(value, &head); err != nil {
		return Entry{}, err
	}
	if head.Format != logFormat {
		return Entry{}, fmt.Errorf("its format is %d: a newer release reads it", head.Format)
	}
	var e Entry
	if err := json.Unmarshal(value, &e); err != nil {
		return Entry{}, err
	}
	switch e.Step {
	case Intent, Sent, Unsent:
		return e, nil
	}
	return Entry{}, fmt.Errorf("its step %.20q is unknown: a newer release reads it", e.Step)
}

// Log is what a redrive log says of letters.
type Log struct{ letters map[Position]*history }

// history is that of the letters at one position.
type history struct {
	sent   []Entry
	intent *Entry // that nothing follows
}

func (l Log) add(e Entry) {
	h := l.letters[e.Letter]
	if h == nil {
		h = &history{}
		l.letters[e.Letter] = h
	}
	switch e.Step {
	case Intent:
		h.intent = &e
	case Sent:
		h.sent = append(h.sent, e)
		h.intent = nil
	case Unsent:
		h.intent = nil
	}
}

// Status is what became of a letter.
type Status string

// The statuses.
const (
	Open     Status = "open" // nobody has sent it
	Redriven Status = "redriven"
	// Interrupted: a redrive ended while it was being sent. The next one looks
	// whether it was.
	Interrupted Status = "interrupted"
)

// Status gives that of a letter, and how often it was sent.
func (l Log) Status(f Found) (Status, []Entry) {
	h := l.letters[f.Position]
	if h == nil {
		return Open, nil
	}
	var sent []Entry
	for _, e := range h.sent {
		if e.Of == originOf(f.Letter) {
			sent = append(sent, e)
		}
	}
	switch {
	case h.intent != nil && h.intent.Of == originOf(f.Letter):
		return Interrupted, sent
	case len(sent) > 0:
		return Redriven, sent
	}
	return Open, nil
}

// intents gives the entries that nothing follows.
func (l Log) intents() []Entry {
	var found []Entry
	for _, h := range l.letters {
		if h.intent != nil {
			found = append(found, *h.intent)
		}
	}
	return found
}

// Log reads the redrive log of the topic. It is empty where there is none; an
// entry that cannot be read is an error, because what it says is not known.
func (t Topic) Log(ctx context.Context) (Log, error) {
	log := Log{letters: map[Position]*history{}}
	name := LogTopic(t.Name)
	_, err := t.Client.Topic(ctx, name) // the cluster itself: what this client has heard may be old
	if errors.Is(err, kafka.ErrUnknownTopic) {
		return log, nil
	}
	if err != nil {
		return log, fmt.Errorf("redrive log: %w", err)
	}
	from, end, err := bounds(ctx, t.Client, name, kafka.Earliest, logPartition)
	if err != nil {
		return log, fmt.Errorf("redrive log: %w", err)
	}
	s := span{topic: name, partition: logPartition, from: from[logPartition], end: end[logPartition]}
	err = s.read(ctx, t.Client, func(r batch.Record) error {
		e, err := decodeEntry(r.Value)
		if err != nil {
			return fmt.Errorf("%s/%d offset %d is no entry of a redrive log: %w", name, logPartition, r.Offset, err)
		}
		log.add(e)
		return nil
	}, func(int64) {})
	return log, err
}

// ensureLog creates the redrive log where it is missing.
func (t Topic) ensureLog(ctx context.Context) error {
	name := LogTopic(t.Name)
	_, err := t.Client.Topic(ctx, name)
	if errors.Is(err, kafka.ErrUnknownTopic) {
		err = t.Client.CreateTopic(ctx, kafka.TopicSpec{Name: name, Partitions: 1, Settings: map[string]string{
			"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1", "message.timestamp.type": "CreateTime",
		}})
		if errors.Is(err, kafka.ErrTopicExists) {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("redrive log: %w", err)
	}
	return nil
}

// append writes entries in the open transaction of a producer.
func (t Topic) append(ctx context.Context, producer *kafka.Transactional, entries []Entry) error {
	records := make([]batch.Record, len(entries))
	for i, e := range entries {
		value, err := json.Marshal(e)
		if err != nil {
			return err
		}
		records[i] = batch.Record{Timestamp: e.At.UnixMilli(), Key: []byte(e.Letter.String()), Value: value}
	}
	b, err := batch.Build(batch.Options{Codec: batch.Gzip}, records)
	if err == nil {
		_, err = producer.Produce(ctx, LogTopic(t.Name), logPartition, []batch.Batch{b})
	}
	if err != nil {
		return fmt.Errorf("redrive log: %w", err)
	}
	return nil
}
