package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

func (a *app) demoCommand() *cobra.Command {
	var records int
	var keep bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See a topic dumped to another cluster, and a log cleaned, on embedded brokers",
		Long: `Start two embedded Kafka clusters and the local platform, produce records to the
first, every kind of special record among them, let the function dump of
serverless.yml copy them to the second, compare both record by record, and print
a table. Beside it the function clean cleans a log with lines that are none: they
are in the dead letter, the rules are mended, and they are sent on their way again.
It needs Go and nothing else. Exit code 0 where all is equal and nothing is missing.`,
		Example: "  etl demo\n  etl demo --records 1000000\n  etl demo --keep              leave it running afterwards, to look around",
		Args:    cobra.NoArgs,
	}
	cmd.AddCommand(a.demoMigrateCommand(), a.demoBackupCommand(), a.demoFlowCommand())
	flag := newServiceFlag(cmd)
	cmd.Flags().IntVar(&records, "records", 100_000, "how many plain records to produce, beside the special ones")
	cmd.Flags().BoolVar(&keep, "keep", false, "leave clusters and platform running until Ctrl-C")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if records < 0 || records > 100_000_000 {
			return usagef("--records is %d: want 0 to 100000000", records)
		}
		d := &demo{app: a, flag: flag, records: records, keep: keep}
		return errors.Join(d.run(cmd.Context()), d.close())
	}
	return cmd
}

// demo is the whole story: produce, dump, verify; and a log that is cleaned.
type demo struct {
	app     *app
	flag    *serviceFlag
	records int
	keep    bool

	source, target *kafka.Client
	platform       *emulator.Platform
	service        *scf.Service
	folder         string           // of serverless.yml
	trigger        scf.KafkaTrigger // of dump
	log            scf.KafkaTrigger // of clean
	closers        []func() error   // in the order of opening

	mu          sync.Mutex
	invocations demoInvocations
}

// demoReport is what `etl demo -o json` prints.
type demoReport struct {
	Produced    int64                  `json:"produced_records"`
	Bytes       int64                  `json:"produced_bytes"`
	Copying     time.Duration          `json:"copying_ns"`
	Invocations demoInvocations        `json:"invocations"`
	Cleaning    demoCleaning           `json:"cleaning"`
	Comparison  mirror.TopicComparison `json:"comparison"`
}

// demoInvocations sums the function's invocations up.
type demoInvocations struct {
	Count      int   `json:"count"`
	Failed     int   `json:"failed"`
	ColdStarts int   `json:"cold_starts"`
	BilledMS   int64 `json:"billed_ms"`
	MaxRSS     int64 `json:"max_rss"`
}

// defaultJob is the default of serverless.yml and of the function.
const defaultJob = "dump"

// demoFailures is how many invocations may fail before the demo gives up: on
// its own clusters none should.
const demoFailures = 3

// demoCodecs are those of the partitions.
var demoCodecs = [...]batch.Codec{batch.None, batch.Gzip, batch.Snappy, batch.LZ4, batch.Zstd}

func (d *demo) run(ctx context.Context) error {
	if err := d.start(ctx); err != nil {
		return err
	}
	say := func(format string, args ...any) { fmt.Fprintf(d.app.stderr, format+"\n", args...) }
	say("source cluster   %s (embedded)", strings.Join(d.source.Brokers(), ","))
	say("target cluster   %s (embedded)", strings.Join(d.target.Brokers(), ","))
	report := demoReport{}
	if err := errors.Join(d.produce(ctx, &report), d.produceLog(ctx)); err != nil {
		return err
	}
	say("produced         %d records, %.1f MB: the same records to %d partitions, compressed by %s", report.Produced, float64(report.Bytes)/1e6, len(demoCodecs), codecNames())
	begun := time.Now()
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- d.platform.Run(running) }()
	err := d.awaitCopied(ctx)
	report.Copying = time.Since(begun)
	if err == nil {
		say("dumped in        %v, %.0f MB/s", report.Copying.Round(time.Millisecond), float64(report.Bytes)/1e6/report.Copying.Seconds())
		err = d.clean(ctx, &report.Cleaning)
	}
	if err == nil {
		err = d.verify(ctx, &report)
	}
	if err == nil && d.keep {
		say("still running: Ctrl-C ends it. In another terminal:\n  export SOURCE_BROKERS=%s TARGET_BROKERS=%s\n  bin/etl verify %s\n  bin/etl offsets show --topic %s",
			strings.Join(d.source.Brokers(), ","), strings.Join(d.target.Brokers(), ","), d.trigger.Topic, d.trigger.Topic)
		<-ctx.Done()
	}
	stop()
	return errors.Join(err, <-ended)
}

func codecNames() string {
	var names []string
	for _, c := range demoCodecs {
		names = append(names, c.String())
	}
	return strings.Join(names, ", ")
}

