package deadletter

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
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

	run     string
	refused map[Position]string                              // letters that were refused in this run, and why
	fault   func(point string)                               // of tests: what may happen between two steps
	wait    func(ctx context.Context, d time.Duration) error // of tests
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
// those that an earlier run was interrupted with. One that its topic refuses, for
// its timestamp for instance, is left out, with those of its key behind it; the
// plan has what the broker says. With an error comes what was sent until then; the
// same call again goes on from there. When ctx ends it stops between two steps, of
// at most a hundred letters.
func (r *Redriver) Run(ctx context.Context) (Plan, error) {
	r.run, r.refused = rand.Text(), map[Position]string{}
	plan, err := r.attempt(ctx)
	for {
		var refused *refusedError
		if !errors.As(err, &refused) || len(r.refused) == mostRefused {
			break
		}
		why := fmt.Sprintf("refused by topic %s: %v", refused.topic, refused.err)
		r.refused[refused.at] = why
		plan.skip(why, refused.at)
		var rest Plan
		rest, err = r.attempt(ctx)
		plan.Chosen = plan.Sent + rest.Chosen
		plan.Sent += rest.Sent
		isBehind := func(s Skip) bool { return s.Reason == behindRefused }
		plan.Skipped = slices.DeleteFunc(plan.Skipped, isBehind)
		if i := slices.IndexFunc(rest.Skipped, isBehind); i >= 0 {
			plan.Skipped = append(plan.Skipped, rest.Skipped[i])
		}
	}
	if err != nil && plan.Run != "" {
		err = fmt.Errorf("%d of %d letters were sent: %w", plan.Sent, plan.Chosen, err)
	}
	return plan, err
}

// mostRefused letters are left out one by one; then something else is wrong.
const mostRefused = 20

// refusedError is a letter whose record its topic does not take.
type refusedError struct {
	at    Position
	topic string
	err   error
}

func (e *refusedError) Error() string { return fmt.Sprintf("letter at %s: %v", e.at, e.err) }

func (e *refusedError) Unwrap() error { return e.err }

// attempt is Run up to the first letter that is refused.
func (r *Redriver) attempt(ctx context.Context) (Plan, error) {
	s, err := r.begin(ctx)
	if err != nil {
		return Plan{}, err
	}
	plan, err := r.planWith(ctx, s.entries)
	plan.Run = r.run
	if err == nil && len(plan.items) > 0 {
		err = s.sendAll(ctx, &plan)
	}
	if err != nil {
		s.leave(ctx)
	}
	return plan, err
}
