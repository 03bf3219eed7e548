// Command stamp is a function that does nothing but say when it was called, so
// that the bench can tell the platform's own time from the function's.
package main

import (
	"context"
	"time"

	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/fn"
)

// Config is empty: there is nothing to set.
type Config struct{}

// Stamp is the answer.
type Stamp struct {
	Handled int64  `json:"handled"` // when the handler was called, in nanoseconds since 1970
	Body    string `json:"body"`    // of the first record
}

type handler struct{}

// New never fails.
func New(context.Context, Config) (fn.Handler[event.Kafka, Stamp], error) { return handler{}, nil }

// Handle takes any event of at least one record.
func (handler) Handle(_ context.Context, e event.Kafka) (Stamp, error) {
	return Stamp{Handled: time.Now().UnixNano(), Body: string(e.Records[0].Body)}, nil
}

func main() { fn.Start("stamp", New) }
