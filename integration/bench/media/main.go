// Command media measures what pkg/media adds to FFmpeg: a job from a bucket into a bucket beside
// plain ffmpeg with the same arguments from a file into a file, in one run and in turns. README.md
// of integration/bench says what is measured.
//
//	go run ./integration/bench/media [-cases hls] [-rounds 3] [-scale 1]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
)

// options are what a user chooses.
type options struct {
	cases  *regexp.Regexp
	rounds int
	scale  float64
	write  string // README to write the results into; empty: none
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := command(ctx, os.Args[1:])
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "media:", err)
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	r, err := measure(ctx, o)
	if err != nil || len(r.results) == 0 {
		return err
	}
	if o.write != "" {
		if err := r.write(o.write); err != nil {
			return err
		}
	}
	_, err = os.Stdout.WriteString(r.render(false))
	return err
}

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("media", flag.ContinueOnError)
	expression := flags.String("cases", "", "only the cases whose name matches this regular expression")
	flags.IntVar(&o.rounds, "rounds", 3, "how often each case is measured; the table shows medians")
	flags.Float64Var(&o.scale, "scale", 1, "length of the media: 1 is 30 seconds")
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
