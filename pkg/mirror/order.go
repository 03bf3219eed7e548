package mirror

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// Where the order of the records of a key is kept, a key is held from the moment
// that one of its records goes to the dead letter: those that come later go there
// too, behind it. A record that a redrive has sent on its way again is let through,
// unless one before it was sent as often, or more often, and has failed once more.
// When as many of them were handled as there are letters, the key is let go: so it is
// let go at the right place, whatever was produced meanwhile.
//
// Which keys are held is kept in a compacted topic beside the dead letters, and
// changes in the same transaction as they.

// held are the keys of one source partition that are held.
type held struct {
	topic     targetTopic
	partition int32
	function  string // whose letters they are
	prefix    []byte // of the keys of the topic: job and source partition
	keys      map[string]hold
}

// hold is why a key is held.
type hold struct {
	Letters int64 `json:"letters"`         // of the key, not yet handled after a redrive
	Count   int   `json:"count,omitempty"` // how often the one was sent that has failed again, and waits
}

// redriven says that a record is one of ours that comes back from the dead letter.
func (h *held) redriven(redrive deadletter.Redrive) bool {
	return redrive.ID != "" && redrive.Function == h.function
}

// holds says that a record has to go behind an earlier one of its key.
func (h *held) holds(r batch.Record, redrive deadletter.Redrive) bool {
	if h == nil || r.Key == nil {
		return false
	}
	of, ok := h.keys[string(r.Key)]
	return ok && (!h.redriven(redrive) || redrive.Count <= of.Count)
}

// note counts a record that went to the dead letter, or was handled after a redrive.
// changed says that there is something to write.
func (h *held) note(r batch.Record, redrive deadletter.Redrive, refused bool) (change batch.Record, changed bool) {
	if h == nil || r.Key == nil {
		return change, false
	}
	before, held := h.keys[string(r.Key)]
	back := h.redriven(redrive)
	if !refused && (!held || !back) {
		return change, false
	}
	now := before
	if back && held {
		now.Letters-- // the letter that was redriven
	}
	switch {
	case refused:
		now.Letters++
		if back {
			now.Count = max(now.Count, redrive.Count)
		}
	default:
		now.Count = 0
	}
	if now == before {
		return change, false
	}
	change = batch.Record{Key: append(bytes.Clone(h.prefix), r.Key...), Timestamp: time.Now().UnixMilli(), Offset: r.Offset}
	if now.Letters <= 0 {
		delete(h.keys, string(r.Key))
		return change, true
	}
	h.keys[string(r.Key)] = now
	change.Value = now.encode()
	return change, true
}

func (h hold) encode() []byte {
	value, err := json.Marshal(h)
	if err != nil {
		panic(err) // a number and a text
	}
	return value
}

// holding reads which keys are held; nil where the job keeps no order. The
// partition has been fenced, so that no transaction of its own is open.
func (p *partition) holding(ctx context.Context, target targetTopic) (*held, error) {
	if !p.DeadLetters.KeepOrder || p.DeadLetters.Topic == "" {
		return nil, nil
	}
	name := deadletter.KeysTopic(p.DeadLetters.Topic)
	topic, err := p.describe(ctx, name, func() error {
		if !p.CreateTopics {
			return fmt.Errorf("%w: %s, for the keys that dead letters hold: create it with cleanup.policy=compact, or let the job create it (CREATE_TOPICS=true)", ErrMissingTopic, name)
		}
		return p.createTopic(ctx, kafka.TopicSpec{Name: name, Partitions: int(target.partitions), Settings: map[string]string{
			settingCleanup: "compact", settingTimeType: createTime,
			settingMaxBytes: p.DeadLetters.spec(target).Settings[settingMaxBytes], // a key may be as large as a record
		}})
	})
	if err != nil {
		return nil, err
	}
	h := &held{topic: topic, function: p.DeadLetters.Function, partition: p.number % topic.partitions, keys: map[string]hold{}}
	h.prefix = fmt.Appendf(nil, "%s/%s/%s/", p.Job, p.topic, strconv.FormatInt(int64(p.number), 10))
	if err := h.read(ctx, p.Target); err != nil {
		return nil, fmt.Errorf("keys that dead letters hold: %w", err)
	}
	return h, nil
}

// read reads to the end, past transactions of other partitions that are open.
func (h *held) read(ctx context.Context, c *kafka.Client) error {
	earliest, err := c.Offsets(ctx, h.topic.name, kafka.Earliest, h.partition)
	if err != nil {
		return err
	}
	end, err := c.Offsets(ctx, h.topic.name, kafka.Latest, h.partition)
	if err != nil {
		return err
	}
	for next := earliest[h.partition]; next < end[h.partition]; {
		fetched, err := c.FetchRecords(ctx, kafka.FetchRequest{Topic: h.topic.name, Partition: h.partition, Offset: next, MinBytes: 1, MaxBytes: 1 << 20, MaxWait: fetchWait, ReadCommitted: true})
		if errors.Is(err, kafka.ErrOffsetOutOfRange) { // compaction was faster
			return fmt.Errorf("%w: try again", err)
		}
		if err != nil {
			return err
		}
		for _, r := range fetched.Records {
			key, mine := bytes.CutPrefix(r.Key, h.prefix)
			switch {
			case !mine:
			case r.Value == nil:
				delete(h.keys, string(key))
			default:
				var of hold
				if err := json.Unmarshal(r.Value, &of); err != nil {
					return fmt.Errorf("%s/%d at offset %d: %w: a newer release has written it", h.topic.name, h.partition, r.Offset, err)
				}
				h.keys[string(key)] = of
			}
		}
		next = fetched.Next
	}
	return nil
}
