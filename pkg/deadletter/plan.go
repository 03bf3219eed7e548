package deadletter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// Plan is what a redrive does, or has done.
type Plan struct {
	Reading
	Chosen  int64   `json:"chosen"` // letters to be sent
	Routes  []Route `json:"routes"`
	Skipped []Skip  `json:"skipped,omitempty"`
	// Overtaking counts the chosen letters with an open one before them that has
	// the same key and is not chosen: their order changes.
	Overtaking int64  `json:"overtaking"`
	Sent       int64  `json:"sent"`
	Run        string `json:"run,omitempty"` // begins the ids of what was sent

	items []*item
}

// Route is the chosen letters of one reason, function and way.
type Route struct {
	Reason   Reason `json:"reason"`
	Function string `json:"function"`
	From     string `json:"from"` // topic of the records
	To       string `json:"to"`
	Letters  int64  `json:"letters"`
	Bytes    int64  `json:"bytes"` // of keys and values
}

// Skip is letters that match and are not sent.
type Skip struct {
	Reason  string   `json:"reason"` // and what can be done
	Letters int64    `json:"letters"`
	Example Position `json:"example"`
}

// item is a chosen letter.
type item struct {
	position  Position
	topic     string
	partition int32
	codec     batch.Codec
}

// planner makes a plan of letters, which it is given in their order.
type planner struct {
	*Redriver
	log     Log
	plan    Plan
	targets map[string]target
	held    map[sequence]bool // keys of which an open letter was not chosen
	only    map[Position]bool
	stopped map[sequence]bool // keys of which one was refused in this run
}

const behindRefused = "behind a letter with the same key that its topic refuses"

// sequence is records whose order means something: those of one key in a partition.
type sequence struct {
	topic     string
	partition int32
	key       string
}

// target is what is known of a topic to send to.
type target struct {
	partitions int32
	limit      int    // of a batch; 0: not known
	missing    string // why nothing can be sent there
}

// Plan says what Run would do now, and changes nothing.
func (r *Redriver) Plan(ctx context.Context) (Plan, error) {
	log, err := r.Letters.Log(ctx)
	if err != nil {
		return Plan{}, err
	}
	return r.planWith(ctx, log)
}

func (r *Redriver) planWith(ctx context.Context, log Log) (Plan, error) {
	if err := r.checkOrder(ctx); err != nil {
		return Plan{}, err
	}
	p := &planner{Redriver: r, log: log, targets: map[string]target{}, held: map[sequence]bool{}}
	p.plan.Routes = []Route{}
	p.only, p.stopped = map[Position]bool{}, map[sequence]bool{}
	for _, at := range r.Selection.Only {
		p.only[at] = true
	}
	// what is before the chosen letters matters, too: they may overtake it
	sel := r.Selection
	sel.From, sel.Since, sel.Before = 0, time.Time{}, true
	reading, err := r.Letters.Read(ctx, sel, func(f Found) error { return p.consider(ctx, f) })
	p.plan.Reading = reading
	slices.SortFunc(p.plan.Routes, func(a, b Route) int { return -cmp.Compare(a.Letters, b.Letters) })
	return p.plan, err
}

// KeysTopic is where a job that keeps the order of keys notes which of them wait
// behind a letter of a dead-letter topic.
func KeysTopic(deadLetterTopic string) string { return deadLetterTopic + ".keys" }

// checkOrder refuses to send letters elsewhere whose job counts them back in where
// they came from.
func (r *Redriver) checkOrder(ctx context.Context) error {
	if r.To == "" {
		return nil
	}
	_, err := r.Letters.Client.Topic(ctx, KeysTopic(r.Letters.Name))
	switch {
	case err == nil:
		return fmt.Errorf("topic %s says that the order of keys is kept behind the letters of %s (DEADLETTER_KEEP_ORDER): they can only be sent to where they came from, because a key waits until they arrive there", KeysTopic(r.Letters.Name), r.Letters.Name)
	case errors.Is(err, kafka.ErrUnknownTopic), errors.Is(err, kafka.ErrAuthorization):
		return nil
	}
	return err
}

func (p *planner) consider(ctx context.Context, f Found) error {
	status, sent := p.log.Status(f)
	key := sequence{topic: f.Letter.Topic, partition: f.Letter.Partition, key: string(f.Letter.Record.Key)}
	if !p.chosen(f) {
		p.hold(f, key, status)
		return nil
	}
	elsewhere, err := p.fetch(ctx, &f)
	if err != nil {
		return err
	}
	to, err := p.target(ctx, cmp.Or(p.To, f.Letter.Topic))
	if err != nil {
		return err
	}
	i := &item{position: f.Position, topic: cmp.Or(p.To, f.Letter.Topic), partition: p.partition(f.Letter, to)}
	why := cmp.Or(elsewhere, p.skip(f, status, sent, to, i))
	if f.Letter.Record.Key != nil {
		if why == "" && p.stopped[key] {
			why = behindRefused
		}
		p.stopped[key] = p.stopped[key] || p.refused[f.Position] != ""
	}
	if why != "" {
		p.plan.skip(why, f.Position)
		p.hold(f, key, status)
		return nil
	}
	if f.Letter.Record.Key != nil && p.held[key] {
		p.plan.Overtaking++
	}
	p.plan.items = append(p.plan.items, i)
	p.plan.Chosen++
	p.route(f.Letter, i)
	return nil
}

