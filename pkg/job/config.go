package job

import (
	"errors"
	"fmt"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// Config is that of a job without settings of its own, read from the function's
// environment.
type Config struct {
	Job string `env:"JOB,required" doc:"name of the job: its checkpoints are the consumer groups etl.JOB.TOPIC.PARTITION in the target cluster"`
	Settings
	Letters
}

// Validate refuses what cannot name a job.
func (c Config) Validate() error {
	if c.Job == "" { // which is said already
		return nil
	}
	return CheckName(c.Job)
}

// CheckName refuses a JOB that cannot be the name of one.
func CheckName(job string) error {
	if err := mirror.CheckJob(job); err != nil {
		return fmt.Errorf("JOB: %w", err)
	}
	return nil
}

// Settings are what every job on a topic has.
type Settings struct {
	Mode         Mode            `env:"MODE" envDefault:"auto" doc:"fetch: read the records from the source, byte for byte; event: take them from the event, text only; auto: fetch where SOURCE_BROKERS is set"`
	Topics       mirror.TopicMap `env:"TOPICS" doc:"target topics, SOURCE:TARGET, comma separated; *:PREFIX.* for all others; a topic that is not named keeps its name"`
	Compression  Compression     `env:"COMPRESSION" envDefault:"keep" doc:"keep each batch's compression, or encode anew: none, gzip, snappy, lz4, zstd"`
	CreateTopics bool            `env:"CREATE_TOPICS" envDefault:"true" doc:"create a missing target topic with the source's partitions and settings"`
	Start        Start           `env:"START" envDefault:"event" doc:"where the first copy of a partition begins: event: at the event, as the trigger does; earliest: at the earliest record of the source, whatever the event"`
	NullKey      string          `env:"NULL_KEY" envDefault:"None" doc:"event mode: the msgKey that stands for a record without a key"`
	Parallel     int             `env:"PARALLEL" envDefault:"4" doc:"partitions of one event that are copied at a time"`

	ChunkBytes       int `env:"CHUNK_BYTES" envDefault:"4194304" doc:"about how much one fetch of a partition holds; two are in memory for each partition that is copied at a time"`
	TransactionBytes int `env:"TRANSACTION_BYTES" envDefault:"33554432" doc:"about how much one transaction of a partition holds: more costs the target less, and shows later"`

	Source kafka.Config `envPrefix:"SOURCE_"`
	Target kafka.Config `envPrefix:"TARGET_"`
}

// Validate checks what concerns more than one setting.
func (s Settings) Validate() error {
	var faults []error
	if len(s.Target.Brokers) == 0 {
		faults = append(faults, errors.New("TARGET_BROKERS is missing: host:port of the cluster to write to, comma separated"))
	}
	if s.Mode == ModeFetch && len(s.Source.Brokers) == 0 {
		faults = append(faults, errors.New("SOURCE_BROKERS is missing: MODE=fetch reads the records from there; MODE=event takes them from the event, without headers and timestamps"))
	}
	if s.Parallel < 0 || s.Parallel > 64 {
		faults = append(faults, fmt.Errorf("PARALLEL is %d: want at most 64, or 0 for the default", s.Parallel))
	}
	for key, bytes := range map[string]int{"CHUNK_BYTES": s.ChunkBytes, "TRANSACTION_BYTES": s.TransactionBytes} {
		if bytes < 0 || bytes > 1<<30 {
			faults = append(faults, fmt.Errorf("%s is %d: want at most %d, or 0 for the default", key, bytes, 1<<30))
		}
	}
	return errors.Join(faults...)
}

// Fetches says whether the event is a pointer and the source is the data.
func (s Settings) Fetches() bool {
	return s.Mode == ModeFetch || s.Mode == ModeAuto && len(s.Source.Brokers) > 0
}

// Mode says where the records come from.
type Mode string

// The modes. Only ModeFetch gives headers, timestamps, nil keys and bytes that
// are not text: the event has none of them.
const (
	ModeAuto  Mode = "auto"
	ModeFetch Mode = "fetch"
	ModeEvent Mode = "event"
)

// UnmarshalText refuses what is no mode.
func (m *Mode) UnmarshalText(text []byte) error {
	switch Mode(text) {
	case ModeAuto, ModeFetch, ModeEvent:
		*m = Mode(text)
		return nil
	}
	return errors.New("want auto, fetch or event")
}

// Start says where the first copy of a partition begins.
type Start string

// The starts.
const (
	StartEvent    Start = "event"
	StartEarliest Start = "earliest"
)

// UnmarshalText refuses what is no start.
func (s *Start) UnmarshalText(text []byte) error {
	switch Start(text) {
	case StartEvent, StartEarliest:
		*s = Start(text)
		return nil
	}
	return errors.New("want event or earliest")
}

// Compression is a codec, or none chosen: then each batch keeps its own.
type Compression struct{ Codec *batch.Codec }

// UnmarshalText reads keep or a codec's name.
func (c *Compression) UnmarshalText(text []byte) error {
	if string(text) == "keep" {
		c.Codec = nil
		return nil
	}
	codec, err := batch.ParseCodec(string(text))
	if err != nil {
		return errors.New("want keep, none, gzip, snappy, lz4 or zstd")
	}
	c.Codec = &codec
	return nil
}
