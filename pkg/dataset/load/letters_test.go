package load_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/dataset/load"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

// letterBox is a cluster with a dead-letter topic.
func letterBox(t *testing.T) *kafka.Client {
	t.Helper()
	brokers, err := localkafka.Start(localkafka.Config{Topics: map[string]int32{"deadletter": 1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { brokers.Close() })
	client, err := kafka.Open(t.Context(), kafka.Config{Brokers: brokers.Brokers(), MetadataTTL: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func letters(t *testing.T, client *kafka.Client) int {
	t.Helper()
	fetched, err := client.FetchRecords(
		t.Context(),
		kafka.FetchRequest{Topic: "deadletter", MaxBytes: 1 << 20, ReadCommitted: true},
	)
	if err != nil {
		t.Fatal(err)
	}
	return len(fetched.Records)
}

// notes are the keys about letters that have been written.
func (d *disk) notes() []string {
	return slices.Sorted(func(yield func(string) bool) {
		for key := range maps.Keys(d.objects) {
			if strings.HasSuffix(key, ".sent") && !yield(key) {
				return
			}
		}
	})
}

func TestLetters(t *testing.T) {
	t.Parallel()
	to := func(client *kafka.Client, job string) func(*load.Config) {
		return func(c *load.Config) {
			compacting(c)
			c.Job, c.Letters, c.DeadLetterTopic = job, client, "deadletter"
		}
	}
	// one is a record that does not fit, and was loaded alone.
	one := func(t *testing.T) (*log, *disk, *kafka.Client) {
		t.Helper()
		l, d, client := newLog(), newDisk(), letterBox(t)
		l.add(t, nine, "no JSON")
		if _, err := loader(t, l, &memory{disk: d}, to(client, "job")).Load(t.Context(), all(l)); err != nil {
			t.Fatal(err)
		}
		return l, d, client
	}
	expire := func(l *log) { l.start, l.batches = l.end, nil }
	// loads makes sure that a good record is loaded, by an instance that knows nothing.
	loads := func(t *testing.T, l *log, d *disk, config func(*load.Config)) {
		t.Helper()
		l.add(t, nine, `{"amount":1}`)
		if _, err := loader(t, l, &memory{disk: d}, config).Load(t.Context(), all(l)); err != nil {
			t.Fatal(err)
		}
		if rows := d.rows(t); len(rows) != 1 {
			t.Errorf("%v", rows)
		}
	}
	want := func(t *testing.T, client *kafka.Client, want int) {
		t.Helper()
		if n := letters(t, client); n != want {
			t.Errorf("%d letters, want %d", n, want)
		}
	}

	t.Run("a record that does not fit, was alone and is gone, stops nothing", func(t *testing.T) {
		t.Parallel()
		l, d, client := one(t)
		expire(l)
		loads(t, l, d, to(client, "job"))
		want(t, client, 1)
	})
	t.Run("nor where the note about its letter is missing: there is the checkpoint", func(t *testing.T) {
		t.Parallel()
		l, d, client := one(t)
		delete(d.objects, d.notes()[0])
		expire(l)
		loads(t, l, d, to(client, "job"))
		want(t, client, 1)
		if len(d.notes()) != 1 {
			t.Error("the checkpoint is not noted, and will be forgotten")
		}
	})
	t.Run("nor where there is no dead letter any more", func(t *testing.T) {
		t.Parallel()
		l, d, _ := one(t)
		loads(t, l, d, compacting)
	})
	t.Run("its letter is there once, also when the cluster has forgotten the checkpoint", func(t *testing.T) {
		t.Parallel()
		l, d, client := one(t)
		loads(t, l, d, to(client, "another"))
		want(t, client, 1)
	})
	t.Run("so are letters of an entry whose objects were not written any more", func(t *testing.T) {
		t.Parallel()
		l, d, client := newLog(), newDisk(), letterBox(t)
		l.add(t, nine, "no JSON", `{"amount":1}`)
		for _, job := range []string{"job", "another"} {
			if _, err := loader(t, l, &memory{disk: d}, to(client, job)).Load(t.Context(), all(l)); err != nil {
				t.Fatal(err)
			}
			maps.DeleteFunc(d.objects, func(key string, _ []byte) bool { return strings.HasSuffix(key, ".parquet") })
		}
		want(t, client, 1)
	})
	t.Run("a letter of which nothing is known, and whose record is gone, is in doubt", func(t *testing.T) {
		t.Parallel()
		l, d, client := one(t)
		delete(d.objects, d.notes()[0])
		expire(l)
		l.add(t, nine, `{"amount":1}`)
		var gap *load.GapError
		_, err := loader(t, l, &memory{disk: d}, to(client, "another")).Load(t.Context(), all(l))
		if !errors.As(err, &gap) || !gap.Begun {
			t.Error(err)
		}
	})
	t.Run("those of a topic that was created again, and goes into another dataset, are written too", func(t *testing.T) {
		t.Parallel()
		l, _, client := one(t)
		again := newLog()
		again.id = kafka.TopicID{2}
		again.add(t, nine, "no JSON either")
		if _, err := loader(t, again, &memory{disk: newDisk()}, to(client, "job")).Load(t.Context(), all(again)); err != nil {
			t.Fatal(err)
		}
		if got := letters(t, client); got != 2 {
			t.Errorf("%d letters, want one of each (%v)", got, l.id)
		}
	})

	t.Run("notes go with their entries", func(t *testing.T) {
		t.Parallel()
		l, d, client := one(t)
		orphan := strings.ReplaceAll(d.notes()[0], "00.sent", "01.sent") // whose entry went in a run that was killed
		d.objects[orphan] = d.objects[d.notes()[0]]
		l.add(t, nine, `{"amount":1}`, `{"amount":2}`)
		l.add(t, nine, "no JSON")
		for last := range l.end {
			upTo := []load.Range{{Topic: "events", Last: last}}
			if _, err := loader(t, l, &memory{disk: d}, to(client, "job")).Load(t.Context(), upTo); err != nil {
				t.Fatal(err)
			}
		}
		d.pass(24 * time.Hour)
		if _, err := loader(t, l, &memory{disk: d}, compacting).Compact(t.Context()); err != nil {
			t.Fatal(err)
		}
		if notes := d.notes(); len(notes) != 1 || !strings.HasSuffix(notes[0], "03.sent") {
			t.Errorf("%v", notes)
		}
	})
}
