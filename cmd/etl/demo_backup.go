package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/backup"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

func (a *app) demoBackupCommand() *cobra.Command {
	var records int
	cmd := &cobra.Command{
		Use:   "backup",
		Short: "See a cluster backed up, destroyed, and restored to a moment, all on this machine",
		Long: `Start an embedded Kafka cluster and a bucket in a folder. Produce, back up, produce,
back up; then something goes wrong: bad records, and the cluster is destroyed with
its disk. Restore to the moment before that in a new cluster, compare every
partition by digest with what the first one had then, and let the consumer groups
go on. Exit code 0 where all is equal.`,
		Example: "  etl demo backup\n  etl demo backup --records 1000000",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().IntVar(&records, "records", 100_000, "how many plain records to produce, beside the special ones")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if records < 0 || records > 100_000_000 {
			return usagef("--records is %d: want 0 to 100000000", records)
		}
		d := &backupDemo{app: a, records: records}
		report, err := d.run(cmd.Context())
		if err = errors.Join(err, d.close()); err != nil {
			return err
		}
		if err := a.print(report, func(w io.Writer) { printBackupDemo(w, report) }); err != nil {
			return err
		}
		if !report.Equal {
			return errReported
		}
		return nil
	}
	return cmd
}

// backupDemoReport is what `etl demo backup -o json` prints.
type backupDemoReport struct {
	Partitions []backupDemoRow        `json:"partitions"`
	Groups     []backup.RestoredGroup `json:"groups"`
	Backups    []backup.Entry         `json:"backups"`
	Moment     time.Time              `json:"moment"`
	Equal      bool                   `json:"equal"`
	Took       time.Duration          `json:"took_ns"`
}

type backupDemoRow struct {
	Partition int32  `json:"partition"`
	Records   int64  `json:"records"`
	Source    string `json:"source_digest"` // of what the first cluster had at the moment
	Target    string `json:"target_digest"`
	Equal     bool   `json:"equal"`
}

func printBackupDemo(w io.Writer, r backupDemoReport) {
	rows := [][]string{{"PARTITION", "RECORDS", "DIGEST BEFORE", "DIGEST RESTORED", "EQUAL"}}
	for _, p := range r.Partitions {
		rows = append(rows, []string{fmt.Sprint(p.Partition), fmt.Sprint(p.Records), p.Source, p.Target, yes(p.Equal)})
	}
	table(w, rows)
	rows = [][]string{{"GROUP", "PARTITION", "WAS AT", "GOES ON AT"}}
	for _, g := range r.Groups {
		rows = append(rows, []string{g.Group, fmt.Sprint(g.Partition), fmt.Sprint(g.Backup), fmt.Sprint(g.Offset)})
	}
	table(w, rows)
	verdict := "equal"
	if !r.Equal {
		verdict = "NOT EQUAL"
	}
	fmt.Fprintf(
		w,
		"restored to %s, in all %v:\n%s\n",
		r.Moment.UTC().Format("15:04:05.000"),
		r.Took.Round(100*time.Millisecond),
		verdict,
	)
}

// backupDemo is the story of one cluster.
type backupDemo struct {
	app     *app
	records int
	store   backup.Store
	closers []func() error // in the order of opening
}

const (
	demoBackupTopic  = "orders"
	demoBackupGroup  = "billing"
	demoBackupBucket = "backup-1250000000"
)

func (d *backupDemo) say(format string, args ...any) {
	fmt.Fprintf(d.app.stderr, format+"\n", args...)
}

func (d *backupDemo) close() error {
	var faults []error
	for i := len(d.closers) - 1; i >= 0; i-- {
		faults = append(faults, d.closers[i]())
	}
	return errors.Join(faults...)
}

