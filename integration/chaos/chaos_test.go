package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/integration/chaos"
	"github.com/scf-etl/scf-etl/integration/kafkatest"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// ahead is how many faults the producer is ahead of: there are always records
// left to copy, after a fault too.
const ahead = 8

// run is a copy under faults.
type run struct {
	log            func(format string, values ...any)
	brokers        kafkatest.Pair
	source, target *kafka.Client
	platform       *platform
	producer       *producer
	content        chaos.Content
}

func TestChaos(t *testing.T) {
	seed := require(t, options.kills)
	faults := chaos.Schedule(seed, options.kills)
	r := newRun(t, seed)
	gap := options.records / (len(faults) + ahead) // so that records are left for the last one
	if least := 2 * eventRecords * partitions; gap < least {
		t.Fatalf("%d records are too few for %d faults: want %d at least, so that each can be seen to be over",
			options.records, len(faults), least*(len(faults)+ahead))
	}
	if err := r.platform.start(); err != nil {
		t.Fatal(err)
	}
	r.producer.allow(ahead * gap)

	hit := map[string]int{}
	kills := 0
	for i, f := range faults {
		if err := r.step(t.Context(), i, gap, f); err != nil {
			t.Fatalf("seed %d, fault %d of %d, %v: %v", seed, i+1, len(faults), f, err)
		}
		hit[string(f.Kind)+" "+string(f.Party)]++
		if f.Kills() {
			kills++
		}
	}
	t.Logf("%d kills and %d other faults: %v", kills, len(faults)-kills, hit)
	if err := r.finish(t.Context()); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	r.check(t)
}

// newRun starts both clusters behind their proxies, makes the source topic,
// and starts a producer that may not write yet.
func newRun(t *testing.T, seed uint64) *run {
	dir := folder(t)
	r := &run{content: chaos.Content{Seed: seed}, log: schedule(t, dir)}
	build(t, dir, "./cmd/etl", "./functions/dump")
	r.brokers = startPair(t)
	t.Cleanup(func() {
		if t.Failed() {
			keepLogs(t, dir, r.brokers)
		}
	})
	r.source, r.target = open(t, r.brokers.Source), open(t, r.brokers.Target)
	createTopic(t, r.source, partitions)
	r.platform = newPlatform(t, dir, r.brokers.Source.Brokers[0], r.brokers.Target.Brokers[0])
	r.producer = newProducer(t, r.content, r.brokers.Source.Brokers, options.records/partitions)
	return r
}

// schedule logs lines with their time to the test and to dir/schedule.log.
func schedule(t *testing.T, dir string) func(format string, values ...any) {
	t.Helper()
	file, err := os.Create(filepath.Join(dir, "schedule.log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return func(format string, values ...any) {
		line := time.Now().Format("15:04:05.000 ") + fmt.Sprintf(format, values...)
		t.Log(line)
		fmt.Fprintln(file, line)
	}
}

func keepLogs(t *testing.T, dir string, brokers kafkatest.Pair) {
	for name, cluster := range map[string]*kafkatest.Cluster{"source.log": brokers.Source, "target.log": brokers.Target} {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		text, err := cluster.Logs(ctx)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
		}
		if err != nil {
			t.Error(err)
		}
	}
	platform, err := os.Open(filepath.Join(dir, "platform.log"))
	if err != nil {
		return // it was not started
	}
	defer platform.Close()
	if size, err := platform.Seek(0, io.SeekEnd); err == nil {
		_, _ = platform.Seek(max(0, size-8<<10), io.SeekStart)
	}
	if end, err := io.ReadAll(platform); err == nil {
		t.Logf("the end of platform.log:\n%s", end)
	}
}

