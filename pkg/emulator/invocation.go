package emulator

import (
	"time"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// Invocation is the record of one invocation: what the cloud's log would show.
type Invocation struct {
	// RequestID is a UUID of its own for each invocation, also for a repeated one.
	RequestID string `json:"requestId"`
	// Function and Version are what ran.
	Function string `json:"function"`
	Version  string `json:"version"`
	// Namespace is the function's; empty for the default one.
	Namespace string `json:"namespace,omitempty"`
	// Qualifier is what was asked for; empty for $LATEST.
	Qualifier string `json:"qualifier,omitempty"`
	// Trigger is the name of the trigger that sent the event; empty for an
	// invocation by hand.
	Trigger string `json:"trigger,omitempty"`
	// Repeat says that it was made by [Platform.Repeat].
	Repeat bool `json:"repeat,omitempty"`
	// Start is when the invocation arrived, by the platform's clock.
	Start time.Time `json:"start"`
	// Init is how long a cold start took until the function could be called; 0
	// for a warm instance. It does not count to Duration.
	Init time.Duration `json:"init,omitempty"`
	// Duration is how long the function ran.
	Duration time.Duration `json:"duration"`
	// BilledMS is Duration in whole milliseconds, rounded up. Errors and
	// time-outs are billed too; what the platform did itself is not.
	BilledMS int64 `json:"billedMs"`
	// MemoryMB is the function's memory.
	MemoryMB int `json:"memoryMb"`
	// MaxRSS is the largest resident size of the process in bytes while it ran
	// the invocation; 0 where the system does not tell (see Config.MemorySample).
	MaxRSS int64 `json:"maxRss"`
	// PID is the process that ran it; 0 where none did.
	PID int `json:"pid"`
	// EventBytes is the size of the event.
	EventBytes int `json:"eventBytes"`
	// Payload is the function's response. In the records of [Platform.Invocations]
	// only its beginning is kept; PayloadBytes is its size.
	Payload      []byte `json:"payload,omitempty"`
	PayloadBytes int    `json:"payloadBytes"`
	// Log is the last part of what the process wrote during the invocation,
	// stdout and stderr in the order written, and InitLog the same for a cold
	// start. LogDropped counts the bytes that were too many to keep.
	Log        []byte `json:"log,omitempty"`
	InitLog    []byte `json:"initLog,omitempty"`
	LogDropped int64  `json:"logDropped,omitempty"`
	// Error is how it failed; nil means success.
	Error *FunctionError `json:"error,omitempty"`
}

// ColdStart reports whether a process was started for the invocation.
func (i Invocation) ColdStart() bool { return i.Init > 0 }

// bill fills in the duration.
func (i *Invocation) bill(d time.Duration) {
	i.Duration = d
	i.BilledMS = scf.BilledMillis(d)
}
