package load_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/dataset"
	"github.com/scf-etl/scf-etl/pkg/dataset/load"
	"github.com/scf-etl/scf-etl/pkg/kafka"
)

const nine = 1_795_683_600_000 // 2026-11-26T09:00:00Z

// fill appends batches of records; some are late, so that an entry has several folders.
func fill(t testing.TB, l *log, random *rand.Rand, batches int) {
	t.Helper()
	for range batches {
		var values []string
		for range 1 + random.IntN(8) {
			values = append(
				values,
				fmt.Sprintf(
					`{"action":"a%d","amount":%d,"at":%d}`,
					random.IntN(3),
					random.IntN(1000),
					nine-random.IntN(3)*3600_000,
				),
			)
		}
		l.add(t, nine, values...)
	}
}

func eventSchema() *load.Schema {
	return &load.Schema{Time: "at", Columns: []load.Field{
		{Name: "at", Type: dataset.Timestamp}, {Name: "action", Type: dataset.String}, {Name: "amount", Type: dataset.Int},
	}}
}

func all(l *log) []load.Range { return []load.Range{{Topic: "events", First: 0, Last: l.end - 1}} }

func TestLoadSurvivesADeathAtEveryCall(t *testing.T) {
	t.Parallel()
	for _, effect := range []bool{false, true} {
		t.Run(fmt.Sprintf("whose call had its effect: %v", effect), func(t *testing.T) {
			t.Parallel()
			for dies := 1; ; dies++ {
				random := rand.New(rand.NewPCG(uint64(dies), 1))
				l, d := newLog(), newDisk()
				fill(t, l, random, 6)
				config := func(c *load.Config) { c.Schema, c.RangeBytes = eventSchema(), 400 }
				first := &memory{disk: d, dies: dies, effect: effect}
				_, err := loader(t, l, first, config).Load(t.Context(), all(l))
				if err != nil && !errors.Is(err, errDead) {
					t.Fatal(err)
				}
				// A new poller cuts batches elsewhere, and each invocation can be another instance.
				for at := int64(0); at < l.end; {
					to := min(l.end-1, at+int64(random.IntN(12)))
					next := loader(t, l, &memory{disk: d}, config)
					if _, err := next.Load(t.Context(), []load.Range{{Topic: "events", First: at, Last: to}}); err != nil {
						t.Fatal(err)
					}
					at = to + 1
				}
				if rows := d.rows(t); len(rows) != int(l.end) {
					t.Fatalf("death at call %d: %d rows of %d", dies, len(rows), l.end)
				}
				if err == nil {
					if dies < 20 {
						t.Fatalf("only %d calls", dies)
					}
					return
				}
			}
		})
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	load1 := func(t *testing.T, l *log, store *memory, change func(*load.Config)) load.Result {
		t.Helper()
		result, err := loader(t, l, store, change).Load(t.Context(), all(l))
		if err != nil {
			t.Fatal(err)
		}
		return result
	}

	t.Run("a schema is inferred from the first records, and then fixed", func(t *testing.T) {
		t.Parallel()
		l, d := newLog(), newDisk()
		l.add(
			t,
			nine,
			`{"a":1,"b":"x","c":1.5,"d":true,"e":"2026-11-27T09:00:00.250Z","f":{"g":[1]},"date":"d","h":null}`,
			`{"a":2,"c":1}`,
		)
		load1(t, l, &memory{disk: d}, nil)
		want := map[int64]string{
			0: `_partition=0 _timestamp=1795683600000 _topic=events a=1 b=x c=1.5 d=true date_=d e=1795770000250 f={"g":[1]} `,
			1: `_partition=0 _timestamp=1795683600001 _topic=events a=2 c=1 `,
		}
		if diff := cmp.Diff(want, d.rows(t)); diff != "" {
			t.Error(diff)
		}
		l.add(t, nine, `{"a":"no number"}`)
		if _, err := loader(t, l, &memory{disk: d}, nil).Load(t.Context(), all(l)); !errors.Is(err, load.ErrRefused) ||
			!strings.Contains(err.Error(), "offset 2") {
			t.Error(err)
		}
	})
	t.Run("a record is in the folder of its event time and its fields", func(t *testing.T) {
		t.Parallel()
		l, d := newLog(), newDisk()
		schema := eventSchema()
		schema.Partition = []string{"action"}
		l.add(
			t,
			nine,
			fmt.Sprintf(`{"action":"a/b","at":%d,"amount":1}`, nine+7200_000),
			`{"at":"2020-01-02T03:04:05Z","amount":2}`,
		)
		load1(t, l, &memory{disk: d}, func(c *load.Config) { c.Schema = schema })
		for _, want := range []string{
			"data/events/date=2026-11-26/hour=11/action=a%2Fb/events-0-00000000000000000000-00000000000000000001.parquet",
			"data/events/date=2020-01-02/hour=03/action=__HIVE_DEFAULT_PARTITION__/events-0-00000000000000000000-00000000000000000001.parquet",
		} {
			if d.objects[want] == nil {
				t.Errorf("there is no %s", want)
			}
		}
	})
	t.Run("a new member is a column from then on, where that is chosen", func(t *testing.T) {
		t.Parallel()
		l, d := newLog(), newDisk()
		l.add(t, nine, `{"a":1}`)
		load1(t, l, &memory{disk: d}, nil)
		l.add(t, nine, `{"a":2,"new":true}`)
		if _, err := loader(t, l, &memory{disk: d}, nil).Load(t.Context(), all(l)); !errors.Is(err, load.ErrRefused) {
			t.Error(err)
		}
		load1(t, l, &memory{disk: d}, func(c *load.Config) { c.Change = load.Add })
		if got := d.rows(t)[1]; !strings.Contains(got, "new=true") {
			t.Error(got)
		}
		l.add(t, nine, `{"a":3,"other":true}`)
		load1(t, l, &memory{disk: d}, func(c *load.Config) { c.Change = load.Ignore })
		if got := d.rows(t)[2]; !strings.Contains(got, "a=3") || strings.Contains(got, "other") {
			t.Error(got)
		}
	})
	t.Run("a gap is an error that says what is missing, or is noted and left behind", func(t *testing.T) {
		t.Parallel()
		l, d := newLog(), newDisk()
		l.add(t, nine, `{"a":1}`, `{"a":2}`)
		load1(t, l, &memory{disk: d}, nil)
		for i := range 3 {
			l.add(t, nine, fmt.Sprintf(`{"a":%d}`, 3+i))
		}
		l.start, l.batches = 4, l.batches[3:]
		var gap *load.GapError
		if _, err := loader(t, l, &memory{disk: d}, nil).Load(t.Context(), all(l)); !errors.As(err, &gap) || gap.Last != 3 {
			t.Fatal(err)
		}
		result := load1(t, l, &memory{disk: d}, func(c *load.Config) { c.Gaps = true })
		if rows := d.rows(t); len(rows) != 3 || result.Gaps != 2 {
			t.Errorf("%v, %+v", rows, result)
		}
	})
	t.Run(
		"an entry that was begun, and whose records are gone, is said to be in doubt; one that is whole is not",
		func(t *testing.T) {
			t.Parallel()
			l, d := newLog(), newDisk()
			l.add(t, nine, `{"a":1}`, `{"a":2}`)
			load1(t, l, &memory{disk: d}, nil)
			for key := range d.objects {
				if strings.HasSuffix(key, ".parquet") {
					delete(d.objects, key)
				}
			}
			l.add(t, nine, `{"a":3}`)
			l.start, l.batches = 2, l.batches[1:]
			var gap *load.GapError
			if _, err := loader(t, l, &memory{disk: d}, nil).Load(t.Context(), all(l)); !errors.As(err, &gap) || !gap.Begun ||
				gap.Last != 1 {
				t.Fatal(err)
			}
			load1(t, l, &memory{disk: d}, func(c *load.Config) { c.Gaps = true })
			if rows := d.rows(t); len(rows) != 1 {
				t.Error(rows)
			}
		},
	)
	t.Run("a topic that was created again is not loaded on top of the old one", func(t *testing.T) {
		t.Parallel()
		l, d := newLog(), newDisk()
		l.add(t, nine, `{"a":1}`)
		load1(t, l, &memory{disk: d}, nil)
		l.id = kafka.TopicID{2}
		l.add(t, nine, `{"a":1}`)
		if _, err := loader(t, l, &memory{disk: d}, nil).Load(t.Context(), all(l)); !errors.Is(err, load.ErrRecreated) {
			t.Error(err)
		}
	})
	t.Run("aborted transactions and offsets that compaction took are left out", func(t *testing.T) {
		t.Parallel()
		l, d := newLog(), newDisk()
		l.settings["cleanup.policy"] = "compact"
		l.add(t, nine, `{"a":1}`)
		l.end += 5
		l.add(t, nine, `{"a":2}`)
		load1(t, l, &memory{disk: d}, nil)
		if rows := d.rows(t); len(rows) != 2 || rows[6] == "" {
			t.Error(rows)
		}
	})
}
