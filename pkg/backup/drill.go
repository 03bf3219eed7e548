package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// Drilled is what a drill has found.
type Drilled struct {
	Restored RestoreResult `json:"restored"`
	Records  int64         `json:"records"` // compared
	Groups   int           `json:"groups"`  // positions whose next record was compared
	// RPO is how much would be lost: the time since everything was last known to be in the
	// backup. RTO is how long it took to have it back.
	RPO time.Duration `json:"rpo_ns"`
	RTO time.Duration `json:"rto_ns"`
	// Differences are what is not as in the backup; none in a drill that has succeeded.
	Differences []string `json:"differences"`
}

// OK says that all was restored, and is as in the backup.
func (d Drilled) OK() bool { return d.Restored.Complete && len(d.Differences) == 0 }

// Drill restores a backup to a cluster, which should be a scratch one, and compares every
// record with it, and the next record of every group.
func Drill(ctx context.Context, config RestoreConfig, now func() time.Time) (Drilled, error) {
	if now == nil {
		now = time.Now
	}
	d := Drilled{Differences: []string{}}
	checked, err := config.Chain.Checked(ctx)
	if err != nil && !errors.Is(err, ErrDamaged) {
		return d, err
	}
	begun := now()
	if d.Restored, err = Restore(ctx, config); err != nil {
		return d, err
	}
	// A run may add to the backup meanwhile: what was restored is what is compared.
	config.Point.newest = d.Restored.Plan.newest
	d.RTO, d.RPO = now().Sub(begun), begun.Sub(latest(checked, d.Restored.Plan.Observed))
	d.Records, d.Differences, err = Compare(ctx, config)
	if err != nil {
		return d, err
	}
	err = d.groups(ctx, config)
	return d, err
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Compare compares what a restore with this configuration has written with the backup,
// record by record: key, value, headers and timestamp, in order. It gives how many records
// there are, and the first difference of each partition.
func Compare(ctx context.Context, config RestoreConfig) (compared int64, differences []string, err error) {
	differences = []string{}
	if config, err = config.withDefaults(); err != nil {
		return 0, differences, err
	}
	r, err := prepare(ctx, config)
	if err != nil {
		return 0, differences, err
	}
	for _, t := range r.plan.Topics {
		for _, p := range t.Partitions {
			part := r.source.topics[t.Name].logs[p.Number]
			n, difference, err := r.compare(ctx, t, part)
			if err != nil {
				return compared, differences, err
			}
			if compared += n; difference != "" {
				differences = append(differences, difference)
			}
		}
	}
	return compared, differences, nil
}

// compare compares one partition.
func (r *restore) compare(ctx context.Context, t PlannedTopic, part *partLog) (n int64, difference string, err error) {
	target := tail{client: r.Target, topic: t.Target, partition: part.at.number}
	if err := target.open(ctx); err != nil {
		return 0, "", err
	}
	name := fmt.Sprintf("%s/%d", t.Name, part.at.number)
	for record, err := range r.source.records(ctx, part, 0) {
		if err != nil {
			return n, "", err
		}
		there, err := target.next(ctx)
		if err != nil {
			return n, "", err
		}
		if there == nil {
			return n, fmt.Sprintf(
				"%s: the record of offset %d is missing in %s: it ends after %d records",
				name,
				record.Offset,
				t.Target,
				n,
			), nil
		}
		if !sameRecord(record.Record, *there) {
			return n, fmt.Sprintf(
				"%s: the record of offset %d is not that of offset %d in %s",
				name,
				record.Offset,
				there.Offset,
				t.Target,
			), nil
		}
		n++
	}
	there, err := target.next(ctx)
	if err == nil && there != nil {
		difference = fmt.Sprintf(
			"%s: %s has more than the %d records of the backup: one at offset %d",
			name,
			t.Target,
			n,
			there.Offset,
		)
	}
	return n, difference, err
}

// groups compares the next record of each group with that of the backup.
func (d *Drilled) groups(ctx context.Context, config RestoreConfig) error {
	config, err := config.withDefaults()
	if err != nil {
		return err
	}
	r, err := prepare(ctx, config)
	if err != nil {
		return err
	}
	for _, g := range d.Restored.Groups {
		part, err := r.part(g, d.Restored.Targets)
		if err != nil {
			return err
		}
		if g.Offset < 0 {
			d.Differences = append(
				d.Differences,
				fmt.Sprintf("group %s has no position in %s/%d: %s", g.Group, g.Topic, g.Partition, g.Reason),
			)
			continue
		}
		want, err := r.source.first(ctx, part, g.Backup)
		if err != nil {
			return err
		}
		target := tail{client: config.Target, topic: g.Topic, partition: g.Partition, at: g.Offset}
		if err := target.open(ctx); err != nil {
			return err
		}
		have, err := target.next(ctx)
		if err != nil {
			return err
		}
		d.Groups++
		if (want == nil) != (have == nil) || want != nil && !sameRecord(*want, *have) {
			d.Differences = append(
				d.Differences,
				fmt.Sprintf(
					"group %s goes on in %s/%d at offset %d with another record than at offset %d of the backup",
					g.Group,
					g.Topic,
					g.Partition,
					g.Offset,
					g.Backup,
				),
			)
		}
	}
	return nil
}

// part finds the partition of the backup that a group's position is in.
func (r *restore) part(g RestoredGroup, targets map[string]string) (*partLog, error) {
	for topic, target := range targets {
		if target == g.Topic {
			return r.source.partition(topic, g.Partition)
		}
	}
	return nil, fmt.Errorf("group %s: topic %s was not restored", g.Group, g.Topic)
}

// tail reads the committed records of a partition one by one.
type tail struct {
	client    *kafka.Client
	topic     string
	partition int32
	at        int64 // 0: the beginning
	end       int64
	records   []batch.Record
}

func (t *tail) open(ctx context.Context) error {
	starts, err := t.client.Offsets(ctx, t.topic, kafka.Earliest, t.partition)
	if err != nil {
		return err
	}
	ends, err := t.client.StableOffsets(ctx, t.topic, t.partition)
	t.at, t.end = max(t.at, starts[t.partition]), ends[t.partition]
	return err
}

// next gives the next record, nil at the end.
func (t *tail) next(ctx context.Context) (*batch.Record, error) {
	for len(t.records) == 0 {
		if t.at >= t.end {
			return nil, nil
		}
		fetched, err := t.client.FetchRecords(
			ctx,
			kafka.FetchRequest{
				Topic:         t.topic,
				Partition:     t.partition,
				Offset:        t.at,
				MinBytes:      1,
				MaxBytes:      1 << 20,
				MaxWait:       fetchWait,
				ReadCommitted: true,
			},
		)
		if err != nil && (!kafka.Retriable(err) || pause(ctx, fetchWait) != nil) {
			return nil, err
		}
		t.records, t.at = fetched.Records, fetched.Next
	}
	r := &t.records[0]
	t.records = t.records[1:]
	return r, nil
}

func sameRecord(a, b batch.Record) bool {
	same := func(x, y []byte) bool { return (x == nil) == (y == nil) && bytes.Equal(x, y) }
	return a.Timestamp == b.Timestamp && same(a.Key, b.Key) && same(a.Value, b.Value) &&
		slices.EqualFunc(
			a.Headers,
			b.Headers,
			func(x, y batch.Header) bool { return x.Key == y.Key && same(x.Value, y.Value) },
		)
}

// Discard deletes the topics that a restore has created in the target, and its offset map.
func Discard(ctx context.Context, config RestoreConfig, done RestoreResult) error {
	if done.Plan == nil {
		return nil
	}
	config, err := config.withDefaults()
	if err != nil {
		return err
	}
	var faults []error
	for _, t := range done.Plan.Topics {
		if t.Exists || t.Conflict != "" {
			continue
		}
		if err := config.Target.DeleteTopic(ctx, t.Target); err != nil && !errors.Is(err, kafka.ErrUnknownTopic) {
			faults = append(faults, err)
		}
	}
	if err := config.Target.DeleteTopic(ctx, mirror.MapTopic(config.Job)); err != nil &&
		!errors.Is(err, kafka.ErrUnknownTopic) {
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}
