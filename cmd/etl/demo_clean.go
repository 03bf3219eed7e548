package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// demoCleaning is the story of a log with lines that are none: they are in the dead
// letter, the rules are mended, and they are sent on their way again.
type demoCleaning struct {
	Lines int64 `json:"lines"`
	// Before and After are where they were, before the rules were mended and after.
	Before   demoPlaces `json:"before"`
	Redriven int64      `json:"redriven"`
	After    demoPlaces `json:"after"`
}

// demoPlaces count where the lines of a log are.
type demoPlaces struct {
	Clean       int64 `json:"log_clean"`
	Errors      int64 `json:"log_errors"`
	DeadLetters int64 `json:"dead_letters"` // that are not on their way again
}

func (p demoPlaces) sum() int64 { return p.Clean + p.Errors + p.DeadLetters }

func (c demoCleaning) addsUp() bool { return c.Before.sum() == c.Lines && c.After.sum() == c.Lines }

const (
	demoLines     = 10_000
	demoPoison    = 100 // every so many lines one is none
	logPartitions = 2

	cleanTopic  = "log-clean" // as functions/clean/rules.yaml has them
	errorsTopic = "log-errors"
)

// demoMended is what the rules parse after they were mended: a line may end behind
// the size.
const demoMended = `parse: {format: regexp, types: {status: int}, pattern: '^(?P<client>\S+) (?P<identity>\S+) (?P<user>\S+) \[(?P<time>[^\]]+)\] ` +
	`"(?P<method>[A-Z]+) (?P<path>\S+) (?P<protocol>[^"]+)" (?P<status>\d{3}) (?P<size>\d+|-)(?: "(?P<referer>[^"]*)" "(?P<agent>(?:[^"\\]|\\.)*)")?$'}`

// produceLog writes the lines. Of those that are none every other one is cut behind
// the size, as another format of the same server has it.
func (d *demo) produceLog(ctx context.Context) error {
	good, bad := sample.AccessLog(demoLines, 1), sample.BrokenLines(2000)
	records := make([][]batch.Record, logPartitions)
	now := time.Now().UnixMilli()
	for i, line := range good {
		if i%demoPoison == demoPoison/2 {
			if n := i / demoPoison; n%2 == 0 {
				line = bad[n%len(bad)]
			} else {
				parts := strings.SplitN(line, `"`, 4) // before and in the request, status and size, the rest
				line = parts[0] + `"` + parts[1] + `"` + strings.TrimRight(parts[2], " ")
			}
		}
		records[i%logPartitions] = append(records[i%logPartitions], batch.Record{Value: []byte(line), Timestamp: now})
	}
	for p, all := range records {
		for len(all) > 0 {
			n := min(len(all), demoBatch)
			b, err := batch.Build(batch.Options{Codec: batch.Zstd}, all[:n])
			if err != nil {
				return err
			}
			if _, err := d.source.ProduceBatches(ctx, d.log.Topic, int32(p), "", []batch.Batch{b}); err != nil {
				return err
			}
			all = all[n:]
		}
	}
	return nil
}

// clean lets the function clean the log, mends the rules, and redrives.
func (d *demo) clean(ctx context.Context, report *demoCleaning) (err error) {
	report.Lines = demoLines
	if report.Before, err = d.cleaned(ctx); err != nil {
		return err
	}
	if err := d.mendRules(ctx); err != nil {
		return err
	}
	redriver := deadletter.Redriver{Letters: d.letters(), Source: d.source}
	plan, err := redriver.Run(ctx)
	if err != nil {
		return err
	}
	report.Redriven = plan.Sent
	report.After, err = d.cleaned(ctx)
	return err
}