// fetch gets the record of a letter that has it in an object. elsewhere says why that
// cannot be had, where the others can be sent all the same.
func (p *planner) fetch(ctx context.Context, f *Found) (elsewhere string, err error) {
	whole, err := p.Letters.whole(ctx, *f)
	switch {
	case err == nil:
		*f = whole
		return "", nil
	case errors.Is(err, ErrElsewhere):
		return "the record is in an object of COS, which takes keys that may read it: set TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY", nil
	case errors.Is(err, ErrNoObject), errors.Is(err, ErrNotWhole):
		return err.Error(), nil
	}
	return "", err
}

// chosen says whether it is a letter that the caller wants to be sent.
func (p *planner) chosen(f Found) bool {
	sel := p.Selection
	return f.Position.Offset >= sel.From && !f.Letter.At.Before(sel.Since) && (len(p.only) == 0 || p.only[f.Position]) && p.Filter.Match(f.Letter)
}

// hold remembers a letter that stays behind.
func (p *planner) hold(f Found, key sequence, status Status) {
	if status != Redriven && f.Letter.Record.Key != nil {
		p.held[key] = true
	}
}

// skip says why a letter is not sent; "" where it is.
func (p *planner) skip(f Found, status Status, sent []Entry, to target, i *item) string {
	switch {
	case p.refused[f.Position] != "":
		return p.refused[f.Position]
	case slices.ContainsFunc(sent, func(e Entry) bool { return e.ID == p.id(f.Position) }):
		return "sent by this run already"
	case status == Redriven && !p.Again:
		return "redriven already; --again sends them once more"
	case status == Interrupted && !p.Again:
		return "a redrive was interrupted while they were sent; the next --execute looks whether they were, --again sends them without a look"
	case f.Letter.Redrives >= p.mostRedrives():
		return fmt.Sprintf("have failed again after %d redrives or more; mend what they fail on, or raise --max-redrives", p.mostRedrives())
	case to.missing != "":
		return to.missing
	case i.partition >= to.partitions:
		return fmt.Sprintf("topic %s has no partition %d (any more); --to topic=NAME sends them elsewhere", i.topic, i.partition)
	}
	// why: the headers of a redrive are as long as they get
	record := Redrive{ID: p.id(f.Position), Count: f.Letter.Redrives + 1, Function: f.Letter.Function}.put(p.original(f))
	fits := true
	if i.codec, fits = codecFor(record, to.limit); !fits {
		return fmt.Sprintf("larger than topic %s takes (max.message.bytes is %d): raise it", i.topic, to.limit)
	}
	return ""
}

// codecFor gives the compression with which a topic takes a record: none as a rule.
func codecFor(r batch.Record, limit int) (codec batch.Codec, fits bool) {
	if limit == 0 || size(r) <= limit {
		return batch.None, true
	}
	_, err := batch.Build(batch.Options{Codec: batch.Gzip, MaxBytes: limit}, []batch.Record{r})
	return batch.Gzip, err == nil
}

func (p *Plan) skip(why string, at Position) {
	i := slices.IndexFunc(p.Skipped, func(s Skip) bool { return s.Reason == why })
	if i < 0 {
		i = len(p.Skipped)
		p.Skipped = append(p.Skipped, Skip{Reason: why, Example: at})
	}
	p.Skipped[i].Letters++
}

func (p *planner) route(l Letter, to *item) {
	i := slices.IndexFunc(p.plan.Routes, func(r Route) bool {
		return r.Reason == l.Reason && r.Function == l.Function && r.From == l.Topic && r.To == to.topic
	})
	if i < 0 {
		i = len(p.plan.Routes)
		p.plan.Routes = append(p.plan.Routes, Route{Reason: l.Reason, Function: l.Function, From: l.Topic, To: to.topic})
	}
	p.plan.Routes[i].Letters++
	p.plan.Routes[i].Bytes += int64(len(l.Record.Key) + len(l.Record.Value))
}

// partition is the one of the original record, where the topic is another one
// with fewer the one that its key belongs to.
func (p *planner) partition(l Letter, to target) int32 {
	switch {
	case p.To == "" || l.Partition < to.partitions || to.partitions == 0:
		return l.Partition
	case l.Record.Key != nil:
		return batch.Partition(l.Record.Key, to.partitions)
	}
	return l.Partition % to.partitions
}

// target looks at a topic once.
func (p *planner) target(ctx context.Context, name string) (target, error) {
	if t, ok := p.targets[name]; ok {
		return t, nil
	}
	var t target
	topic, err := p.Source.Topic(ctx, name)
	switch {
	case errors.Is(err, kafka.ErrUnknownTopic):
		t.missing = fmt.Sprintf("topic %s does not exist (any more) in the source cluster; --to topic=NAME sends them elsewhere", name)
	case err != nil:
		return t, fmt.Errorf("topic to send to: %w", err)
	default:
		t.partitions = int32(len(topic.Partitions))
		t.limit, err = p.Source.MaxMessageBytes(ctx, name)
		if errors.Is(err, kafka.ErrAuthorization) {
			err = nil // the broker will say so, if there is something
		}
		if err != nil {
			return t, fmt.Errorf("topic to send to: %w", err)
		}
	}
	p.targets[name] = t
	return t, nil
}
