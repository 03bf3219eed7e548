package extract

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/extract"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

func deadline(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func connect(t testing.TB, brokers []string) *kafka.Client {
	t.Helper()
	client, err := kafka.Open(t.Context(), kafka.Config{Brokers: brokers, MetadataTTL: 200 * time.Millisecond})
	must(t, err)
	t.Cleanup(func() { client.Close() })
	return client
}

func embedded(t testing.TB) *kafka.Client {
	t.Helper()
	brokers, err := localkafka.Start(localkafka.Config{})
	must(t, err)
	t.Cleanup(func() { brokers.Close() })
	return connect(t, brokers.Brokers())
}

// job is an extraction into a cluster, each run of it a cold start.
type job struct {
	testing.TB
	target *kafka.Client
	file   string
	env    map[string]string
	job    string
}

func (j *job) run() (extract.Result, error) {
	j.Helper()
	file, err := extract.Load("extract.yaml", []byte(j.file), extract.Options{Env: func(name string) (string, bool) {
		value, ok := j.env[name]
		return value, ok
	}})
	if err != nil {
		return extract.Result{}, err
	}
	e, err := extract.New(extract.Config{
		Job: j.job, File: file, Target: j.target, CreateTopics: true, Partitions: 2, DeadLetters: "deadletter", TransactionBytes: 4000,
	})
	must(j, err)
	defer e.Close()
	return e.Run(deadline(j))
}

func (j *job) does(records, total int64) {
	j.Helper()
	r, err := j.run()
	if err != nil || !r.Done || r.Records != records || r.Total != total {
		j.Fatalf("got %+v, %v; want %d records, %d in all", r, err, records, total)
	}
}

func (j *job) fails(words ...string) error {
	j.Helper()
	r, err := j.run()
	if err == nil {
		j.Fatalf("no error, but %+v", r)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			j.Errorf("got %v\nwant %q in it", err, w)
		}
	}
	return err
}

// records are those that are committed in a topic.
func records(t testing.TB, target *kafka.Client, topic string) []batch.Record {
	t.Helper()
	described, err := target.Topic(deadline(t), topic)
	must(t, err)
	var all []batch.Record
	for _, p := range described.Partitions {
		ends, err := target.Offsets(deadline(t), topic, kafka.Latest, p.ID)
		must(t, err)
		for next := int64(0); next < ends[p.ID]; {
			fetched, err := target.FetchRecords(deadline(t), kafka.FetchRequest{
				Topic: topic, Partition: p.ID, Offset: next, MinBytes: 1, MaxBytes: 4 << 20, MaxWait: 100 * time.Millisecond, ReadCommitted: true,
			})
			must(t, err)
			if fetched.Next == next {
				break
			}
			for _, r := range fetched.Records {
				all = append(all, r.Clone())
			}
			next = fetched.Next
		}
	}
	return all
}

// keys are those of a topic's records, sorted.
func (j *job) keys(topic string) []string {
	j.Helper()
	var keys []string
	for _, r := range records(j, j.target, topic) {
		keys = append(keys, string(r.Key))
	}
	slices.Sort(keys)
	return keys
}
