package deadletter

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// Redriver sends letters on their way again: to the topic and partition that the
// record came from, with its key, value, headers and timestamp, and what
// [TakeRedrive] takes off. Whoever reads that topic sees it once more.
//
// Each is sent once, whatever is killed and when, and recorded in the redrive log:
// where the dead-letter topic and the source are in one cluster, the record and
// the entry are one transaction. Else an intent is committed before and the
// outcome after, and the next run looks for the records of intents that have no
// outcome. Of two runs at once the newer one goes on, and the older one ends with
// [ErrTakenOver].
type Redriver struct {
	Letters Topic
	Source  *kafka.Client // cluster of the topics to send to
	To      string        // topic to send to instead; "": where the record came from

	Selection Selection
	Filter    Filter
	// MaxRedrives leaves out letters whose record was sent so often, and failed
	// again each time; 0 is [DefaultMaxRedrives].
	MaxRedrives int
	Again       bool // letters that were sent already, too

	// Edits are values to send instead of those in the letters.
	Edits map[Position][]byte

	Rate     float64                 // letters a second; 0: no bound
	Progress func(done, total int64) // of letters; may be nil

	run   string
	fault func(point string)                               // of tests: what may happen between two steps
	wait  func(ctx context.Context, d time.Duration) error // of tests
}

// DefaultMaxRedrives is how often a record is sent on its way again.
const DefaultMaxRedrives = 3

func (r *Redriver) mostRedrives() int {
	if r.MaxRedrives == 0 {
		return DefaultMaxRedrives
	}
	return r.MaxRedrives
}

// ErrTakenOver says that another redrive of the topic has begun.
var ErrTakenOver = errors.New("another redrive of the dead-letter topic has begun since: this one has stopped")

// A step is what one transaction holds.
const (
	stepLetters = 100
	stepBytes   = 1 << 20
)

// id names the sending of a letter.
func (r *Redriver) id(at Position) string {
	if r.run == "" {
		r.run = rand.Text()
	}
	return r.run + "/" + at.String()
}

// original is the record to send, without the headers of a redrive.
func (r *Redriver) original(f Found) batch.Record {
	record := f.Letter.Record
	if value, ok := r.Edits[f.Position]; ok {
		record.Value = value
	}
	return record
}

// Run sends the letters that Plan gives, after it has found out what became of
// those that an earlier run was interrupted with. With an error comes what was
// sent until then; the same call again goes on from there. When ctx ends it stops
// between two steps, of at most a hundred letters.
func (r *Redriver) Run(ctx context.Context) (Plan, error) {
	r.run = rand.Text()
	s, err := r.begin(ctx)
	if err != nil {
		return Plan{}, err
	}
	plan, err := r.planWith(ctx, s.entries)
	plan.Run = r.run
	if err != nil || len(plan.items) == 0 {
		return plan, err
	}
	err = s.sendAll(ctx, &plan)
	if err != nil {
		s.leave(ctx)
		err = fmt.Errorf("%d of %d letters were sent: %w", plan.Sent, plan.Chosen, err)
	}
	return plan, err
}

// sendAll reads the letters of a plan once more, and sends them step by step.
func (s *session) sendAll(ctx context.Context, plan *Plan) error {
	items := make(map[Position]*item, len(plan.items))
	only := make([]Position, len(plan.items))
	for i, chosen := range plan.items {
		items[chosen.position] = chosen
		only[i] = chosen.position
	}
	var step []outgoing
	bytes, begun := 0, time.Now()
	flush := func() error {
		if len(step) == 0 {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("stopped before the letter at %s: %w", step[0].found.Position, context.Cause(ctx))
		}
		if err := s.send(context.WithoutCancel(ctx), step); err != nil {
			return fmt.Errorf("letters from %s to %s: %w", step[0].found.Position, step[len(step)-1].found.Position, err)
		}
		plan.Sent += int64(len(step))
		if s.Progress != nil {
			s.Progress(plan.Sent, plan.Chosen)
		}
		step, bytes = step[:0], 0
		if s.Rate > 0 {
			due := begun.Add(time.Duration(float64(plan.Sent) / s.Rate * float64(time.Second)))
			return s.wait(ctx, time.Until(due))
		}
		return nil
	}
	topic := s.Letters
	topic.Progress = nil
	most := stepLetters
	if s.Rate > 0 {
		most = min(max(int(s.Rate), 1), stepLetters)
	}
	reading, err := topic.Read(ctx, Selection{Only: only}, func(f Found) error {
		o, err := s.outgoing(f, items[f.Position])
		if err != nil {
			return err
		}
		step, bytes = append(step, o), bytes+len(o.batch)
		if len(step) < most && bytes < stepBytes {
			return nil
		}
		return flush()
	})
	if err == nil {
		err = flush()
	}
	if err == nil && len(reading.Missing) > 0 {
		err = fmt.Errorf("%d letters are gone since they were chosen, the first at %s: the retention of %s has removed them", len(reading.Missing), reading.Missing[0], s.Letters.Name)
	}
	return err
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
	record := Redrive{ID: e.ID, Count: e.Count, Last: i.last}.put(s.original(f))
	b, err := batch.Build(batch.Options{Codec: i.codec}, []batch.Record{record})
	if err != nil {
		return outgoing{}, fmt.Errorf("letter at %s: %w", f.Position, err)
	}
	return outgoing{found: f, item: i, batch: b, entry: e}, nil
}
