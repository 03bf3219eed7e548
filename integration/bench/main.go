// Command bench measures the copy engine beside its peers, on two real Kafka
// brokers and in one run, and prints one table. README.md says what is
// measured, how, and what is not fair in it.
//
//	go run ./integration/bench [-cases 4p.*zstd] [-copiers mirror,franz] [-rounds 3] [-profile DIR]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"
)

// options are what a user chooses.
type options struct {
	cases   *regexp.Regexp
	copiers []string // empty: all
	rounds  int
	scale   float64 // of the number of records
	profile string  // folder for CPU profiles; empty: none
	brokers []string
	output  string
	write   string // README to write the results into; empty: none
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := command(ctx, os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	report, err := bench(ctx, o)
	if err != nil {
		return err
	}
	if o.write != "" {
		if err := report.write(o.write); err != nil {
			return err
		}
	}
	if err := report.print(os.Stdout, o.output); err != nil {
		return err
	}
	return report.failed()
}

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	expression := flags.String("cases", "", "only the cases whose name matches this regular expression")
	names := flags.String("copiers", "", "only these copiers, comma separated")
	brokers := flags.String("brokers", "", "SOURCE,TARGET: brokers that run already, instead of two in containers")
	flags.IntVar(&o.rounds, "rounds", 3, "how often each case is measured; the table shows medians")
	flags.Float64Var(&o.scale, "scale", 1, "multiplies the number of records of each case")
	flags.StringVar(&o.profile, "profile", "", "folder to keep CPU profiles of the copiers in")
	flags.StringVar(&o.write, "write", "", "README to write the results into, beside printing them")
	flags.StringVar(&o.output, "o", "table", "table, markdown or json")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.cases, err = regexp.Compile(*expression); err != nil {
		return o, fmt.Errorf("-cases: %w", err)
	}
	if o.copiers = list(*names); len(o.copiers) > 0 {
		for _, name := range o.copiers {
			if !slices.Contains(copierNames(), name) {
				return o, fmt.Errorf("-copiers: no copier %q: there are %s", name, strings.Join(copierNames(), ", "))
			}
		}
	}
	if o.brokers = list(*brokers); len(o.brokers) != 0 && len(o.brokers) != 2 {
		return o, errors.New("-brokers: want two, SOURCE,TARGET")
	}
	if o.rounds < 1 || o.scale <= 0 {
		return o, errors.New("-rounds and -scale must be positive")
	}
	if !slices.Contains([]string{"table", "markdown", "json"}, o.output) {
		return o, fmt.Errorf("-o is %q: want table, markdown or json", o.output)
	}
	return o, nil
}

func list(text string) []string {
	return slices.DeleteFunc(strings.Split(text, ","), func(s string) bool { return s == "" })
}
