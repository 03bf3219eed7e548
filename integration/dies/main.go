// Command dies is a job for tests: it passes records on, and ends its process, without
// a word, on one whose value says die.
package main

import (
	"bytes"
	"context"
	"os"

	"github.com/scf-etl/scf-etl/pkg/fn"
	"github.com/scf-etl/scf-etl/pkg/job"
)

func main() { fn.Start("dies", job.New(process)) }

func process(_ context.Context, r job.Record, emit func(job.Output)) error {
	if bytes.HasPrefix(r.Value, []byte("die")) {
		os.Exit(137)
	}
	emit(job.Output{Record: r.Record})
	return nil
}