func (d *backupDemo) run(ctx context.Context) (report backupDemoReport, err error) {
	begun := time.Now()
	if err := d.bucket(); err != nil {
		return report, err
	}
	source, destroy, err := d.cluster(ctx)
	if err != nil {
		return report, err
	}
	defer destroy()
	before, err := d.story(ctx, source, &report)
	if err != nil {
		return report, err
	}
	if err := destroy(); err != nil {
		return report, err
	}
	d.say("  destroyed  the cluster, with its disk")
	target, end, err := d.cluster(ctx)
	if err != nil {
		return report, err
	}
	defer end()
	if err := d.restored(ctx, target, before, &report); err != nil {
		return report, err
	}
	report.Took = time.Since(begun)
	return report, nil
}

// bucket starts a COS server on a temporary folder.
func (d *backupDemo) bucket() error {
	folder, err := os.MkdirTemp("", "etl-demo-backup-")
	if err != nil {
		return err
	}
	d.closers = append(d.closers, func() error { return os.RemoveAll(folder) })
	key := secret.New("demo-secret-key")
	server, err := localcos.New(
		localcos.Config{
			Dir:     folder,
			Buckets: []string{demoBackupBucket},
			Keys:    map[string]localcos.Key{"demo": {Secret: key}},
		},
	)
	if err != nil {
		return err
	}
	d.closers = append(d.closers, server.Close)
	if err := server.Start("127.0.0.1:0"); err != nil {
		return err
	}
	d.store, err = backup.Place{
		Bucket:    demoBackupBucket,
		Region:    localcos.DefaultRegion,
		Endpoint:  server.URL(),
		SecretID:  "demo",
		SecretKey: key,
	}.Open(
		nil,
	)
	return err
}

// cluster starts one. Ending it twice is no error.
func (d *backupDemo) cluster(ctx context.Context) (client *kafka.Client, end func() error, err error) {
	cluster, err := localkafka.Start(localkafka.Config{})
	if err != nil {
		return nil, nil, err
	}
	client, err = kafka.Open(ctx, kafka.Config{Brokers: cluster.Brokers(), MetadataTTL: 200 * time.Millisecond})
	if err != nil {
		return nil, nil, errors.Join(err, cluster.Close())
	}
	ended := false
	return client, func() error {
		if ended {
			return nil
		}
		ended = true
		return errors.Join(client.Close(), cluster.Close())
	}, nil
}

