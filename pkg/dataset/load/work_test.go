package load_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/dataset"
	"github.com/scf-etl/scf-etl/pkg/dataset/load"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// wide is a schema of many columns.
func wide() *load.Schema {
	var s load.Schema
	for i := range 100 {
		s.Columns = append(s.Columns, load.Field{Name: fmt.Sprintf("c%d", i), Type: dataset.Int})
	}
	return &s
}

func TestEntrySize(t *testing.T) {
	t.Parallel()
	thousand := make([]byte, 1000)
	for name, c := range map[string]struct {
		records int
		record  batch.Record
		schema  *load.Schema
		letters bool
		entries int // at least
	}{
		"records without a value are rows, too": {
			records: 2000, schema: eventSchema(), entries: 5,
		},
		"a small record has a row of all columns": {
			records: 200, record: batch.Record{Value: []byte(`{"c1":1}`)}, schema: wide(), entries: 8,
		},
		"keys count": {
			records: 50, record: batch.Record{Key: thousand}, schema: eventSchema(), entries: 5,
		},
		"headers count": {
			records: 50, record: batch.Record{Headers: []batch.Header{{Key: "k", Value: thousand}}}, schema: eventSchema(),
			entries: 5,
		},
		"a letter takes more than its record": {
			records: 100, record: batch.Record{Value: []byte("x")}, schema: eventSchema(), letters: true, entries: 5,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, d := newLog(), newDisk()
			records := make([]batch.Record, c.records)
			for i := range records {
				records[i] = c.record
				records[i].Timestamp = nine
			}
			l.append(t, records...)
			config := func(config *load.Config) {
				config.Schema, config.RangeBytes = c.schema, 10_000
				if c.letters {
					config.Letters, config.DeadLetterTopic = letterBox(t), "deadletter"
				}
			}
			result, err := loader(t, l, &memory{disk: d}, config).Load(t.Context(), all(l))
			if err != nil {
				t.Fatal(err)
			}
			if result.Entries < c.entries || result.Entries > 4*c.entries {
				t.Errorf("%d entries, want about %d", result.Entries, c.entries)
			}
			if rows := len(d.rows(t)); int64(rows) != result.Records || result.Records+result.Letters != l.end {
				t.Errorf("%d rows, of %+v", rows, result)
			}
		})
	}
	t.Run("an entry that exists is done again whole, however large it is", func(t *testing.T) {
		t.Parallel()
		l, d := newLog(), newDisk()
		l.add(t, nine, `{"c1":1}`, `{"c1":2}`, `{"c1":3}`, "")
		run := func(rangeBytes int) load.Result {
			result, err := loader(t, l, &memory{disk: d}, func(c *load.Config) {
				c.Schema, c.RangeBytes = wide(), rangeBytes
			}).Load(t.Context(), all(l))
			if err != nil {
				t.Fatal(err)
			}
			return result
		}
		run(10_000)
		maps.DeleteFunc(d.objects, func(key string, _ []byte) bool { return strings.HasSuffix(key, ".parquet") })
		if result := run(1); result.Redone != 1 || result.Entries != 0 || len(d.rows(t)) != 4 {
			t.Errorf("%+v", result)
		}
	})
}
