package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/backup"
	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/fn"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// handler restores what it is asked for.
type handler struct {
	config Config
	target *kafka.Client
	store  backup.Store
}

// Result is what one invocation has done. Where it is not Complete, and is not a plan, ask
// for the same again: it goes on.
type Result struct {
	backup.RestoreResult
	Planned bool `json:"planned"`
}

// LogAttrs sums the result up for a log line.
func (r Result) LogAttrs() []slog.Attr {
	return []slog.Attr{
		slog.Bool("complete", r.Complete),
		slog.Bool("planned", r.Planned),
		slog.Int64("records", r.Records),
		slog.Int64("bytes", r.Bytes),
	}
}

// New connects to the cluster. A broker that is away or refuses the user is an error that
// names it; nothing has been touched then.
func New(ctx context.Context, config Config) (fn.Handler[Event, Result], error) {
	store, err := config.COS.Open(role)
	if err != nil {
		return nil, err
	}
	target, err := kafka.Open(ctx, config.Target)
	if err != nil {
		return nil, err
	}
	return &handler{config: config, target: target, store: store}, nil
}

// role gives the credentials of the function's role, which change with each invocation.
func role(ctx context.Context) (cos.Credentials, error) {
	c, err := fn.CredentialsFrom(ctx)
	return cos.Credentials{SecretID: c.SecretID.Reveal(), SecretKey: c.SecretKey, SessionToken: c.SessionToken}, err
}

// margin is left of an invocation's time for the answer.
const margin = 2 * time.Second

// Handle restores until shortly before the invocation's deadline.
func (h *handler) Handle(ctx context.Context, e Event) (Result, error) {
	config, err := h.restore(ctx, e)
	if err != nil {
		return Result{}, err
	}
	if e.Plan {
		plan, err := backup.PlanRestore(ctx, config)
		return Result{RestoreResult: backup.RestoreResult{Plan: plan}, Planned: true}, err
	}
	inTime := ctx
	if deadline, ok := ctx.Deadline(); ok {
		var stop context.CancelFunc
		inTime, stop = context.WithDeadline(ctx, deadline.Add(-margin))
		defer stop()
	}
	done, err := backup.Restore(inTime, config)
	switch {
	case err != nil && inTime.Err() != nil && ctx.Err() == nil:
		fn.LoggerFrom(ctx).Info("out of time: ask for the same again, and it goes on", "reason", err)
		err = nil
	case errors.Is(err, kafka.ErrAuthentication):
		err = fn.Broken(err) // the next invocation may bring another password
	}
	return Result{RestoreResult: done}, err
}

// restore makes the configuration of a request.
func (h *handler) restore(ctx context.Context, e Event) (backup.RestoreConfig, error) {
	var pairs []string
	for from, to := range e.Rename {
		pairs = append(pairs, from+":"+to)
	}
	topics, err := mirror.ParseTopicMap(strings.Join(pairs, ","))
	if err != nil {
		return backup.RestoreConfig{}, fmt.Errorf("rename: %w", err)
	}
	include := e.Topics
	if len(include) == 0 && len(e.Partitions) > 0 {
		for topic := range e.Partitions {
			include = append(include, regexp.QuoteMeta(topic))
		}
	}
	if len(include) == 0 {
		include = []string{".*"}
	}
	groups, err := backup.SelectGroups(e.Groups)
	if err != nil {
		return backup.RestoreConfig{}, fmt.Errorf("groups: %w", err)
	}
	selected, err := mirror.NewSelection(include, e.Exclude)
	if err != nil {
		return backup.RestoreConfig{}, fmt.Errorf("topics: %w", err)
	}
	identities, err := backup.Identities(h.config.Identities)
	if err != nil {
		return backup.RestoreConfig{}, err
	}
	chain, err := backup.Find(ctx, h.store, h.config.COS.Prefix, e.Cluster)
	if err != nil {
		return backup.RestoreConfig{}, err
	}
	return backup.RestoreConfig{
		Chain: chain, Target: h.target, Identities: identities, Job: e.Job,
		Point: backup.Point{Time: e.Time, Sequence: e.Backup}, Select: selected.Match, Topics: topics,
		Partitions: e.Partitions, Groups: groups,
		IntoTopicsThatHoldRecords: e.IntoTopicsThatHoldRecords, SkipDamaged: e.SkipDamaged, Unlimited: e.Unlimited,
		Parallel: h.config.Parallel, Log: fn.LoggerFrom,
	}, nil
}

// Close drops the connections.
func (h *handler) Close() error { return h.target.Close() }
