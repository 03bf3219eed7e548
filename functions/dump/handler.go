package main

import (
	"context"
	"errors"
	"time"

	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/fn"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// handler copies the records that an event names, or holds, to the target.
type handler struct {
	config Config
	source *kafka.Client // nil in event mode
	target *kafka.Client
	copier *mirror.Copier
	now    func() time.Time
}

// New connects to the clusters. A broker that is away or refuses the user is
// an error that names it; nothing has been touched then.
func New(ctx context.Context, config Config) (fn.Handler[event.Kafka, mirror.Result], error) {
	h := &handler{config: config, now: time.Now}
	if err := h.connect(ctx); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	copier, err := mirror.New(mirror.Config{
		Job:          config.Job,
		Source:       h.source,
		Target:       h.target,
		Topics:       config.Topics,
		Codec:        config.Compression.Codec,
		FromEarliest: config.Start == StartEarliest,
		CreateTopics: config.CreateTopics,
		Parallel:     config.Parallel,

		ChunkBytes:       config.ChunkBytes,
		TransactionBytes: config.TransactionBytes,

		Log: fn.LoggerFrom,
	})
	if err != nil {
		return nil, errors.Join(err, h.Close())
	}
	h.copier = copier
	return h, nil
}

func (h *handler) connect(ctx context.Context) (err error) {
	if h.config.fetches() {
		if h.source, err = kafka.Open(ctx, h.config.Source); err != nil {
			return err
		}
	}
	h.target, err = kafka.Open(ctx, h.config.Target)
	return err
}

// Handle copies every record of the event, once, however often it is called
// with it. An error means that the platform must send the event again; what
// was committed before it is not copied again then.
func (h *handler) Handle(ctx context.Context, e event.Kafka) (mirror.Result, error) {
	result, err := h.copy(ctx, e)
	if errors.Is(err, kafka.ErrAuthentication) {
		err = fn.Broken(err) // the next invocation may bring another password
	}
	return result, err
}

func (h *handler) copy(ctx context.Context, e event.Kafka) (mirror.Result, error) {
	if h.source == nil {
		return h.copier.Write(ctx, h.given(e))
	}
	var ranges []mirror.Range
	for _, r := range e.Ranges() {
		ranges = append(ranges, mirror.Range{Topic: r.Topic, Partition: r.Partition, First: r.First, Last: r.Last})
	}
	return h.copier.Copy(ctx, ranges)
}

// given makes records of an event that is the data. What it does not hold is
// lost: they have no headers, and the time at which they are copied.
func (h *handler) given(e event.Kafka) []mirror.Given {
	var all []mirror.Given
	now := h.now().UnixMilli()
	at := map[event.Range]int{}
	for _, r := range e.Records {
		key := event.Range{Topic: r.Topic, Partition: r.Partition}
		i, ok := at[key]
		if !ok {
			i = len(all)
			at[key] = i
			all = append(all, mirror.Given{Topic: r.Topic, Partition: r.Partition})
		}
		record := batch.Record{Offset: r.Offset, Timestamp: now, Key: r.Key, Value: r.Body}
		if string(r.Key) == h.config.NullKey {
			record.Key = nil
		}
		all[i].Records = append(all[i].Records, record)
	}
	return all
}

// Close drops the connections.
func (h *handler) Close() error {
	var faults []error
	for _, c := range []*kafka.Client{h.source, h.target} {
		if c != nil {
			faults = append(faults, c.Close())
		}
	}
	return errors.Join(faults...)
}
