package mirror

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// A record may end the process that processes it: it dies, needs more memory than
// there is, or more time. Then nobody is there to say so, and the platform sends
// the whole event again, for ever.
//
// So a cold partition writes down, in its checkpoint, what it is going to try,
// before it does. With what it commits next the note goes. Who opens the partition
// and finds a note of another process takes it for dead, and goes on in [sections],
// each with a note of its own and with no other partition in work, so that the next
// death is of that note: what is before the record is done, once, and the section
// that it is in is the next one to be divided. Of 10,000 records the one is found in
// five deaths; when it was alone [mostTries] times, it goes to the dead letter.
//
// A call that ends with an error takes its note back: its record did not kill it. A
// process that fences this one is alive: what it has noted counts for nothing. One
// that was stopped from outside is taken for one that died. That costs some
// transactions more, and no record its place, because each death is of another note.

const (
	// sections: 8^5 is more than 10,000, which an event has at most (maxMsgNum), so the
	// five deaths; more of them would cost more transactions where nobody dies.
	sections = 8
	// mostTries: two instances that are up at the same time may each open the
	// partition once without having died.
	mostTries = 3
)

// attempt says of the offsets from the checkpoint to Last that they are being
// processed.
type attempt struct {
	Last  int64  `json:"last"`
	Tries int    `json:"tries,omitempty"` // with the record at Last alone, this one included
	By    string `json:"by"`              // the process
}

// suspicion is of offsets that killed a process.
type suspicion struct {
	suspect int64 // the last of them; -1: there are none
	step    int64 // how many of them are tried at a time
	tries   int   // how often the first of them was tried alone
}

// isolation is what a partition knows of processes that died on it.
type isolation struct {
	suspicion
	noted    *attempt // as the checkpoint has it; nil: it has none
	proven   bool     // something was committed since the partition was opened
	overtime bool     // the last call ended because of the record at the checkpoint
	fenced   bool     // by another process, in this call
	killed   *attempt // the record that the next run buries; nil: none
}

// reopen learns from the note of a checkpoint at next.
func (i *isolation) reopen(noted *attempt, next int64, by string) {
	before, overtime, fenced := i.suspicion, i.overtime, i.fenced
	*i = isolation{suspicion: suspicion{suspect: -1}, noted: noted, fenced: fenced}
	switch {
	case noted != nil && noted.Last >= next && (noted.By != by && !fenced || noted.By == by && overtime):
		i.suspicion = suspicion{suspect: noted.Last, step: (noted.Last-next)/sections + 1, tries: noted.Tries}
	case before.suspect >= next: // this process goes on with what it knows
		i.suspicion = before
	}
}

// process brings the partition up to last, with notes where they are needed.
func (p *partition) process(ctx context.Context, last, most int64, run func(ctx context.Context, last, most int64) error) error {
	for p.next <= p.suspect && p.next <= last {
		if err := p.trySection(ctx, last, run); err != nil {
			return err
		}
	}
	if p.next > last {
		return nil
	}
	p.suspicion = suspicion{suspect: -1}
	p.alone.RLock()
	defer p.alone.RUnlock()
	if !p.proven {
		if err := p.noteAttempt(ctx, &attempt{Last: last}); err != nil {
			return err
		}
	}
	if err := run(ctx, last, most); err != nil || most > 0 {
		return err
	}
	return p.reached(last)
}

// reached is an error where a run without one has not come to its end.
func (p *partition) reached(last int64) error {
	if p.next > last {
		return nil
	}
	return fmt.Errorf("process %s/%d from offset %d on: %w", p.topic, p.number, p.next, errUnfinished)
}

// trySection processes some of the suspect offsets, or buries the only one. No other
// partition is in work meanwhile, because a death would be theirs, too.
func (p *partition) trySection(ctx context.Context, last int64, run func(ctx context.Context, last, most int64) error) error {
	p.alone.Lock()
	defer p.alone.Unlock()
	if err := ctx.Err(); err != nil { // others took their time
		return context.Cause(ctx)
	}
	try := &attempt{Last: min(p.next+p.step-1, p.suspect, last)}
	if try.Last == p.suspect && p.next == p.suspect {
		if p.tries >= mostTries {
			p.killed = &attempt{Last: p.suspect, Tries: p.tries}
			defer func() { p.killed = nil }()
			if err := run(ctx, p.suspect, 0); err != nil {
				return err
			}
			return p.reached(p.suspect)
		}
		try.Tries = p.tries + 1
	}
	if err := p.noteAttempt(ctx, try); err != nil {
		return err
	}
	p.Log(ctx).Warn("a process has ended with these records in work: they are tried a few at a time",
		"topic", p.topic, "partition", p.number, "first", p.next, "last", try.Last, "suspect_last", p.suspect)
	if err := run(ctx, try.Last, 0); err != nil {
		return err
	}
	return p.reached(try.Last)
}

// judge says whether a run from first on has ended because of the record there.
func (p *partition) judge(j *processing, first int64) {
	p.overtime = j != nil && j.overtime && p.next == first
}

// noteAttempt commits the checkpoint as it is, with a note; nil takes it back.
func (p *partition) noteAttempt(ctx context.Context, a *attempt) error {
	if a != nil {
		a.By = p.token
	}
	now := time.Now()
	n := note{identity: p.known, mapState: p.offsets, At: now.Unix(), Trying: a}
	if err := p.checkpoint(ctx, kafka.Committed{Offset: p.next, Metadata: n.encode()}); err != nil {
		return err
	}
	if err := p.producer.Commit(ctx); err != nil {
		return err
	}
	p.noted, p.committed = a, now
	return nil
}

// settle takes a note back whose process has not died, once the transaction that
// was open has ended. Where it cannot, the next process takes more care than it
// needs to.
func (p *partition) settle(ctx context.Context, producer *kafka.Transactional, err error) {
	if p.noted == nil || producer == nil || errors.Is(err, kafka.ErrFenced) || p.overtime {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveGrace)
	defer cancel()
	if err := p.takeBack(ctx, producer); err != nil {
		p.Log(ctx).Debug("the note of what was tried stays", "topic", p.topic, "partition", p.number, "reason", err)
	}
}

func (p *partition) takeBack(ctx context.Context, producer *kafka.Transactional) error {
	if err := producer.Fence(ctx); err != nil {
		return err
	}
	now, err := committed(ctx, p.Target, p.group(), p.target.name)
	if err != nil {
		return err
	}
	n := decodeNote(now.Metadata)
	if n.Trying == nil || n.Trying.By != p.token {
		return nil // another process has the partition
	}
	n.Trying = nil
	if p.suspect >= now.Offset { // what earlier deaths have told stays
		n.Trying = &attempt{Last: p.suspect, Tries: p.tries, By: p.token}
	}
	if err := producer.CommitOffsets(ctx, p.group(), p.target.name, map[int32]kafka.Committed{checkpointPartition: {Offset: now.Offset, Metadata: n.encode()}}); err != nil {
		return err
	}
	return producer.Commit(ctx)
}
