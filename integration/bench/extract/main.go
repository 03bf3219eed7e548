// Command extract measures how many records a second pkg/extract pulls from a local HTTP
// source into embedded brokers, by processor time and by the clock. The extraction runs in
// a process of its own, without the source and the brokers.
//
//	go run ./integration/bench/extract [-cases ndjson] [-rounds 3] [-scale 1]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"

	"github.com/scf-etl/scf-etl/integration/bench/internal/page"
)

// options are what a user chooses.
type options struct {
	cases  *regexp.Regexp
	rounds int
	scale  float64 // of the records of each case
	write  string  // README to write the results into; empty: none
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := command(ctx, os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "extract:", err)
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == childCommand {
		return child(ctx, args[1:])
	}
	o, err := parse(args)
	if err != nil {
		return err
	}
	results, err := bench(ctx, o)
	if err != nil || len(results) == 0 {
		return err
	}
	if o.write != "" {
		if err := page.Write(o.write, page.Extracts, render(results, o, true)); err != nil {
			return err
		}
	}
	_, err = os.Stdout.WriteString(render(results, o, false))
	return err
}

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("extract", flag.ContinueOnError)
	expression := flags.String("cases", "", "only the cases whose name matches this regular expression")
	flags.IntVar(&o.rounds, "rounds", 3, "how often each case is measured; the table shows medians")
	flags.Float64Var(&o.scale, "scale", 1, "multiplies the records of each case")
	flags.StringVar(&o.write, "write", "", "README to write the results into, beside printing them")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.cases, err = regexp.Compile(*expression); err != nil {
		return o, fmt.Errorf("-cases: %w", err)
	}
	if o.rounds < 1 || o.scale <= 0 {
		return o, errors.New("-rounds and -scale must be positive")
	}
	return o, nil
}
