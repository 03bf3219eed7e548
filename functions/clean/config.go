package main

import (
	"github.com/scf-etl/scf-etl/pkg/job"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// Config is read from the function's environment.
type Config struct {
	Job   string        `env:"JOB" envDefault:"clean" doc:"name of the job: its checkpoints are the consumer groups etl.JOB.TOPIC.PARTITION in the target cluster"`
	Rules string        `env:"RULES" doc:"file with rules, instead of those that were built in from functions/clean/rules.yaml"`
	Key   secret.String `env:"ETL_KEY" doc:"key of the pseudonyms of rules with hash: ETL_KEY; the same key gives the same pseudonyms"`
	job.Settings
	job.Letters
}

// Validate refuses what cannot name a job.
func (c Config) Validate() error { return job.CheckName(c.Job) }