// mendRules deploys the function with other rules.
func (d *demo) mendRules(ctx context.Context) error {
	rules, err := os.ReadFile(filepath.Join(d.folder, "functions", "clean", "rules.yaml"))
	if err != nil {
		return err
	}
	mended := strings.Replace(string(rules), "parse: combined", demoMended, 1)
	if mended == string(rules) {
		return errors.New("functions/clean/rules.yaml has no parse: combined to mend")
	}
	dir, err := os.MkdirTemp("", "etl-demo-")
	if err != nil {
		return err
	}
	d.closers = append(d.closers, func() error { return os.RemoveAll(dir) })
	file := filepath.Join(dir, "rules.yaml")
	if err := os.WriteFile(file, []byte(mended), 0o600); err != nil {
		return err
	}
	for i := range d.service.Functions {
		if f := &d.service.Functions[i]; f.Key == "clean" {
			f.Environment["RULES"] = file
		}
	}
	return deployAll(ctx, d.platform, d.service, d.folder, buildFunction, "clean")
}

func (d *demo) letters() deadletter.Topic {
	return deadletter.Topic{Client: d.target, Name: "deadletter"}
}

// cleaned waits until the function is at the end of the log, and counts.
func (d *demo) cleaned(ctx context.Context) (places demoPlaces, err error) {
	job := &copyJob{job: "clean", topic: d.log.Topic, targetTopic: cleanTopic, source: d.source, target: d.target}
	for p := range int32(logPartitions) {
		job.partitions = append(job.partitions, p)
	}
	if err := d.await(ctx, "lines cleaned", job); err != nil {
		return places, err
	}
	if places.Clean, err = countRecords(ctx, d.target, cleanTopic); err != nil {
		return places, err
	}
	if places.Errors, err = countRecords(ctx, d.target, errorsTopic); err != nil {
		return places, err
	}
	summary, err := d.letters().Summary(ctx, deadletter.Selection{}, deadletter.Filter{})
	for _, g := range summary.Groups {
		places.DeadLetters += g.Open
	}
	return places, err
}

// countRecords counts the committed records of a topic.
func countRecords(ctx context.Context, c *kafka.Client, topic string) (n int64, err error) {
	info, err := c.Topic(ctx, topic)
	if err != nil {
		return 0, err
	}
	for p := range int32(len(info.Partitions)) {
		ends, err := c.StableOffsets(ctx, topic, p)
		if err != nil {
			return n, err
		}
		for next := int64(0); next < ends[p]; {
			fetched, err := c.FetchRecords(ctx, kafka.FetchRequest{Topic: topic, Partition: p, Offset: next, MaxBytes: 4 << 20, MaxWait: 100 * time.Millisecond, ReadCommitted: true})
			if err != nil {
				return n, err
			}
			n, next = n+int64(len(fetched.Records)), fetched.Next
		}
	}
	return n, nil
}

func printCleaning(w io.Writer, c demoCleaning) {
	places := func(p demoPlaces) string {
		return fmt.Sprintf("%d in %s + %d in %s + %d in the dead letter = %d", p.Clean, cleanTopic, p.Errors, errorsTopic, p.DeadLetters, p.sum())
	}
	fmt.Fprintf(w, "log              %d lines, 1 %% of them none\n", c.Lines)
	fmt.Fprintf(w, "cleaned          %s\n", places(c.Before))
	fmt.Fprintf(w, "rules mended     for lines that end behind the size, half of the %d dead letters, which are on their way again\n", c.Redriven)
	fmt.Fprintf(w, "                 %s\n", places(c.After))
	verdict := "every line is in one place"
	if !c.addsUp() {
		verdict = "LINES ARE MISSING, OR THERE TWICE"
	}
	fmt.Fprintf(w, "                 %s\n\n", verdict)
}

// logTrigger gives the trigger of the function clean.
func logTrigger(service *scf.Service) (scf.KafkaTrigger, error) {
	f, err := findFunction(service, "clean")
	if err != nil {
		return scf.KafkaTrigger{}, err
	}
	for _, e := range f.Events {
		if e.Kafka != nil {
			return *e.Kafka, nil
		}
	}
	return scf.KafkaTrigger{}, errors.New("function clean of serverless.yml has no ckafka trigger")
}
