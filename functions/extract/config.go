package main

import (
	"errors"
	"fmt"

	"github.com/scf-etl/scf-etl/pkg/extract"
	"github.com/scf-etl/scf-etl/pkg/job"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// Config is read from the function's environment.
type Config struct {
	Job  string `env:"JOB" envDefault:"extract" doc:"name of the job: its cursor is the consumer group etl.JOB in the target cluster; another name begins anew"`
	File string `env:"EXTRACT_FILE" doc:"file that says what is extracted, instead of the one that was built in from functions/extract/extract.yaml"`

	URL  string        `env:"SOURCE_URL" doc:"address of an API, where the file says url: {env: SOURCE_URL}"`
	Auth secret.String `env:"SOURCE_AUTH" doc:"value of the header that proves who asks, where the file says auth: {env: SOURCE_AUTH}"`
	DSN  secret.String `env:"SOURCE_DSN" doc:"address of a database with user and password, where the file says dsn: {env: SOURCE_DSN}"`
	Key  secret.String `env:"ETL_KEY" doc:"key of the pseudonyms of rules with hash: ETL_KEY; the same key gives the same pseudonyms"`

	DeadLetterTopic  string          `env:"DEADLETTER_TOPIC" envDefault:"deadletter" doc:"topic for records that cannot be mapped; empty: the first of them stops the job"`
	CreateTopics     bool            `env:"CREATE_TOPICS" envDefault:"true" doc:"create missing topics"`
	Partitions       int             `env:"PARTITIONS" envDefault:"3" doc:"partitions of a topic that is created"`
	Compression      job.Compression `env:"COMPRESSION" envDefault:"zstd" doc:"of what is written: none, gzip, snappy, lz4, zstd"`
	TransactionBytes int64           `env:"TRANSACTION_BYTES" envDefault:"8388608" doc:"about how much of the source one transaction holds, at least a page: more costs the cluster less, and shows later"`

	Target kafka.Config `envPrefix:"TARGET_"`
}

// Validate checks what concerns more than one setting.
func (c Config) Validate() error {
	var faults []error
	if err := extract.CheckJob(c.Job); err != nil {
		faults = append(faults, fmt.Errorf("JOB: %w", err))
	}
	if len(c.Target.Brokers) == 0 {
		faults = append(faults, errors.New("TARGET_BROKERS is missing: host:port of the cluster to write to, comma separated"))
	}
	if c.Compression.Codec == nil {
		faults = append(faults, errors.New("COMPRESSION is keep: want none, gzip, snappy, lz4 or zstd"))
	}
	if c.Partitions < 0 || c.Partitions > 10_000 {
		faults = append(faults, fmt.Errorf("PARTITIONS is %d: want 1 to 10000, or 0 for the default", c.Partitions))
	}
	if c.TransactionBytes < 0 || c.TransactionBytes > 1<<30 {
		faults = append(faults, fmt.Errorf("TRANSACTION_BYTES is %d: want at most %d, or 0 for the default", c.TransactionBytes, 1<<30))
	}
	return errors.Join(faults...)
}

// variable looks up what the file names as {env: NAME}.
func (c Config) variable(name string) (string, bool) {
	value := map[string]string{
		"SOURCE_URL": c.URL, "SOURCE_AUTH": c.Auth.Reveal(), "SOURCE_DSN": c.DSN.Reveal(), "ETL_KEY": c.Key.Reveal(),
	}[name]
	return value, value != ""
}
