package job

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

// Record, Output and Result are what a job is given, what it emits, and what it
// answers the platform.
type (
	Record = mirror.Record
	Output = mirror.Output
	Result = mirror.Result
)

// Handler is what [Open] gives.
type Handler = fn.Handler[event.Kafka, Result]

// Process is the code of a job: see [mirror.Processor].
type Process = mirror.ProcessFunc

// New makes a function of the code of a job, for [fn.Start].
func New(process Process) fn.New[Config, event.Kafka, Result] {
	return func(ctx context.Context, c Config) (Handler, error) {
		letters, err := c.Letters.Engine(ctx)
		if err != nil {
			return nil, err
		}
		return Open(ctx, c.Settings, mirror.Config{
			Job:         c.Job,
			Process:     func(string, int32) mirror.Processor { return process },
			DeadLetters: letters,
		})
	}
}

// handler brings the records that an event names, or holds, to the engine.
type handler struct {
	settings Settings
	source   *kafka.Client // nil in event mode
	target   *kafka.Client
	copier   *mirror.Copier
	now      func() time.Time
}

// Open connects to the clusters, and completes the engine's configuration by the
// settings: of config come the name of the job and what is not a setting. A broker
// that is away or refuses the user is an error that names it; nothing has been
// touched then.
func Open(ctx context.Context, s Settings, config mirror.Config) (Handler, error) {
	h := &handler{settings: s, now: time.Now}
	if err := h.open(ctx, config); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

func (h *handler) open(ctx context.Context, config mirror.Config) (err error) {
	s := h.settings
	if s.Fetches() {
		if h.source, err = kafka.Open(ctx, s.Source); err != nil {
			return err
		}
	}
	if h.target, err = kafka.Open(ctx, s.Target); err != nil {
		return err
	}
	config.Source, config.Target = h.source, h.target
	config.Topics, config.CreateTopics = s.Topics, s.CreateTopics
	config.Codec = s.Compression.Codec
	config.FromEarliest = s.Start == StartEarliest
	config.Parallel, config.ChunkBytes, config.TransactionBytes = s.Parallel, s.ChunkBytes, s.TransactionBytes
	config.Log = fn.LoggerFrom
	h.copier, err = mirror.New(config)
	return err
}

// Handle brings every record of the event to its end, once, however often it is
// called with it. An error means that the platform must send the event again; what
// was committed before it is not done again then.
func (h *handler) Handle(ctx context.Context, e event.Kafka) (Result, error) {
	result, err := h.run(ctx, e)
	if errors.Is(err, kafka.ErrAuthentication) {
		err = fn.Broken(err) // the next invocation may bring another password
	}
	return result, err
}

func (h *handler) run(ctx context.Context, e event.Kafka) (Result, error) {
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
// lost: they have no headers, and the time at which they are handled.
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
		if string(r.Key) == h.settings.NullKey {
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
