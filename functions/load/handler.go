package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/dataset"
	"github.com/scf-etl/scf-etl/pkg/dataset/load"
	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/fn"
	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// handler loads what an event names, or all that the topics have.
type handler struct {
	config Config
	source *kafka.Client
	loader *load.Loader
}

// Result is what one invocation has done.
type Result struct {
	load.Result
	Compacted *load.Compacted `json:"compacted,omitempty"`
}

// LogAttrs sums the result up for a log line.
func (r Result) LogAttrs() []slog.Attr {
	attrs := []slog.Attr{
		slog.Int64("records", r.Records), slog.Int64("dead_letters", r.Letters), slog.Int("objects", r.Objects),
		slog.Int64("bytes", r.Bytes), slog.Int("redone", r.Redone), slog.Int64("gaps", r.Gaps),
	}
	if r.Compacted != nil {
		attrs = append(attrs, slog.Int("merges", r.Compacted.Merges), slog.Int("merged", r.Compacted.Objects))
	}
	return attrs
}

// New connects to the cluster. A broker that is away or refuses the user, and a schema with mistakes, is an error that
// names it; nothing has been touched then.
func New(ctx context.Context, config Config) (fn.Handler[event.KafkaOrTimer, Result], error) {
	schema, err := config.schema()
	if err != nil {
		return nil, err
	}
	i, _ := fn.InvocationFrom(ctx)
	credentials := role
	if config.COS.SecretID != "" {
		credentials = cos.Static(config.COS.SecretID, config.COS.SecretKey)
	}
	bucket, err := cos.Open(config.COS.Config(i.Region, credentials))
	if err != nil {
		return nil, err
	}
	source, err := kafka.Open(ctx, config.Source)
	if err != nil {
		return nil, err
	}
	c := load.Config{
		Job: config.Job, Source: source, Dataset: dataset.New(bucket, config.COS.Prefix), Schema: schema, Change: config.Change,
		Function: i.FunctionName, Version: i.FunctionVersion,
		FromEarliest: config.Start == StartEarliest, Gaps: config.Gaps == GapsRecord,
		RangeBytes: config.RangeBytes, Parallel: config.Parallel,
		ObjectBytes: config.ObjectBytes, CompactDays: config.CompactDays, Log: fn.LoggerFrom,
	}
	if config.DeadLetterTopic != "" {
		c.Letters, c.DeadLetterTopic = source, config.DeadLetterTopic
	}
	loader, err := load.New(c)
	if err != nil {
		return nil, errors.Join(err, source.Close())
	}
	return &handler{config: config, source: source, loader: loader}, nil
}

// role gives the credentials of the function's role, which change with each invocation.
func role(ctx context.Context) (cos.Credentials, error) {
	c, err := fn.CredentialsFrom(ctx)
	return cos.Credentials{SecretID: c.SecretID.Reveal(), SecretKey: c.SecretKey, SessionToken: c.SessionToken}, err
}

// Handle brings every record of the event into the dataset, once, however often it is called with it. A timer loads all
// that its topics have, and merges small objects; where there is no time for all of it, the next firing goes on. A
// partition that more time does not help is an error all the same, and the others are loaded.
func (h *handler) Handle(ctx context.Context, e event.KafkaOrTimer) (Result, error) {
	result, err := h.handle(ctx, e)
	if errors.Is(err, kafka.ErrAuthentication) {
		err = fn.Broken(err) // the next invocation may bring another password
	}
	return result, err
}

func (h *handler) handle(ctx context.Context, e event.KafkaOrTimer) (Result, error) {
	if e.Kafka != nil {
		var ranges []load.Range
		for _, r := range e.Kafka.Ranges() {
			ranges = append(ranges, load.Range{Topic: r.Topic, Partition: r.Partition, First: r.First, Last: r.Last})
		}
		done, err := h.loader.Load(ctx, ranges)
		return Result{Result: done}, err
	}
	done, err := h.loader.LoadAll(ctx, h.config.Topics...)
	result := Result{Result: done}
	if errors.Is(err, load.ErrTime) && done.Entries > 0 {
		fn.LoggerFrom(ctx).Info("there was no time for all: the next firing goes on", "reason", err)
		return result, load.Lasting(err) // why: a partition that cannot go on must not be hidden by one that is late
	}
	if err != nil || !h.config.Compact {
		return result, err
	}
	compacted, err := h.loader.Compact(ctx)
	result.Compacted = &compacted
	return result, err
}

// Close drops the connections.
func (h *handler) Close() error { return h.source.Close() }
