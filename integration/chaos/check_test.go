package chaos_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/integration/chaos"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// partition has records 0 to 99, of which 50 was never stored, 60 was stored
// but not acknowledged, and all others are acknowledged.
func partition() (*chaos.Ledger, []batch.Record) {
	ledger := &chaos.Ledger{}
	var records []batch.Record
	for n := range 100 {
		if n == 50 {
			continue
		}
		if n != 60 {
			ledger.Acknowledge(n)
		}
		r := content.Record(3, n)
		r.Offset = int64(len(records))
		records = append(records, r)
	}
	return ledger, records
}

var content = chaos.Content{Seed: 7}

func each(records []batch.Record) chaos.Records {
	return func(yield func(batch.Record, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()

	t.Run("an equal target has no violation, with or without a record that was not acknowledged", func(t *testing.T) {
		t.Parallel()
		ledger, records := partition()
		got, err := chaos.Check(content, 3, ledger, each(records), each(records))
		if want := (chaos.Held{Source: 99, Target: 99, Unacknowledged: 1}); err != nil || got != want {
			t.Errorf("held %+v (%v), want %+v", got, err, want)
		}
		records = slices.Delete(records, 59, 60)
		if _, err := chaos.Check(content, 3, ledger, each(records), each(records)); err != nil {
			t.Error(err)
		}
	})

	t.Run("what the source holds twice is wanted twice, at the same places", func(t *testing.T) {
		t.Parallel()
		ledger, records := partition()
		again := slices.Insert(slices.Clone(records), 50, records[30:40]...)
		got, err := chaos.Check(content, 3, ledger, each(again), each(again))
		if want := (chaos.Held{Source: 109, Target: 109, Unacknowledged: 1, Again: 10}); err != nil || got != want {
			t.Errorf("held %+v (%v), want %+v", got, err, want)
		}
		requireViolation(t, ledger, again, records, "the order of the records is not the source's")
		requireViolation(t, ledger, records, again, "record 30 is doubled")
		elsewhere := slices.Insert(slices.Clone(records), 51, records[30:40]...)
		requireViolation(t, ledger, again, elsewhere, "record 30 is doubled")
	})

	change := func(f func(r *batch.Record)) func([]batch.Record) []batch.Record {
		return func(records []batch.Record) []batch.Record {
			f(&records[30])
			return records
		}
	}
	for _, c := range []struct {
		name, want string
		target     func([]batch.Record) []batch.Record
	}{
		{"a dropped record is found", "target, partition 3: record 40 is lost: it is in the source",
			func(r []batch.Record) []batch.Record { return slices.Delete(r, 40, 41) }},
		{"a record dropped at the end is found", "record 99 is lost",
			func(r []batch.Record) []batch.Record { return r[:98] }},
		{"a record dropped that was not acknowledged but stored is found", "record 60 is lost",
			func(r []batch.Record) []batch.Record { return slices.Delete(r, 59, 60) }},
		{"a doubled record is found", "record 40 is doubled: again at offset",
			func(r []batch.Record) []batch.Record { return slices.Insert(r, 41, r[40]) }},
		{"a record doubled much later is found", "record 1 is doubled",
			func(r []batch.Record) []batch.Record { return append(r, r[1]) }},
		{"two swapped records are found", "record 40 is out of order: at offset 40, behind record 41",
			func(r []batch.Record) []batch.Record { r[40], r[41] = r[41], r[40]; return r }},
		{"an altered byte of a value is found", "record 30 at offset 30 is altered", change(func(r *batch.Record) { r.Value[0] ^= 1 })},
		{"an altered time is found", "record 30 at offset 30 is altered", change(func(r *batch.Record) { r.Timestamp++ })},
		{"an added header is found", "record 30 at offset 30 is altered",
			change(func(r *batch.Record) { r.Headers = append(r.Headers, batch.Header{Key: "x"}) })},
		{"an empty value that has become none is found", "is altered", func(records []batch.Record) []batch.Record {
			i := slices.IndexFunc(records, func(r batch.Record) bool { return r.Value != nil && len(r.Value) == 0 })
			records[i].Value = nil
			return records
		}},
		{"a record that is not in the source is found", "record 50 at offset 0 is not in the source",
			func(r []batch.Record) []batch.Record { return slices.Insert(r, 50, content.Record(3, 50)) }},
		{"a record of another partition is found", "is none of this partition",
			func(r []batch.Record) []batch.Record { return append(r, content.Record(2, 1)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ledger, records := partition()
			_, target := partition()
			requireViolation(t, ledger, records, c.target(target), c.want)
		})
	}

	t.Run("an acknowledged record that the source itself has lost is found", func(t *testing.T) {
		t.Parallel()
		ledger, records := partition()
		without := slices.Delete(records, 10, 11)
		requireViolation(t, ledger, without, without, "source, partition 3: record 10 is lost: it was acknowledged")
	})

	t.Run("many violations are counted and the first listed", func(t *testing.T) {
		t.Parallel()
		ledger, records := partition()
		requireViolation(t, ledger, records, nil, "target, partition 3: 99 violations in all")
	})

	t.Run("a side that cannot be read is an error that says so", func(t *testing.T) {
		t.Parallel()
		ledger, records := partition()
		away := errors.New("the broker is away")
		broken := func(yield func(batch.Record, error) bool) { yield(batch.Record{}, away) }
		if _, err := chaos.Check(content, 3, ledger, each(records), broken); !errors.Is(err, away) {
			t.Errorf("error is %v", err)
		}
	})
}

func requireViolation(t *testing.T, ledger *chaos.Ledger, source, target []batch.Record, want string) {
	t.Helper()
	_, err := chaos.Check(content, 3, ledger, each(source), each(target))
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("found %v, want %q", err, want)
	}
}

func TestContent(t *testing.T) {
	t.Parallel()

	t.Run("the same seed gives the same record and another one another", func(t *testing.T) {
		t.Parallel()
		_, records := partition()
		ledger, again := partition()
		if _, err := chaos.Check(content, 3, ledger, each(records), each(again)); err != nil {
			t.Error(err)
		}
		if _, err := chaos.Check(chaos.Content{Seed: 8}, 3, ledger, each(records), each(again)); err == nil {
			t.Error("the records of one seed are those of another")
		}
	})

	t.Run("only the key of the partition's own record has a number", func(t *testing.T) {
		t.Parallel()
		for key, want := range map[string]bool{"3/12": true, "3/0": true, "2/12": false, "3/012": false, "3/-1": false, "3/1x": false, "": false} {
			if _, ok := chaos.Number(3, []byte(key)); ok != want {
				t.Errorf("Number of %q: %v, want %v", key, ok, want)
			}
		}
	})
}
