package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"

	"github.com/scf-etl/scf-etl/integration/bench/internal/page"
	"github.com/scf-etl/scf-etl/pkg/backup"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// childCommand is the first argument of a process that is measured: the bench starts
// itself, so that processor time and memory of each way are its own.
const childCommand = "child"

// task is what a child does.
type task struct {
	broker   string
	topic    string // to fetch, to back up, or to be restored
	to       string // to produce to, or to restore as
	endpoint string // of the COS server
	prefix   string
	dir      string // of the COS server
	moment   int64  // in milliseconds
	compress bool
	profile  string
}

// outcome is what a child has done, and how long the work took inside of it.
type outcome struct {
	Bytes      int64   `json:"bytes"` // of logs
	Records    int64   `json:"records"`
	Seconds    float64 `json:"seconds"`
	CPUSeconds float64 `json:"cpuSeconds"` // of the whole process, its start included
	RSSBytes   int64   `json:"rssBytes"`   // peak
}

// ways are what children do.
func ways() map[string]func(context.Context, task) (outcome, error) {
	return map[string]func(context.Context, task) (outcome, error){
		"cos":     serveCOS,
		"fetch":   runFetch,
		"produce": runProduce,
		"backup":  runBackup,
		"restore": runRestore,
		"moment":  runMoment,
	}
}

func child(ctx context.Context, args []string) error {
	var t task
	if len(args) == 0 || ways()[args[0]] == nil {
		return fmt.Errorf("%v is no way to measure", args)
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.StringVar(&t.broker, "broker", "", "")
	flags.StringVar(&t.topic, "topic", "", "")
	flags.StringVar(&t.to, "to", "", "")
	flags.StringVar(&t.endpoint, "endpoint", "", "")
	flags.StringVar(&t.prefix, "prefix", "", "")
	flags.StringVar(&t.dir, "dir", "", "")
	flags.Int64Var(&t.moment, "moment", 0, "")
	flags.BoolVar(&t.compress, "compress", false, "")
	flags.StringVar(&t.profile, "profile", "", "")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if t.profile != "" {
		file, err := os.Create(t.profile)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	done, err := ways()[args[0]](ctx, t)
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	if done.RSSBytes, err = page.PeakBytes(); err != nil {
		return err
	}
	done.CPUSeconds = page.CPUSeconds()
	return json.NewEncoder(os.Stdout).Encode(done)
}

const (
	bucket    = "backup-1250000000"
	secretID  = "id"
	secretKey = "key"
)

func (t task) store() (backup.Store, error) {
	return backup.Place{
		Bucket: bucket, Region: localcos.DefaultRegion, Endpoint: t.endpoint,
		SecretID: secretID, SecretKey: secret.New(secretKey),
	}.Open(nil)
}

func (t task) client(ctx context.Context) (*kafka.Client, error) {
	return kafka.Open(ctx, kafka.Config{Brokers: []string{t.broker}})
}

// profileOf names the file of a profile; "" for none.
func profileOf(o page.Options, name string) string {
	if o.Profile == "" {
		return ""
	}
	return filepath.Join(o.Profile, name+".pprof")
}