// start brings clusters and platform up, and deploys dump.
func (d *demo) start(ctx context.Context) error {
	for _, client := range []**kafka.Client{&d.source, &d.target} {
		cluster, err := localkafka.Start(localkafka.Config{})
		if err != nil {
			return err
		}
		d.closers = append(d.closers, cluster.Close)
		if *client, err = kafka.Open(ctx, kafka.Config{Brokers: cluster.Brokers(), MetadataTTL: 200 * time.Millisecond}); err != nil {
			return err
		}
		d.closers = append(d.closers, (*client).Close)
	}
	// nothing of the caller's environment: both clusters are the demo's own
	service, folder, err := d.flag.load(map[string]string{
		"SOURCE_BROKERS": strings.Join(d.source.Brokers(), ","),
		"TARGET_BROKERS": strings.Join(d.target.Brokers(), ","),
	})
	if err != nil {
		return err
	}
	d.service, d.folder = service, folder
	function, err := findFunction(service, "dump")
	if err != nil {
		return err
	}
	if d.log, err = logTrigger(service); err != nil {
		return err
	}
	for _, e := range function.Events {
		if e.Kafka != nil {
			d.trigger = *e.Kafka
		}
	}
	if d.trigger.Topic == "" {
		return errors.New("function dump of serverless.yml has no ckafka trigger")
	}
	if d.platform, err = emulator.New(platformConfig(service, emulator.Hooks{Invoked: d.invoked})); err != nil {
		return err
	}
	d.closers = append(d.closers, d.platform.Close)
	if err := d.source.CreateTopic(ctx, kafka.TopicSpec{Name: d.trigger.Topic, Partitions: len(demoCodecs), Settings: sample.TopicSettings()}); err != nil {
		return err
	}
	if err := d.source.CreateTopic(ctx, kafka.TopicSpec{Name: d.log.Topic, Partitions: logPartitions}); err != nil {
		return err
	}
	return deployAll(ctx, d.platform, service, folder, buildFunction, "dump", "clean")
}

func (d *demo) close() error {
	var faults []error
	for i := len(d.closers) - 1; i >= 0; i-- {
		faults = append(faults, d.closers[i]())
	}
	return errors.Join(faults...)
}

func (d *demo) invoked(i emulator.Invocation) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.invocations.Count++
	d.invocations.BilledMS += i.BilledMS
	d.invocations.MaxRSS = max(d.invocations.MaxRSS, i.MaxRSS)
	if i.ColdStart() {
		d.invocations.ColdStarts++
	}
	if i.Error != nil {
		d.invocations.Failed++
		fmt.Fprintf(d.app.stderr, "invocation %s failed: %v\n", i.RequestID, i.Error)
	}
}

// demoBatch is how many records are in a batch, and demoValue how large each is.
const (
	demoBatch = 200
	demoValue = 200
)

// produce writes plain and special records to each partition, with the
// partition's compression.
func (d *demo) produce(ctx context.Context, report *demoReport) error {
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	for p, codec := range demoCodecs {
		group.Go(func() error {
			n := d.records / len(demoCodecs)
			if p == 0 {
				n += d.records % len(demoCodecs)
			}
			written, size, err := producePartition(ctx, d.source, d.trigger.Topic, int32(p), codec, n)
			mu.Lock()
			defer mu.Unlock()
			report.Produced += written
			report.Bytes += size
			return err
		})
	}
	return group.Wait()
}

func producePartition(ctx context.Context, c *kafka.Client, topic string, partition int32, codec batch.Codec, n int) (records, bytes int64, err error) {
	send := func(all []batch.Record) error {
		b, err := batch.Build(batch.Options{Codec: codec}, all)
		if err != nil {
			return err
		}
		records += int64(len(all))
		bytes += int64(len(b))
		_, err = c.ProduceBatches(ctx, topic, partition, "", []batch.Batch{b})
		return err
	}
	for i, special := range sample.Special() { // alone: two large ones are more than a batch may be
		if err := send([]batch.Record{special}); err != nil {
			return records, bytes, fmt.Errorf("special record %d: %w", i, err)
		}
	}
	for seed := uint64(0); n > 0; seed++ {
		size := min(n, demoBatch)
		if err := send(sample.Plain(size, demoValue, seed)); err != nil {
			return records, bytes, err
		}
		n -= size
	}
	return records, bytes, nil
}

// awaitCopied waits until the checkpoints are at the end of the source.
func (d *demo) awaitCopied(ctx context.Context) error {
	job := &copyJob{job: defaultJob, topic: d.trigger.Topic, targetTopic: d.trigger.Topic, source: d.source, target: d.target}
	for p := range int32(len(demoCodecs)) {
		job.partitions = append(job.partitions, p)
	}
	return d.await(ctx, "offsets dumped", job)
}

// await shows how far a job is until it is at the end.
func (d *demo) await(ctx context.Context, what string, job *copyJob) error {
	bar := d.app.newProgress(what)
	defer bar.end()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		rows, err := job.rows(ctx)
		var done, total int64
		for _, r := range rows {
			done, total = done+max(r.Checkpoint, 0), total+r.End
		}
		if err == nil {
			behind, err := job.behind(ctx, rows)
			if err != nil || !behind {
				return err
			}
		}
		bar.set(done, total)
		if failed := d.failed(); failed >= demoFailures {
			return fmt.Errorf("%d invocations failed, see above", failed)
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, context.Cause(ctx))
		case <-poll.C:
		}
	}
}

func (d *demo) failed() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.invocations.Failed
}

func (d *demo) verify(ctx context.Context, report *demoReport) (err error) {
	report.Comparison, err = mirror.CompareTopics(ctx, d.source, d.target, d.trigger.Topic, d.trigger.Topic, mirror.CompareOptions{})
	if err != nil {
		return err
	}
	d.mu.Lock()
	report.Invocations = d.invocations
	d.mu.Unlock()
	if err := d.app.print(report, func(w io.Writer) { printDemo(w, report) }); err != nil {
		return err
	}
	if !report.Comparison.Equal || !report.Cleaning.addsUp() {
		return errReported
	}
	return nil
}

func printDemo(w io.Writer, r *demoReport) {
	i := r.Invocations
	fmt.Fprintf(w, "invocations      %d (%d cold starts, %d failed), %d ms billed, %d MB at most\n\n", i.Count, i.ColdStarts, i.Failed, i.BilledMS, i.MaxRSS>>20)
	printCleaning(w, r.Cleaning)
	printComparison(w, r.Comparison)
}