// story is what happens to the first cluster. It gives the digests of what it had at the
// moment that is restored.
func (d *backupDemo) story(
	ctx context.Context,
	source *kafka.Client,
	report *backupDemoReport,
) (before []batch.Digest, err error) {
	err = source.CreateTopic(
		ctx,
		kafka.TopicSpec{Name: demoBackupTopic, Partitions: demoPartitions, Settings: sample.TopicSettings()},
	)
	if err != nil {
		return nil, err
	}
	before = make([]batch.Digest, demoPartitions)
	positions := map[int32]kafka.Committed{}
	for step := range uint64(2) {
		for p := range int32(demoPartitions) {
			records := sample.Plain(d.records/demoPartitions/2, 200, uint64(p)*2+step)
			if step == 0 {
				records = append(records, sample.Special()...)
			}
			if err := produceNow(ctx, source, p, records, &before[p]); err != nil {
				return nil, err
			}
			positions[p] = kafka.Committed{Offset: before[p].Count() * 2 / 3}
		}
		if err := source.Commit(ctx, demoBackupGroup, demoBackupTopic, positions); err != nil {
			return nil, err
		}
		if step == 0 {
			err = d.backUp(ctx, source)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := d.backUp(ctx, source); err != nil {
		return nil, err
	}
	report.Moment = time.UnixMilli(time.Now().UnixMilli())
	d.say("  %s  all is well: this moment will be restored", report.Moment.UTC().Format("15:04:05.000"))
	for time.Now().UnixMilli() <= report.Moment.UnixMilli() { // what is bad comes later
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(time.Millisecond):
		}
	}
	for p := range int32(demoPartitions) {
		bad := []batch.Record{{Key: []byte("bad"), Value: []byte("a bad deployment writes this")}}
		if err := produceNow(ctx, source, p, bad, &batch.Digest{}); err != nil {
			return nil, err
		}
	}
	d.say("  produced   bad records")
	return before, d.backUp(ctx, source)
}

// produceNow writes records with the time of now, but for special times, and adds them to a
// digest.
func produceNow(
	ctx context.Context,
	c *kafka.Client,
	partition int32,
	records []batch.Record,
	digest *batch.Digest,
) error {
	for len(records) > 0 {
		size := 0
		n := 0
		for n < len(records) && (n == 0 || size+len(records[n].Value)+200 < 900_000) {
			size += len(records[n].Value) + 200
			if string(records[n].Key) != "time" {
				records[n].Timestamp = time.Now().UnixMilli()
			}
			digest.Add(records[n])
			n++
		}
		if _, err := c.Produce(ctx, demoBackupTopic, partition, records[:n]...); err != nil {
			return err
		}
		records = records[n:]
	}
	return nil
}

func (d *backupDemo) backUp(ctx context.Context, source *kafka.Client) error {
	result, err := backup.Run(ctx, backup.Config{Source: source, Store: d.store, Compress: true})
	if err != nil {
		return err
	}
	d.say(
		"  backup %d   %d records in %d segments, %s as %s",
		result.Sequence,
		result.Records,
		result.Segments,
		inBytes(result.Bytes),
		inBytes(result.ObjectBytes),
	)
	return nil
}

// restored restores, and compares.
func (d *backupDemo) restored(
	ctx context.Context,
	target *kafka.Client,
	before []batch.Digest,
	report *backupDemoReport,
) error {
	chain, err := backup.Find(ctx, d.store, "", "")
	if err != nil {
		return err
	}
	if report.Backups, err = chain.List(ctx, 0); err != nil {
		return err
	}
	verified, err := backup.Verify(ctx, backup.VerifyConfig{Chain: chain})
	if err != nil {
		return err
	}
	d.say("  verified   %d segments: %d damaged", verified.Segments, len(verified.Damage))
	config := backup.RestoreConfig{Chain: chain, Target: target, Point: backup.Point{Time: report.Moment}}
	drilled, err := backup.Drill(ctx, config, nil)
	if err != nil {
		return err
	}
	d.say("  restored   %d records in %v", drilled.Restored.Records, drilled.RTO.Round(time.Millisecond))
	report.Groups = drilled.Restored.Groups
	report.Equal = verified.OK() && drilled.OK() && len(report.Groups) == demoPartitions
	for _, difference := range drilled.Differences {
		d.say("  %s", difference)
	}
	for p := range int32(demoPartitions) {
		row, err := compareDemo(ctx, target, p, &before[p])
		if err != nil {
			return err
		}
		report.Partitions = append(report.Partitions, row)
		report.Equal = report.Equal && row.Equal
	}
	return nil
}

// compareDemo digests a partition of the target.
func compareDemo(
	ctx context.Context,
	target *kafka.Client,
	partition int32,
	before *batch.Digest,
) (backupDemoRow, error) {
	var after batch.Digest
	ends, err := target.StableOffsets(ctx, demoBackupTopic, partition)
	if err != nil {
		return backupDemoRow{}, err
	}
	for next := int64(0); next < ends[partition]; {
		fetched, err := target.FetchRecords(
			ctx,
			kafka.FetchRequest{
				Topic:         demoBackupTopic,
				Partition:     partition,
				Offset:        next,
				MinBytes:      1,
				MaxBytes:      4 << 20,
				MaxWait:       time.Second,
				ReadCommitted: true,
			},
		)
		if err != nil {
			return backupDemoRow{}, err
		}
		for _, r := range fetched.Records {
			after.Add(r)
		}
		next = fetched.Next
	}
	was, is := before.Sum(), after.Sum()
	return backupDemoRow{
		Partition: partition,
		Records:   after.Count(),
		Source:    hex.EncodeToString(was[:8]),
		Target:    hex.EncodeToString(is[:8]),
		Equal:     was == is,
	}, nil
}
