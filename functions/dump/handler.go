package main

import (
	"context"

	"github.com/scf-etl/scf-etl/pkg/job"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// New gives a handler that copies the records of an event to the target: unchanged,
// because there is nothing that processes them. It connects to the clusters.
func New(ctx context.Context, config Config) (job.Handler, error) {
	return job.Open(ctx, config.Settings, mirror.Config{Job: config.Job})
}
