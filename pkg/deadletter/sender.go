package deadletter

import (
	"context"
	"fmt"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// A step is what one transaction holds.
const (
	stepLetters = 100
	stepBytes   = 1 << 20
)

// sender makes steps of the letters of a plan.
type sender struct {
	*session
	plan  *Plan
	items map[Position]*item
	most  int // letters of a step
	begun time.Time

	step  []outgoing
	bytes int
}

// sendAll reads the letters of a plan once more, and sends them step by step.
func (s *session) sendAll(ctx context.Context, plan *Plan) error {
	d := &sender{session: s, plan: plan, items: make(map[Position]*item, len(plan.items)), most: stepLetters, begun: time.Now()}
	if s.Rate > 0 {
		d.most = min(max(int(s.Rate), 1), stepLetters)
	}
	only := make([]Position, len(plan.items))
	for i, chosen := range plan.items {
		d.items[chosen.position] = chosen
		only[i] = chosen.position
	}
	topic := s.Letters
	topic.Progress = nil // it was shown for the plan
	reading, err := topic.Read(ctx, Selection{Only: only}, func(f Found) error { return d.add(ctx, f) })
	if err == nil {
		err = d.flush(ctx)
	}
	if err == nil && len(reading.Missing) > 0 {
		err = fmt.Errorf("%d letters are gone since they were chosen, the first at %s: the retention of %s has removed them",
			len(reading.Missing), reading.Missing[0], s.Letters.Name)
	}
	return err
}

func (d *sender) add(ctx context.Context, f Found) error {
	f, err := d.Letters.whole(ctx, f)
	if err != nil {
		return err
	}
	o, err := d.outgoing(f, d.items[f.Position])
	if err != nil {
		return err
	}
	d.step, d.bytes = append(d.step, o), d.bytes+len(o.batch)
	if len(d.step) < d.most && d.bytes < stepBytes {
		return nil
	}
	return d.flush(ctx)
}

// flush sends the step, whole even if ctx ends meanwhile, and waits for the rate.
func (d *sender) flush(ctx context.Context) error {
	if len(d.step) == 0 {
		return nil
	}
	first, last := d.step[0].found.Position, d.step[len(d.step)-1].found.Position
	if ctx.Err() != nil {
		return fmt.Errorf("stopped before the letter at %s: %w", first, context.Cause(ctx))
	}
	if err := d.send(context.WithoutCancel(ctx), d.step); err != nil {
		return fmt.Errorf("letters from %s to %s: %w", first, last, err)
	}
	d.plan.Sent += int64(len(d.step))
	if d.Progress != nil {
		d.Progress(d.plan.Sent, d.plan.Chosen)
	}
	d.step, d.bytes = nil, 0
	if d.Rate <= 0 {
		return nil
	}
	due := d.begun.Add(time.Duration(float64(d.plan.Sent) / d.Rate * float64(time.Second)))
	if err := d.wait(ctx, time.Until(due)); err != nil {
		return fmt.Errorf("stopped behind the letter at %s: %w", last, err)
	}
	return nil
}

// outgoing is a record to send.
type outgoing struct {
	found Found
	item  *item
	batch batch.Batch
	entry Entry // without its step and offset
}

func (s *session) outgoing(f Found, i *item) (outgoing, error) {
	_, edited := s.Edits[f.Position]
	e := Entry{
		Format: logFormat, ID: s.id(f.Position), Letter: f.Position, Of: originOf(f.Letter), Cluster: s.cluster,
		Topic: i.topic, Partition: i.partition, Count: f.Letter.Redrives + 1, Edited: edited, At: s.now(),
	}
	record := Redrive{ID: e.ID, Count: e.Count, Function: f.Letter.Function}.put(s.original(f))
	b, err := batch.Build(batch.Options{Codec: i.codec}, []batch.Record{record})
	if err != nil {
		return outgoing{}, fmt.Errorf("letter at %s: %w", f.Position, err)
	}
	return outgoing{found: f, item: i, batch: b, entry: e}, nil
}
