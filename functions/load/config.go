package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/dataset/load"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// Config is read from the function's environment.
type Config struct {
	Job    string      `env:"JOB" envDefault:"load" doc:"name of the job: checkpoints of its dead letters are the consumer groups etl.JOB.TOPIC.PARTITION.*"`
	Topics []string    `env:"TOPICS" doc:"topics that a timer loads, comma separated; a CKafka trigger names its own"`
	Schema string      `env:"SCHEMA" doc:"file with the schema, in YAML or JSON; empty: that of the dataset, inferred from the first records"`
	Change load.Change `env:"SCHEMA_CHANGE" envDefault:"refuse" doc:"a record with a member that the schema does not have: refuse: to the dead letter; add: a column is added; ignore: the member is left out"`
	Start  Start       `env:"START" envDefault:"earliest" doc:"where the first load of a partition begins: earliest: at the earliest record of the source; event: at the event"`
	Gaps   Gaps        `env:"GAPS" envDefault:"refuse" doc:"records that the source has deleted before they were loaded: refuse: an error that says which; record: they are noted, and it goes on behind them"`

	RangeBytes  int   `env:"RANGE_BYTES" envDefault:"8388608" doc:"about how much of a partition's records makes one object in each folder, at most"`
	Parallel    int   `env:"PARALLEL" envDefault:"2" doc:"partitions that are loaded at a time; each takes about ten times RANGE_BYTES of memory"`
	Compact     bool  `env:"COMPACT" envDefault:"true" doc:"a timer merges the small objects of hours that have ended"`
	ObjectBytes int64 `env:"OBJECT_BYTES" envDefault:"134217728" doc:"about how large an object is that is merged of others"`
	CompactDays int   `env:"COMPACT_DAYS" envDefault:"7" doc:"how many days back objects are merged"`

	DeadLetterTopic string `env:"DEADLETTER_TOPIC" envDefault:"deadletter" doc:"topic in the source cluster for records that do not fit; empty: such a record stops its partition"`

	Source kafka.Config `envPrefix:"SOURCE_"`
	COS    Place        `envPrefix:"COS_"`
}

// Place says where the dataset is.
type Place struct {
	cos.Settings
	Prefix    string        `env:"PREFIX" envDefault:"dataset" doc:"folder of the dataset in the bucket"`
	SecretID  string        `env:"SECRET_ID" doc:"SecretId of a key; without it the function's role is used"`
	SecretKey secret.String `env:"SECRET_KEY" doc:"SecretKey of that key"`
}

// Validate names every wrong field, without its prefix.
func (p Place) Validate() error {
	var faults []error
	if p.Bucket == "" {
		faults = append(faults, errors.New("BUCKET is missing: the bucket of the dataset, as data-1250000000. It must never have had versions"))
	}
	if strings.Trim(p.Prefix, "/") == "" {
		faults = append(faults, errors.New("PREFIX is empty: want a folder of the dataset's own"))
	}
	if (p.SecretID == "") != p.SecretKey.Empty() {
		faults = append(faults, errors.New("SECRET_ID and SECRET_KEY belong together: set both or none"))
	}
	return errors.Join(faults...)
}

// Validate checks what concerns more than one setting.
func (c Config) Validate() error {
	var faults []error
	if len(c.Source.Brokers) == 0 {
		faults = append(faults, errors.New("SOURCE_BROKERS is missing: host:port of the cluster to load from, comma separated"))
	}
	if err := mirror.CheckJob(c.Job); err != nil {
		faults = append(faults, fmt.Errorf("JOB: %w", err))
	}
	if _, err := c.schema(); err != nil {
		faults = append(faults, fmt.Errorf("SCHEMA: %w", err))
	}
	if c.Parallel < 0 || c.Parallel > 64 {
		faults = append(faults, fmt.Errorf("PARALLEL is %d: want at most 64, or 0 for the default", c.Parallel))
	}
	if c.RangeBytes < 0 || c.RangeBytes > 256<<20 {
		faults = append(faults, fmt.Errorf("RANGE_BYTES is %d: want at most %d, or 0 for the default", c.RangeBytes, 256<<20))
	}
	if c.CompactDays < 0 || c.ObjectBytes < 0 {
		faults = append(faults, fmt.Errorf("COMPACT_DAYS is %d and OBJECT_BYTES %d: want 0 for the default, or more", c.CompactDays, c.ObjectBytes))
	}
	return errors.Join(faults...)
}

// maxSchema bounds the file of a schema, in bytes.
const maxSchema = 1 << 20

// schema reads the file; nil where there is none.
func (c Config) schema() (*load.Schema, error) {
	if c.Schema == "" {
		return nil, nil
	}
	info, err := os.Stat(c.Schema)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxSchema {
		return nil, fmt.Errorf("%s has %d bytes: want at most %d", c.Schema, info.Size(), maxSchema)
	}
	text, err := os.ReadFile(c.Schema)
	if err != nil {
		return nil, err
	}
	s, err := load.ParseSchema(c.Schema, text)
	return &s, err
}

// Start says where the first load of a partition begins.
type Start string

// The starts.
const (
	StartEarliest Start = "earliest"
	StartEvent    Start = "event"
)

// UnmarshalText refuses what is no start.
func (s *Start) UnmarshalText(text []byte) error {
	if *s = Start(text); *s != StartEarliest && *s != StartEvent {
		return errors.New("want earliest or event")
	}
	return nil
}

// Gaps says what becomes of records that are gone.
type Gaps string

// The choices.
const (
	GapsRefuse Gaps = "refuse"
	GapsRecord Gaps = "record"
)

// UnmarshalText refuses what is no choice.
func (g *Gaps) UnmarshalText(text []byte) error {
	if *g = Gaps(text); *g != GapsRefuse && *g != GapsRecord {
		return errors.New("want refuse or record")
	}
	return nil
}
