package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"time"

	"github.com/scf-etl/scf-etl/integration/bench/internal/page"
	"github.com/scf-etl/scf-etl/pkg/dataset"
	"github.com/scf-etl/scf-etl/pkg/dataset/load"
)

// childCommand is the first argument of a process that is measured: the bench starts itself, so that processor time and
// memory of each way are its own.
const childCommand = "child"

// outcome is what a child has done, and what the work took.
type outcome struct {
	Seconds    float64 `json:"seconds"`
	CPUSeconds float64 `json:"cpuSeconds"`
	RSSBytes   int64   `json:"rssBytes"` // peak
	Bytes      int64   `json:"bytes"`    // of JSON lines that were loaded
	Answer     [][]any `json:"answer"`
}

// child does: load DIR ROWS; make DIR ROWS; query DIR NUMBER. A profile is written into $PROFILE.
func child(ctx context.Context, args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("%v is no task", args)
	}
	number, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	folder, err := dataset.OpenFolder(args[1])
	if err != nil {
		return err
	}
	defer folder.Close()
	work := map[string]func(context.Context, *dataset.Folder, int) (outcome, error){"load": loadLines, "make": makeRows, "query": ask}[args[0]]
	if work == nil {
		return fmt.Errorf("%v is no task", args)
	}
	if dir := os.Getenv("PROFILE"); dir != "" {
		file, err := os.Create(filepath.Join(dir, fmt.Sprintf("dataset-%s-%d.prof", args[0], number)))
		if err != nil {
			return err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	o, err := work(ctx, folder, number)
	if err != nil {
		return err
	}
	if o.RSSBytes, err = page.PeakBytes(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(o)
}

// timed measures work.
func timed(work func() error) (o outcome, err error) {
	since, used := time.Now(), page.CPUSeconds()
	err = work()
	o.Seconds, o.CPUSeconds = time.Since(since).Seconds(), page.CPUSeconds()-used
	return o, err
}

// loadLines loads JSON lines, as the function does.
func loadLines(ctx context.Context, folder *dataset.Folder, rows int) (outcome, error) {
	source, err := newLines(int64(rows))
	if err != nil {
		return outcome{}, err
	}
	loader, err := load.New(load.Config{Source: source, Dataset: dataset.New(folder, "access"), FromEarliest: true})
	if err != nil {
		return outcome{}, err
	}
	o, err := timed(func() error {
		result, err := loader.Load(ctx, []load.Range{{Topic: "access", Last: int64(rows) - 1}})
		if err == nil && result.Records != int64(rows) {
			err = fmt.Errorf("%d of %d records were loaded", result.Records, rows)
		}
		return err
	})
	o.Bytes = source.read
	return o, err
}

// ask answers a question.
func ask(ctx context.Context, folder *dataset.Folder, number int) (outcome, error) {
	if number < 0 || number >= len(questions()) {
		return outcome{}, errors.New("there is no such question")
	}
	q := questions()[number]
	var answer dataset.Answer
	o, err := timed(func() error {
		d, err := dataset.Open(ctx, folder, "rows")
		if err == nil {
			answer, err = d.Query(ctx, q.query)
		}
		return err
	})
	if err == nil && answer.Scanned.Rows == 0 {
		err = errors.New("no rows were read")
	}
	for _, row := range answer.Rows {
		for i, v := range row {
			if t, ok := v.(time.Time); ok {
				row[i] = t.UnixMilli()
			}
		}
		o.Answer = append(o.Answer, row)
	}
	return o, err
}
