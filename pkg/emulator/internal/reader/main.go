// Command reader is a function for the tests of the local platform that stands
// on this project's own contract, pkg/fn and pkg/event. It answers with what it
// has understood of a Kafka event.
package main

import (
	"context"

	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/fn"
)

func main() { fn.Start("reader", build) }

type config struct{}

type reader struct{}

// answer is what the event holds.
type answer struct {
	Ranges []event.Range
	// NullKeys counts the records that may have had no key.
	NullKeys int
}

func build(context.Context, config) (fn.Handler[event.Kafka, answer], error) { return reader{}, nil }

// Handle implements fn.Handler.
func (reader) Handle(_ context.Context, k event.Kafka) (answer, error) {
	a := answer{Ranges: k.Ranges()}
	for _, r := range k.Records {
		if r.NullKey() {
			a.NullKeys++
		}
	}
	return a, nil
}
