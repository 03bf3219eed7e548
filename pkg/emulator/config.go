package emulator

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// Config is what a platform is made of. The zero value works for functions
// without triggers; whatever is zero has the default named beside it.
//
// Settings marked [?] stand for behaviour of the cloud that no public document
// states.
type Config struct {
	// Dir is where a folder is made for deployed code and the instances' scratch
	// files, which Close removes; the system's temporary folder by default.
	Dir string
	// Region is told to functions; "local".
	Region string
	// Clusters says which Kafka cluster a trigger's instance id is here.
	Clusters map[string]kafka.Config
	// Credentials are asked for before each invocation and delivered with it.
	// nil delivers none. An error fails the invocation with KindSystem. It may be
	// called from several goroutines at once.
	Credentials func(ctx context.Context) (Credentials, error)

	// StartTimeout is how long a process may take until it answers; 10 s [?].
	StartTimeout time.Duration
	// IdleTimeout is after how long an unused instance is ended; 5 min [?].
	IdleTimeout time.Duration
	// MaxInstances is how many invocations of one function may run at once;
	// one more fails with KindLimit; 128 [?].
	MaxInstances int
	// StopGrace bounds how long Run and Close wait for running invocations; 10 s.
	StopGrace time.Duration
	// MemorySample is how often the memory of a busy process is looked at;
	// 50 ms. Negative means never: no limit, no MaxRSS.
	MemorySample time.Duration
	// LogBytes is how much of its log an invocation keeps, from the end; 64 KB.
	LogBytes int
	// Keep is how many invocations are kept for Invocations; 200.
	Keep int
	// KeepEvents keeps the last event of each function, for Repeat.
	KeepEvents bool

	// Kafka is how Kafka triggers behave where the cloud's documents are silent.
	Kafka KafkaConfig
	// Async is how asynchronous invocations are repeated.
	Async AsyncConfig

	// Random chooses between the versions of an alias: a number from 0 up to and
	// without 1, the machine's by default. It may be called from several
	// goroutines at once.
	Random func() float64
	// Clock is the platform's time; the machine's by default.
	Clock Clock
	// NewRequestID names an invocation; a random UUID by default.
	NewRequestID func() string
	// Log gets a line for each invocation and each change of a trigger, at debug
	// level where all is well; nil drops them. Neither events nor responses nor
	// credentials are logged.
	Log *slog.Logger
	// Hooks are called as things happen.
	Hooks Hooks
}

// Hooks let a program show what goes on. A hook must return soon and must not
// call the platform; hooks may be called from several goroutines at once.
type Hooks struct {
	// Invoked is called after each invocation, failed ones included.
	Invoked func(Invocation)
	// Output is called for each line that a function writes, without its line
	// end; requestID is empty where no invocation is running. The slice is only
	// valid during the call.
	Output func(function, requestID string, line []byte)
	// Trigger is called when a partition of a CKafka trigger changes its state.
	Trigger func(TriggerEvent)
	// GivenUp is called for each asynchronous event that has failed for good.
	GivenUp func(GivenUp)
}

// Credentials are the temporary keys of the function's role, which the cloud
// puts into TENCENTCLOUD_SECRETID, _SECRETKEY and _SESSIONTOKEN.
type Credentials struct {
	SecretID     string
	SecretKey    secret.String
	SessionToken secret.String
}

func (c Config) withDefaults() Config {
	setDefault(&c.Region, "local")
	setDefault(&c.StartTimeout, 10*time.Second)
	setDefault(&c.IdleTimeout, 5*time.Minute)
	setDefault(&c.MaxInstances, 128)
	setDefault(&c.StopGrace, 10*time.Second)
	setDefault(&c.MemorySample, 50*time.Millisecond)
	setDefault(&c.LogBytes, 64<<10)
	setDefault(&c.Keep, 200)
	if c.Clock == nil {
		c.Clock = systemClock{}
	}
	if c.NewRequestID == nil {
		c.NewRequestID = NewRequestID
	}
	if c.Random == nil {
		c.Random = rand.Float64
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Kafka = c.Kafka.withDefaults()
	c.Async = c.Async.withDefaults()
	return c
}

func setDefault[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}
