package load_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/dataset"
	"github.com/scf-etl/scf-etl/pkg/dataset/load"
)

// loaded is a disk with many small objects, and some time later.
func loaded(t testing.TB) (*log, *disk) {
	t.Helper()
	l, d := newLog(), newDisk()
	for range 8 {
		fill(t, l, rand.New(rand.NewPCG(uint64(l.end), 1)), 2)
		if _, err := loader(t, l, &memory{disk: d}, compacting).Load(t.Context(), all(l)); err != nil {
			t.Fatal(err)
		}
	}
	d.pass(40 * time.Minute)
	return l, d
}

func compacting(c *load.Config) { c.Schema, c.CompactDays = eventSchema(), 30 }

func (d *disk) count() (objects, merged int) {
	for key := range d.objects {
		if strings.HasSuffix(key, ".parquet") {
			objects++
			merged += strings.Count(key, "/~")
		}
	}
	return objects, merged
}

// rowsOnce is rows, by those who know of merges.
func (d *disk) query(t testing.TB) int64 {
	t.Helper()
	set, err := dataset.Open(t.Context(), &memory{disk: d}, "data/events")
	if err != nil {
		t.Fatal(err)
	}
	answer, err := set.Query(t.Context(), dataset.Query{Measures: []dataset.Measure{{Name: "n", Op: dataset.Count}}})
	if err != nil {
		t.Fatal(err)
	}
	return answer.Rows[0][0].(int64)
}

func TestCompact(t *testing.T) {
	t.Parallel()
	t.Run(
		"small objects of hours that have ended become one, but those that somebody may still write",
		func(t *testing.T) {
			t.Parallel()
			l, d := loaded(t)
			want := d.rows(t)
			before, _ := d.count()
			result, err := loader(t, l, &memory{disk: d}, compacting).Compact(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			objects, merged := d.count()
			if objects >= before/2 || merged == 0 || result.Merges != merged {
				t.Errorf("%d objects became %d, %d of them merged: %+v", before, objects, merged, result)
			}
			if diff := cmp.Diff(want, d.rows(t)); diff != "" {
				t.Error(diff)
			}
			if _, err := loader(t, l, &memory{disk: d}, compacting).Load(t.Context(), all(l)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, d.rows(t)); diff != "" {
				t.Error("after the last entry was done again", diff)
			}
		},
	)
	t.Run("nothing is merged while an instance could write it again", func(t *testing.T) {
		t.Parallel()
		l, d := loaded(t)
		d.clock = d.clock.Add(-39 * time.Minute)
		if result, err := loader(t, l, &memory{disk: d}, compacting).Compact(t.Context()); err != nil || result.Merges != 0 {
			t.Errorf("%+v, %v", result, err)
		}
	})
	t.Run("an instance that is behind another does not bring back what was merged", func(t *testing.T) {
		t.Parallel()
		for name, pace := range map[string]func(l *log, d *disk, slow *load.Loader, last int64){
			"a call for each entry": func(l *log, d *disk, slow *load.Loader, last int64) {
				for n := range last + 1 {
					if _, err := slow.Load(t.Context(), []load.Range{{Topic: "events", Last: n}}); err != nil {
						t.Error(err)
					}
					d.pass(9 * time.Minute)
				}
			},
			"one long call": func(l *log, d *disk, slow *load.Loader, last int64) {
				l.fetched = func() { d.pass(9 * time.Minute) }
				if _, err := slow.Load(t.Context(), all(l)); err != nil {
					t.Error(err)
				}
			},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				l, d := newLog(), newDisk()
				small := func(c *load.Config) { compacting(c); c.RangeBytes = 1 }
				slow := loader(t, l, &memory{disk: d}, small)
				l.add(t, nine, `{"amount":0}`)
				if _, err := slow.Load(t.Context(), all(l)); err != nil {
					t.Fatal(err)
				}
				for n := range 11 {
					l.add(t, nine, fmt.Sprintf(`{"amount":%d}`, n+1))
				}
				if _, err := loader(t, l, &memory{disk: d}, small).Load(t.Context(), all(l)); err != nil {
					t.Fatal(err)
				}
				begin, other := d.now(), loader(t, l, &memory{disk: d}, small)
				d.passed = func(now time.Time) {
					if now.Sub(begin) > 31*time.Minute {
						if _, err := other.Compact(t.Context()); err != nil {
							t.Error(err)
						}
					}
				}
				pace(l, d, slow, l.end-1)
				if rows := d.rows(t); len(rows) != int(l.end) {
					t.Errorf("%d rows of %d", len(rows), l.end)
				}
			})
		}
	})
	t.Run("late rows are merged with what was merged before", func(t *testing.T) {
		t.Parallel()
		l, d := loaded(t)
		for range 3 {
			if _, err := loader(t, l, &memory{disk: d}, compacting).Compact(t.Context()); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				l.add(t, nine, fmt.Sprintf(`{"action":"late","amount":1,"at":%d}`, nine))
				if _, err := loader(t, l, &memory{disk: d}, compacting).Load(t.Context(), all(l)); err != nil {
					t.Fatal(err)
				}
			}
			d.pass(3 * time.Hour)
		}
		if _, err := loader(t, l, &memory{disk: d}, compacting).Compact(t.Context()); err != nil {
			t.Fatal(err)
		}
		if rows := d.rows(t); len(rows) != int(l.end) || d.query(t) != l.end {
			t.Errorf("%d rows, %d by a query, of %d", len(rows), d.query(t), l.end)
		}
		if objects, merged := d.count(); merged > 3 || objects > 8 {
			t.Errorf("%d objects, %d merged", objects, merged)
		}
	})
	t.Run("entries of logs go when nobody needs them, and the log goes on", func(t *testing.T) {
		t.Parallel()
		l, d := loaded(t)
		d.pass(24 * time.Hour)
		result, err := loader(t, l, &memory{disk: d}, compacting).Compact(t.Context())
		if err != nil || result.Entries < 5 {
			t.Fatalf("%+v, %v", result, err)
		}
		l.add(t, nine, `{"amount":1}`)
		if _, err := loader(t, l, &memory{disk: d}, compacting).Load(t.Context(), all(l)); err != nil {
			t.Fatal(err)
		}
		if rows := d.rows(t); len(rows) != int(l.end) {
			t.Errorf("%d rows of %d", len(rows), l.end)
		}
	})
}

func TestCompactSurvivesADeathAtEveryCall(t *testing.T) {
	t.Parallel()
	l, template := loaded(t)
	want := template.rows(t)
	for _, effect := range []bool{false, true} {
		t.Run(fmt.Sprintf("whose call had its effect: %v", effect), func(t *testing.T) {
			t.Parallel()
			for dies := 1; ; dies++ {
				d := &disk{objects: maps.Clone(template.objects), times: maps.Clone(template.times), clock: template.clock}
				_, err := loader(t, l, &memory{disk: d, dies: dies, effect: effect}, compacting).Compact(t.Context())
				if err != nil && !errors.Is(err, errDead) {
					t.Fatal(err)
				}
				if n := d.query(t); n != l.end { // also before the next run
					t.Fatalf("death at call %d: a query finds %d rows of %d", dies, n, l.end)
				}
				if _, err := loader(t, l, &memory{disk: d}, compacting).Compact(t.Context()); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, d.rows(t)); diff != "" {
					t.Fatalf("death at call %d: %s", dies, diff)
				}
				if err == nil {
					return
				}
			}
		})
	}
}
