package page

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"
)

// Options are what a user of a benchmark chooses.
type Options struct {
	Cases   *regexp.Regexp
	Rounds  int
	Scale   float64
	Profile string // folder for CPU profiles; empty: none
	Write   string // README to write the results into; empty: none
}

// Main runs the benchmark of a name until it ends or is interrupted. Its error ends the process with 1.
func Main(name string, command func(ctx context.Context, args []string) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// ParseOptions reads the arguments of a benchmark; scale says in its help what is scaled.
func ParseOptions(name, scale string, args []string) (o Options, err error) {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	expression := flags.String("cases", "", "only the cases whose name matches this regular expression")
	flags.IntVar(&o.Rounds, "rounds", 3, "how often each case is measured; the table shows medians")
	flags.Float64Var(&o.Scale, "scale", 1, scale)
	flags.StringVar(&o.Profile, "profile", "", "folder to keep CPU profiles in, where the benchmark makes any")
	flags.StringVar(&o.Write, "write", "", "README to write the results into, beside printing them")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.Cases, err = regexp.Compile(*expression); err != nil {
		return o, fmt.Errorf("-cases: %w", err)
	}
	if o.Rounds < 1 || o.Scale <= 0 {
		return o, errors.New("-rounds and -scale must be positive")
	}
	return o, nil
}
