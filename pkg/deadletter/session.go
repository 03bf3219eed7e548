package deadletter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

const (
	transactionTimeout = time.Minute
	leaveGrace         = 2 * time.Second

	// tries of a step whose producer in the source cluster was fenced, as a run does
	// that begins at the same time and then finds that it is the older one.
	tries = 3
)

// session is a run with its producers.
type session struct {
	*Redriver
	cluster string               // id of the source cluster
	log     *kafka.Transactional // where the redrive log is
	data    *kafka.Transactional // where the records go; nil where that is the same cluster
	entries Log
}

func transactionalID(topic string) string { return "etl.redrive." + topic }

// begin takes over from other runs, and finds out about the letters that one was
// interrupted with.
func (r *Redriver) begin(ctx context.Context) (*session, error) {
	s := &session{Redriver: r}
	if s.wait == nil {
		s.wait = pause
	}
	if s.fault == nil {
		s.fault = func(string) {}
	}
	if !r.Source.SupportsTransactions() {
		return nil, fmt.Errorf("the source cluster takes neither record headers nor transactions, it is older than Kafka 0.11 (%w): give another one, and --to topic=NAME", kafka.ErrUnsupported)
	}
	source, err := r.Source.Cluster(ctx)
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	letters, err := r.Letters.Client.Cluster(ctx)
	if err != nil {
		return nil, fmt.Errorf("cluster of the dead-letter topic: %w", err)
	}
	s.cluster = source.ID
	if err := r.Letters.ensureLog(ctx); err != nil {
		return nil, err
	}
	if s.log, err = r.Letters.Client.Transactional(ctx, transactionalID(r.Letters.Name), transactionTimeout); err != nil {
		return nil, err
	}
	if source.ID == "" || source.ID != letters.ID {
		// several clusters may have a dead-letter topic of that name for one source
		id := transactionalID(r.Letters.Name) + "." + letters.ID
		if s.data, err = r.Source.Transactional(ctx, id, transactionTimeout); err != nil {
			return nil, err
		}
	}
	// such a topic gives every record a time of its own, also those of its services
	for _, producer := range []*kafka.Transactional{s.log, s.data} {
		if producer != nil {
			producer.Retimed = true
		}
	}
	if s.entries, err = r.Letters.Log(ctx); err != nil {
		return nil, err
	}
	if err := s.resolve(ctx, s.entries.intents()); err != nil {
		return nil, told(fmt.Errorf("find out about letters that an earlier redrive was interrupted with: %w", err))
	}
	return s, nil
}

func (s *session) now() time.Time { return time.Now().Truncate(time.Millisecond) }

// send brings one step to its end.
func (s *session) send(ctx context.Context, step []outgoing) error {
	if s.data == nil {
		return told(s.together(ctx, step))
	}
	for try := 1; ; try++ {
		err := s.apart(ctx, step)
		if !errors.Is(err, kafka.ErrFenced) || s.log.Failed() != nil || try == tries {
			return told(err)
		}
		// the one that has fenced is the older run, or our transaction was open for too long
		if err := s.data.Fence(ctx); err != nil {
			return err
		}
		if err := s.resolve(ctx, s.entries.intents()); err != nil {
			return told(err)
		}
		step = s.unsent(step)
	}
}

// told says what a fenced log producer means.
func told(err error) error {
	if errors.Is(err, kafka.ErrFenced) {
		return fmt.Errorf("%w (%w)", ErrTakenOver, err)
	}
	return err
}

// unsent leaves out what a lost try has sent.
func (s *session) unsent(step []outgoing) []outgoing {
	var rest []outgoing
	for _, o := range step {
		_, sent := s.entries.Status(o.found)
		found := false
		for _, e := range sent {
			found = found || e.ID == o.entry.ID
		}
		if !found {
			rest = append(rest, o)
		}
	}
	return rest
}

// together sends a step in one transaction with its entries.
func (s *session) together(ctx context.Context, step []outgoing) error {
	offsets, err := produce(ctx, s.log, step)
	if err != nil {
		return err
	}
	s.fault("produced")
	return s.record(ctx, entriesOf(step, Sent, offsets))
}