func open(t *testing.T, cluster *kafkatest.Cluster) *kafka.Client {
	t.Helper()
	var client *kafka.Client
	if err := every(t.Context(), 50*time.Millisecond, "a connection to "+cluster.Brokers[0], func() (_ bool, err error) {
		client, err = kafka.Open(t.Context(), kafka.Config{
			Brokers: cluster.Brokers, MetadataTTL: 200 * time.Millisecond, RequestTimeout: 10 * time.Second,
		})
		return err == nil, err
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// step waits until a fault is due, does it, and waits until the copy is further
// than it was when the fault was over.
func (r *run) step(ctx context.Context, i, gap int, f chaos.Fault) error {
	if err := r.await(ctx, i*gap); err != nil {
		return fmt.Errorf("before it: %w", err)
	}
	hit, err := r.strike(ctx, f)
	if err != nil {
		return err
	}
	over := time.Now()
	copied, err := r.progress(ctx, (i+1+ahead)*gap)
	if err != nil {
		return fmt.Errorf("after it (%s): %w", hit, err)
	}
	r.log("fault %d: %v, hit %s; at %d records, all partitions further %v after it", i+1, f, hit, copied, time.Since(over).Round(time.Millisecond))
	return nil
}

// progress waits until each partition's checkpoint is more than an event beyond
// where it is now: one event may be under way, and its commit not yet seen. It
// gives where the copy was, all partitions together. Only then the producer may
// write so many records in all: where the copy has caught up, they are what is
// left to progress by.
func (r *run) progress(ctx context.Context, allowed int) (copied int, err error) {
	var begun map[int32]mirror.Checkpoint
	err = every(ctx, 20*time.Millisecond, "progress of every partition", func() (bool, error) {
		if err := r.platform.check(); err != nil {
			return true, err
		}
		now, err := r.checkpoints(ctx)
		if err != nil {
			return false, err
		}
		if begun == nil {
			begun = now
			r.producer.allow(allowed)
		}
		for p, c := range now {
			if c.Next <= max(begun[p].Next, 0)+eventRecords {
				return false, fmt.Errorf("partition %d was at %d and is at %d", p, begun[p].Next, c.Next)
			}
		}
		return true, nil
	})
	for _, c := range begun {
		copied += int(max(c.Next, 0))
	}
	return copied, err
}

// await waits until so many records are copied in all.
func (r *run) await(ctx context.Context, records int) error {
	copied := 0
	return every(ctx, 20*time.Millisecond, fmt.Sprintf("%d records copied", records), func() (bool, error) {
		if err := r.platform.check(); err != nil {
			return true, err
		}
		now, err := r.copied(ctx)
		if err != nil {
			return false, fmt.Errorf("at %d: %w", copied, err)
		}
		if copied = now; copied < records {
			return false, fmt.Errorf("at %d", copied)
		}
		return true, nil
	})
}

// copied is the sum of the checkpoints: how many offsets of the source the
// target has, as the copy itself says.
func (r *run) copied(ctx context.Context) (sum int, err error) {
	checkpoints, err := r.checkpoints(ctx)
	for _, c := range checkpoints {
		sum += int(max(c.Next, 0))
	}
	return sum, err
}

func (r *run) checkpoints(ctx context.Context) (map[int32]mirror.Checkpoint, error) {
	return mirror.Checkpoints(ctx, r.target, job, topic, topic, numbers()...)
}

func numbers() (all []int32) {
	for p := range int32(partitions) {
		all = append(all, p)
	}
	return all
}

// finish lets the producer and the copy come to their ends, and the platform go.
func (r *run) finish(ctx context.Context) error {
	r.producer.allow(options.records)
	if err := r.producer.finish(); err != nil {
		return fmt.Errorf("the source has refused a record: %w", err)
	}
	ends, err := r.source.Offsets(ctx, topic, kafka.Latest, numbers()...)
	if err != nil {
		return err
	}
	r.log("all is produced; the source ends at %v", ends)
	err = every(ctx, 50*time.Millisecond, "all checkpoints at the end of the source", func() (bool, error) {
		checkpoints, err := r.checkpoints(ctx)
		if err != nil {
			return false, err
		}
		for p, end := range ends {
			if checkpoints[p].Next != end {
				return false, fmt.Errorf("partition %d is at %d of %d", p, checkpoints[p].Next, end)
			}
		}
		return true, nil
	})
	return errors.Join(err, r.platform.stop())
}
