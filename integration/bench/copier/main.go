// Command copier copies one topic in one of several ways and prints what it
// did: a process of its own for each way, so that its processor time and its
// memory are its own. The bench starts it; see its README.
//
//	copier KIND -source HOST:PORT -target HOST:PORT -from TOPIC -to TOPIC -partitions N -records N
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/integration/bench/internal/page"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// task is what to copy: all of a topic whose records begin at offset 0.
type task struct {
	source, target string // bootstrap broker
	from, to       string // topics
	partitions     int32
	records        int64 // in the source, all partitions together
	codec          batch.Codec
	id             string // names what a copier leaves in the target
	code           string // folder of the built function; for the platform
	rules          string // file, for the function clean; empty for dump
}

// outcome is what a copier has done, and how long it took from its first fetch
// to its last acknowledged record or commit.
type outcome struct {
	Records int64   `json:"records"`
	Seconds float64 `json:"seconds"`
	// CPUSeconds are given where the time of the whole process would say
	// something else than the work that is measured.
	CPUSeconds float64 `json:"cpuSeconds,omitempty"`
	// RSSBytes is the peak of the process; where others work for it, with theirs
	// added.
	RSSBytes int64 `json:"rssBytes"`
	// MapBytes is the size of the offset maps, where they are kept.
	MapBytes int64 `json:"mapBytes,omitempty"`
}

// kinds are the ways to copy.
func kinds() map[string]func(context.Context, task) (outcome, error) {
	return map[string]func(context.Context, task) (outcome, error){
		"mirror":    runMirror,
		"unchecked": runUnchecked,
		"follow":    runFollow,
		"platform":  runPlatform,
		"clean":     runPlatform,
		"franz":     runFranz,
		"kafka-go":  runKafkaGo,
		"fetch":     runFetch,
		"produce":   runProduce,
		"verify":    runVerify,
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "copier:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	known := kinds()
	if len(args) == 0 || known[args[0]] == nil {
		var names []string
		for name := range known {
			names = append(names, name)
		}
		slices.Sort(names)
		return fmt.Errorf("the first argument is what to run: one of %s", strings.Join(names, ", "))
	}
	t, profile, err := parse(args)
	if err != nil {
		return err
	}
	if profile != "" {
		file, err := os.Create(profile)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	done, err := known[args[0]](ctx, t)
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	peak, err := page.PeakBytes()
	if err != nil {
		return err
	}
	done.RSSBytes += peak
	return json.NewEncoder(os.Stdout).Encode(done)
}

func parse(args []string) (t task, profile string, err error) {
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.StringVar(&t.source, "source", "", "broker to copy from")
	flags.StringVar(&t.target, "target", "", "broker to copy to")
	flags.StringVar(&t.from, "from", "", "topic to copy")
	flags.StringVar(&t.to, "to", "", "topic to copy to, which exists")
	flags.StringVar(&t.id, "id", "", "name of this run")
	flags.TextVar(&t.codec, "codec", batch.None, "compression of the source")
	flags.Int64Var(&t.records, "records", 0, "records in the source")
	flags.StringVar(&t.code, "code", "", "folder with the built function, for platform and clean")
	flags.StringVar(&t.rules, "rules", "", "rules file, for clean")
	flags.StringVar(&profile, "profile", "", "file for a CPU profile")
	partitions := flags.Int("partitions", 1, "partitions of both topics")
	if err := flags.Parse(args[1:]); err != nil {
		return t, "", err
	}
	t.partitions = int32(*partitions)
	if t.source == "" || t.target == "" || t.from == "" || t.to == "" || t.records <= 0 || t.partitions <= 0 {
		return t, "", errors.New("-source, -target, -from, -to, -records and -partitions are needed")
	}
	return t, profile, nil
}

// since is the outcome of records that were copied from begun until now.
func since(begun time.Time, records int64) outcome {
	return outcome{Records: records, Seconds: time.Since(begun).Seconds()}
}
