package api

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// Config is what an API is made of. What is zero has the default named beside it.
type Config struct {
	// Platform runs the functions. It is not closed by the API.
	Platform *emulator.Platform
	// Keys are the secret keys by secret id; nobody may call without one.
	Keys map[string]secret.String
	// Token is what X-TC-Token must be; empty looks at none.
	Token secret.String
	// Roles are the names that a function may be given; nil takes any.
	Roles []string
	// Region is the one that answers; empty answers for any.
	Region string
	// State is the folder that keeps functions from one run to the next; a
	// temporary one, which Close removes, by default. One API at a time.
	State string
	// Object opens an object of COS, for code that is given as one; nil knows no
	// bucket. The bucket is named as the request names it, without the appid; the
	// key has no slash in front. The error of what is not there wraps fs.ErrNotExist.
	Object func(ctx context.Context, bucket, key string) (io.ReadCloser, error)

	// ChangeTime is how long a function is Creating, Updating, Publishing or
	// Deleting at least; 0 makes the change before the answer, so that no such
	// state is seen [?].
	ChangeTime time.Duration
	// RateLimit is how many requests of one action are answered in a second, more
	// get RequestLimitExceeded; 0 is no limit. In the cloud it is 20 for most.
	RateLimit int
	// Fault lets requests fail, for the tests of clients; nil lets none. n counts
	// the requests that had a valid signature, from 0.
	Fault func(action string, n int) Fault

	// Now is the present, the machine's by default.
	Now func() time.Time
	// After wakes once a time has passed, by the machine's clock by default. What
	// waits for it is the end of a change.
	After func(time.Duration) <-chan time.Time
	// NewRequestID names a request; a random UUID by default.
	NewRequestID func() string
	// Log gets a line for each request; nil drops them.
	Log *slog.Logger
	// Called is told of each request once it is answered; nil is not.
	Called func(Call)
}

// Call is one request, as it was answered.
type Call struct {
	Action    string
	Function  string // empty where it is about none
	RequestID string
	Code      string // of the error; empty for none
	Message   string
	Took      time.Duration
}

// Fault is how a request fails.
type Fault int

// The faults.
const (
	// NoFault answers as ever.
	NoFault Fault = iota
	// CutBefore closes the connection, and nothing is done.
	CutBefore
	// CutAfter does what was asked, and closes the connection without an answer.
	CutAfter
	// ServerError answers with the status 500, and nothing is done.
	ServerError
	// Throttled answers RequestLimitExceeded, and nothing is done.
	Throttled
)

func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.After == nil {
		c.After = time.After
	}
	if c.NewRequestID == nil {
		c.NewRequestID = emulator.NewRequestID
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}
