package main

import "github.com/scf-etl/scf-etl/pkg/job"

// Config is read from the function's environment.
type Config struct {
	Job string `env:"JOB" envDefault:"dump" doc:"name of the copy: its checkpoints are the consumer groups etl.JOB.TOPIC.PARTITION in the target cluster"`
	job.Settings
}

// Validate refuses what cannot name a job.
func (c Config) Validate() error { return job.CheckName(c.Job) }
