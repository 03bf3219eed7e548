// Command transform measures pkg/transform beside Benthos, on the same records, on
// one core and in one run, by the time of the processor. It is a module of its own,
// so that nothing that Benthos needs becomes a dependency of the project. README.md
// of integration/bench says what is measured, how, and what is not fair in it.
//
//	go run -C integration/bench/transform . [-cases json] [-rounds 3] [-seconds 1]
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"time"
)

// options are what a user chooses.
type options struct {
	cases  *regexp.Regexp
	rounds int
	spend  time.Duration // of the processor, in a round of one way
	write  string        // README to write the results into; empty: none
}

func main() {
	err := command(os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "transform:", err)
		os.Exit(1)
	}
}

func command(args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	runtime.GOMAXPROCS(1)
	report, err := bench(o)
	if err != nil || len(report.results) == 0 {
		return err
	}
	if o.write != "" {
		if err := report.write(o.write); err != nil {
			return err
		}
	}
	_, err = os.Stdout.WriteString(report.render(false))
	return err
}

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("transform", flag.ContinueOnError)
	expression := flags.String("cases", "", "only the cases whose name matches this regular expression")
	seconds := flags.Float64("seconds", 1, "of the processor, for one way of a case in one round")
	flags.IntVar(&o.rounds, "rounds", 3, "how often each case is measured; the table shows medians")
	flags.StringVar(&o.write, "write", "", "README to write the results into, beside printing them")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.cases, err = regexp.Compile(*expression); err != nil {
		return o, fmt.Errorf("-cases: %w", err)
	}
	if o.rounds < 1 || *seconds <= 0 {
		return o, errors.New("-rounds and -seconds must be positive")
	}
	o.spend = time.Duration(*seconds * float64(time.Second))
	return o, nil
}
