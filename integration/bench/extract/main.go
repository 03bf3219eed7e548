// Command extract measures how many records a second pkg/extract pulls from a local HTTP
// source into embedded brokers, by processor time and by the clock. The extraction runs in
// a process of its own, without the source and the brokers.
//
//	go run ./integration/bench/extract [-cases ndjson] [-rounds 3] [-scale 1]
package main

import (
	"context"
	"os"

	"github.com/scf-etl/scf-etl/integration/bench/internal/page"
)

func main() { page.Main("extract", command) }

func command(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == childCommand {
		return child(ctx, args[1:])
	}
	o, err := page.ParseOptions("extract", "multiplies the records of each case", args)
	if err != nil {
		return err
	}
	results, err := bench(ctx, o)
	if err != nil || len(results) == 0 {
		return err
	}
	if o.Write != "" {
		if err := page.Write(o.Write, page.Extracts, render(results, o, true)); err != nil {
			return err
		}
	}
	_, err = os.Stdout.WriteString(render(results, o, false))
	return err
}
