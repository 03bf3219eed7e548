package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/fn"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/migrate"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// handler carries out a migration: by the timer everything, by the topics of
// CKafka triggers their records at once.
type handler struct {
	config Config
	source *kafka.Client
	runner *migrate.Runner
	dual   *dual
	target *kafka.Client
}

// Result is what one invocation has done.
type Result struct {
	Step   migrate.Step  `json:"step,omitempty"`
	Copied mirror.Result `json:"copied"`
	Faults []string      `json:"faults,omitempty"` // of what could not be copied, and is tried again
}

// LogAttrs sums the result up for a log line.
func (r Result) LogAttrs() []slog.Attr {
	return append(r.Copied.LogAttrs(), slog.String("step", string(r.Step)), slog.Int("faults", len(r.Faults)))
}

// New connects to source and target. A broker that is away or refuses the user
// is an error that names it; nothing has been touched then.
func New(ctx context.Context, config Config) (fn.Handler[event.KafkaOrTimer, Result], error) {
	h := &handler{config: config}
	if err := h.open(ctx); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

func (h *handler) open(ctx context.Context) (err error) {
	if h.source, err = kafka.Open(ctx, h.config.Source); err != nil {
		return fmt.Errorf("source: %w", err)
	}
	h.dual = newDual(h.config, h.source)
	if h.target, err = kafka.Open(ctx, h.config.Target); err != nil {
		if len(h.config.Target2.Brokers)+len(h.config.Target3.Brokers) > 0 {
			return nil // the others need not wait: see dual
		}
		return fmt.Errorf("target: %w", err)
	}
	h.runner, err = migrate.NewRunner(migrate.RunConfig{
		Name:     h.config.Migration,
		Clusters: migrate.Clusters{Source: h.source, Target: h.target},
		Shard:    h.config.Shard,
		Rate:     mirror.Rate{Bytes: h.config.BytesPerSecond, Records: h.config.RecordsPerSecond},
		Memory:   h.config.Memory,
		Parallel: h.config.Parallel,
		Limits:   migrate.Limits{LagRecords: h.config.LagRecords},
		Log:      fn.LoggerFrom,

		GroupInterval: h.config.GroupInterval,
	})
	return err
}

// Handle copies until shortly before the invocation's deadline, for a timer,
// or the records that the event of a topic names.
func (h *handler) Handle(ctx context.Context, e event.KafkaOrTimer) (Result, error) {
	result, err := h.handle(ctx, e)
	if errors.Is(err, kafka.ErrAuthentication) {
		err = fn.Broken(err) // the next invocation may bring another password
	}
	return result, err
}

func (h *handler) handle(ctx context.Context, e event.KafkaOrTimer) (Result, error) {
	if e.Kafka != nil {
		return h.dual.write(ctx, *e.Kafka)
	}
	if h.runner == nil {
		return Result{}, fn.Broken(errors.New("the target did not answer when the function was started: see the log of that invocation"))
	}
	outcome, err := h.runner.Run(ctx)
	result := Result{Step: outcome.Step, Copied: outcome.Copied}
	for _, fault := range outcome.Faults {
		result.Faults = append(result.Faults, fault.Err.Error())
	}
	if errors.Is(err, migrate.ErrUnknown) {
		fn.LoggerFrom(ctx).Info("there is nothing to do yet", "reason", err)
		err = nil
	}
	return result, err
}

// Close drops the connections.
func (h *handler) Close() error {
	var faults []error
	for _, c := range []*kafka.Client{h.source, h.target} {
		if c != nil {
			faults = append(faults, c.Close())
		}
	}
	if h.dual != nil {
		faults = append(faults, h.dual.close())
	}
	return errors.Join(faults...)
}
