package deadletter

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// resolve records whether the records of intents were sent: a record with the
// intent's ID is in the partition, from the intent's offset on, or it is not and
// will not be, because the producer that could commit it has been fenced.
//
// What cannot be known stays as it is: an intent of another cluster, of a topic
// that is gone, or of one whose retention has removed records since.
func (s *session) resolve(ctx context.Context, intents []Entry) error {
	slices.SortFunc(intents, func(a, b Entry) int { return cmp.Or(cmp.Compare(a.Offset, b.Offset), a.Letter.Compare(b.Letter)) })
	byPlace := map[place][]Entry{}
	var places []place
	for _, e := range intents {
		at := place{e.Topic, e.Partition}
		if e.Cluster != s.cluster {
			continue
		}
		if byPlace[at] == nil {
			places = append(places, at)
		}
		byPlace[at] = append(byPlace[at], e)
	}
	for _, at := range places {
		if err := s.resolveAt(ctx, at, byPlace[at]); err != nil {
			return err
		}
	}
	return nil
}

// resolveAt does so in one partition; the intents are in order of their offsets.
func (s *session) resolveAt(ctx context.Context, at place, intents []Entry) error {
	topic, err := s.Source.Topic(ctx, at.topic)
	if errors.Is(err, kafka.ErrUnknownTopic) || err == nil && int(at.partition) >= len(topic.Partitions) {
		return nil
	}
	if err != nil {
		return err
	}
	// not the stable end: behind another producer's open transaction there may be
	// records of ours
	end, err := latest(ctx, s.Source, at)
	if err != nil {
		return err
	}
	from, _, err := bounds(ctx, s.Source, at.topic, kafka.Earliest, at.partition)
	if err != nil {
		return err
	}
	found := map[string]int64{}
	first := max(intents[0].Offset, from[at.partition])
	err = span{topic: at.topic, partition: at.partition, from: first, end: end}.read(ctx, s.Source, func(r batch.Record) error {
		if _, redrive := TakeRedrive(r); redrive.ID != "" {
			found[redrive.ID] = r.Offset
		}
		return nil
	}, func(int64) {})
	if err != nil {
		return err
	}
	var outcomes []Entry
	for _, e := range intents {
		begin := e.Offset
		offset, ok := found[e.ID]
		switch {
		case ok:
			e.Step, e.Offset = Sent, offset
		case begin >= from[at.partition] && end >= begin:
			e.Step = Unsent
		default:
			continue // the record may have been there
		}
		e.At = s.now()
		outcomes = append(outcomes, e)
	}
	if len(outcomes) == 0 {
		return nil
	}
	return s.record(ctx, outcomes)
}