// apart sends a step in a cluster that is not the one of the log.
func (s *session) apart(ctx context.Context, step []outgoing) error {
	if len(step) == 0 {
		return nil
	}
	ends, err := s.ends(ctx, step)
	if err != nil {
		return err
	}
	if err := s.record(ctx, entriesOf(step, Intent, ends)); err != nil {
		return err
	}
	s.fault("intended")
	offsets, err := produce(ctx, s.data, step)
	if err != nil {
		return err
	}
	s.fault("produced")
	if err := s.data.Commit(ctx); err != nil {
		return err
	}
	s.fault("sent")
	return s.record(ctx, entriesOf(step, Sent, offsets))
}

// record commits entries, with what else is in the log's transaction.
func (s *session) record(ctx context.Context, entries []Entry) error {
	if err := s.Letters.append(ctx, s.log, entries); err != nil {
		return err
	}
	s.fault("recording " + string(entries[0].Step))
	if err := s.log.Commit(ctx); err != nil {
		return err
	}
	for _, e := range entries {
		s.entries.add(e)
	}
	s.fault("recorded " + string(entries[0].Step))
	return nil
}

func entriesOf(step []outgoing, what Step, offsets []int64) []Entry {
	entries := make([]Entry, len(step))
	for i, o := range step {
		entries[i] = o.entry
		entries[i].Step, entries[i].Offset = what, offsets[i]
	}
	return entries
}

// place is a partition to send to.
type place struct {
	topic     string
	partition int32
}

func (o outgoing) place() place { return place{o.item.topic, o.item.partition} }

// ends gives for each letter where the partition ends that it is sent to.
func (s *session) ends(ctx context.Context, step []outgoing) ([]int64, error) {
	known := map[place]int64{}
	ends := make([]int64, len(step))
	for i, o := range step {
		end, ok := known[o.place()]
		if !ok {
			var err error
			if end, err = latest(ctx, s.Source, o.place()); err != nil {
				return nil, err
			}
			known[o.place()] = end
		}
		ends[i] = end
	}
	return ends, nil
}

func latest(ctx context.Context, client *kafka.Client, at place) (end int64, err error) {
	err = again(ctx, func() error {
		ends, err := client.Offsets(ctx, at.topic, kafka.Latest, at.partition)
		end = ends[at.partition]
		return err
	})
	return end, err
}

// produce appends the records of a step in the open transaction of a producer,
// each a batch of its own, and gives their offsets.
func produce(ctx context.Context, producer *kafka.Transactional, step []outgoing) ([]int64, error) {
	var places []place
	at := map[place][]int{}
	for i, o := range step {
		if at[o.place()] == nil {
			places = append(places, o.place())
		}
		at[o.place()] = append(at[o.place()], i)
	}
	offsets := make([]int64, len(step))
	for _, p := range places {
		var batches []batch.Batch
		for _, i := range at[p] {
			batches = append(batches, step[i].batch)
		}
		got, err := producer.Produce(ctx, p.topic, p.partition, batches)
		if err != nil {
			var refused *kafka.RefusedError
			if errors.As(err, &refused) && refused.Index < len(at[p]) && !errors.Is(err, kafka.ErrFenced) && !kafka.Retriable(err) {
				err = &refusedError{at: step[at[p][refused.Index]].found.Position, topic: p.topic, err: refused.Err}
			}
			return nil, err
		}
		for k, i := range at[p] {
			offsets[i] = got[k]
		}
	}
	return offsets, nil
}

// leave ends open transactions: until they time out they would hold back those
// who read committed records.
func (s *session) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveGrace)
	defer cancel()
	for _, producer := range []*kafka.Transactional{s.log, s.data} {
		if producer != nil && !errors.Is(producer.Failed(), kafka.ErrFenced) {
			_ = producer.Abort(ctx) // the time-out of the transaction does it, else
		}
	}
}
