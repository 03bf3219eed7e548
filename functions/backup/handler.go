package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/scf-etl/scf-etl/pkg/backup"
	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/fn"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// handler backs up what is new since the last time.
type handler struct {
	config Config
	source *kafka.Client
	run    backup.Config
}

// Result is what one invocation has done.
type Result struct {
	backup.Result
	Pruned *backup.Pruned `json:"pruned,omitempty"`
}

// LogAttrs sums the result up for a log line.
func (r Result) LogAttrs() []slog.Attr {
	return []slog.Attr{
		slog.Int64("backup", r.Sequence), slog.Bool("complete", r.Complete), slog.Int("segments", r.Segments),
		slog.Int64(
			"records",
			r.Records,
		), slog.Int64("bytes", r.Bytes), slog.Int64("object_bytes", r.ObjectBytes), slog.Int("gaps", len(r.Lost)),
	}
}

// New connects to the cluster. A broker that is away or refuses the user is an error that
// names it; nothing has been touched then.
func New(ctx context.Context, config Config) (fn.Handler[event.Timer, Result], error) {
	topics, err := mirror.NewSelection(config.Include, config.Exclude)
	if err != nil {
		return nil, err
	}
	store, err := config.COS.Open(role)
	if err != nil {
		return nil, err
	}
	source, err := kafka.Open(ctx, config.Source)
	if err != nil {
		return nil, err
	}
	return &handler{config: config, source: source, run: backup.Config{
		Source: source, Store: store, Prefix: config.COS.Prefix,
		Topics: topics.Match, Compress: config.Compress, Recipients: config.Keys.Recipients,
		SegmentBytes: config.SegmentBytes, Parallel: config.Parallel, Log: fn.LoggerFrom,
	}}, nil
}

// role gives the credentials of the function's role, which change with each invocation.
func role(ctx context.Context) (cos.Credentials, error) {
	c, err := fn.CredentialsFrom(ctx)
	return cos.Credentials{SecretID: c.SecretID.Reveal(), SecretKey: c.SecretKey, SessionToken: c.SessionToken}, err
}

// Handle backs up until shortly before the invocation's deadline. Where that is not all,
// and where another run was faster, the next firing goes on.
func (h *handler) Handle(ctx context.Context, _ event.Timer) (Result, error) {
	done, err := backup.Run(ctx, h.run)
	result := Result{Result: done}
	switch {
	case errors.Is(err, backup.ErrTaken):
		fn.LoggerFrom(ctx).Warn("another run is at it: this one leaves it to that", "reason", err)
		return result, nil
	case errors.Is(err, kafka.ErrAuthentication):
		return result, fn.Broken(err) // the next invocation may bring another password
	case err != nil:
		return result, err
	}
	// Where nothing is new, only time can have made a backup too many.
	if done.Complete && (h.config.KeepCount > 0 && done.Changed || h.config.KeepAge > 0) {
		result.Pruned, err = h.prune(ctx, done.Cluster)
	}
	return result, err
}

func (h *handler) prune(ctx context.Context, cluster string) (*backup.Pruned, error) {
	chain, err := backup.OpenChain(h.run.Store, h.run.Prefix, cluster)
	if err != nil {
		return nil, err
	}
	pruned, err := backup.Prune(
		ctx,
		backup.PruneConfig{Chain: chain, Count: h.config.KeepCount, Age: h.config.KeepAge, Execute: true},
	)
	return &pruned, err
}

// Close drops the connections.
func (h *handler) Close() error { return h.source.Close() }
