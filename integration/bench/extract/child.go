package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/integration/bench/internal/page"
	"github.com/scf-etl/scf-etl/pkg/extract"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// childCommand is the first argument of a process that extracts.
const childCommand = "extract-and-measure"

// child extracts all of a source, as the function does it, and says what it has cost.
func child(ctx context.Context, args []string) error {
	if len(args) != 3 {
		return errors.New("want format, address and brokers")
	}
	format, address, brokers := args[0], args[1], strings.Split(args[2], ",")
	file, err := extract.Load("extract.yaml", fmt.Appendf(nil, `
source: {http: {url: '%s', format: %s, paging: {page: {param: page, first: 0}}}}
rules: [{parse: json}, {timestamp: time}]
output: {topic: records, key: {field: id}, headers: {source: bench}}
`, address, format), extract.Options{})
	if err != nil {
		return err
	}
	target, err := kafka.Open(ctx, kafka.Config{Brokers: brokers})
	if err != nil {
		return err
	}
	defer target.Close()
	e, err := extract.New(extract.Config{Job: "bench", File: file, Target: target, CreateTopics: true, Codec: batch.Zstd})
	if err != nil {
		return err
	}
	defer e.Close()
	cpu, began := page.CPUSeconds(), time.Now()
	result, err := e.Run(ctx)
	if err == nil && !result.Done {
		err = errors.New(result.Stopped)
	}
	if err != nil {
		return err
	}
	m := measured{Records: result.Written, Bytes: result.Bytes, CPU: page.CPUSeconds() - cpu, Wall: time.Since(began).Seconds()}
	if m.Peak, err = page.PeakBytes(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(m)
}
