package doctor

import (
	"errors"
	"fmt"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// settings are those of a function that copies, as functions/dump has them.
// Why not that function's own: its package is a program.
type settings struct {
	Job          string          `env:"JOB" envDefault:"dump"`
	Mode         mode            `env:"MODE" envDefault:"auto"`
	Topics       mirror.TopicMap `env:"TOPICS"`
	Compression  compression     `env:"COMPRESSION" envDefault:"keep"`
	CreateTopics bool            `env:"CREATE_TOPICS" envDefault:"true"`
	Start        start           `env:"START" envDefault:"event"`
	NullKey      string          `env:"NULL_KEY" envDefault:"None"`
	Parallel     int             `env:"PARALLEL" envDefault:"4"`

	ChunkBytes       int `env:"CHUNK_BYTES" envDefault:"4194304"`
	TransactionBytes int `env:"TRANSACTION_BYTES" envDefault:"33554432"`

	Source kafka.Config `envPrefix:"SOURCE_"`
	Target kafka.Config `envPrefix:"TARGET_"`
}

// Validate checks what concerns more than one setting.
func (s settings) Validate() error {
	var faults []error
	if err := mirror.CheckJob(s.Job); err != nil {
		faults = append(faults, fmt.Errorf("JOB: %w", err))
	}
	if s.Mode == modeFetch && len(s.Source.Brokers) == 0 {
		faults = append(faults, errors.New("SOURCE_BROKERS is missing: MODE=fetch reads the records from there"))
	}
	if s.Parallel < 0 || s.Parallel > 64 {
		faults = append(faults, fmt.Errorf("PARALLEL is %d: want at most 64, or 0 for the default", s.Parallel))
	}
	return errors.Join(faults...)
}

type mode string

const (
	modeAuto  mode = "auto"
	modeFetch mode = "fetch"
	modeEvent mode = "event"
)

// UnmarshalText refuses what is no mode.
func (m *mode) UnmarshalText(text []byte) error {
	switch *m = mode(text); *m {
	case modeAuto, modeFetch, modeEvent:
		return nil
	}
	return errors.New("want auto, fetch or event")
}

type start string

const (
	startEvent    start = "event"
	startEarliest start = "earliest"
)

// UnmarshalText refuses what is no start.
func (s *start) UnmarshalText(text []byte) error {
	switch *s = start(text); *s {
	case startEvent, startEarliest:
		return nil
	}
	return errors.New("want event or earliest")
}

type compression string

// UnmarshalText reads keep or a codec's name.
func (c *compression) UnmarshalText(text []byte) error {
	*c = compression(text)
	if _, err := batch.ParseCodec(string(text)); err != nil && *c != "keep" {
		return errors.New("want keep, none, gzip, snappy, lz4 or zstd")
	}
	return nil
}
