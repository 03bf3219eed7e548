// Command dataset measures how fast JSON lines become Parquet, and questions about Parquet beside DuckDB on one
// thread, in one run. README.md of integration/bench says what is measured, how, and what is not fair in it.
//
//	go run ./integration/bench/dataset [-cases load] [-rounds 3] [-scale 1] [-profile DIR]
//
// It needs Python 3 with the packages of integration/dataset/testdata/requirements.txt: PYTHON names an interpreter
// that has them; without one it makes a virtual environment in the user's cache.
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
	cases   *regexp.Regexp
	rounds  int
	scale   float64 // of the rows of each case
	profile string  // folder for CPU profiles; empty: none
	write   string  // README to write the results into; empty: none
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := command(ctx, os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "dataset:", err)
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
	report, err := bench(ctx, o)
	if err != nil || report.empty() {
		return err
	}
	if o.write != "" {
		if err := page.Write(o.write, page.Datasets, report.render(true)); err != nil {
			return err
		}
	}
	_, err = os.Stdout.WriteString(report.render(false))
	return err
}

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("dataset", flag.ContinueOnError)
	expression := flags.String("cases", "", "only the cases whose name matches this regular expression")
	flags.IntVar(&o.rounds, "rounds", 3, "how often each case is measured; the table shows medians")
	flags.Float64Var(&o.scale, "scale", 1, "multiplies the rows of each case")
	flags.StringVar(&o.profile, "profile", "", "folder to keep CPU profiles in")
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
