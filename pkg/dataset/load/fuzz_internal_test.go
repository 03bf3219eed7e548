package load

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/dataset"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// FuzzRecord loads a hostile record: it is a row, or refused; the rows before it stay as they were, and all can be
// written.
func FuzzRecord(f *testing.F) {
	for _, seed := range []string{
		`{"a":1,"b":"x","c":1.5,"d":true,"at":"2026-11-27T09:00:00Z","e":{"f":{"g":1}}}`, `{"a":1e400}`, `{"a":-0}`, `[]`, `{`, ``,
		`{"b":"\ud800\u0000","b":2}`, `{"at":99999999999999999}`, `{"at":-1,"raw":"aGk="}`, `{"c":123456789012345678901234567890}`,
	} {
		f.Add([]byte(seed), int64(1_795_770_000_000))
	}
	schema := Schema{Version: 1, Time: "at", Partition: []string{"b"}, Columns: []Field{
		{
			Name: "a",
			Type: dataset.Int,
		}, {Name: "b", Type: dataset.String}, {Name: "c", Type: dataset.Float}, {Name: "d", Type: dataset.Bool},
		{
			Name: "at",
			Type: dataset.Timestamp,
		}, {Name: "raw", Type: dataset.Bytes}, {Name: "g", Type: dataset.Int, From: Path{"e", "f", "g"}},
	}}
	f.Fuzz(func(t *testing.T, value []byte, timestamp int64) {
		for _, change := range []Change{Refuse, Add, Ignore} {
			d := newDecoder(schema, change, "t", 0)
			good := batch.Record{Value: []byte(`{"a":7}`), Timestamp: 1}
			if err := d.record(good); err != nil {
				t.Fatal(err)
			}
			err := d.record(batch.Record{Value: value, Timestamp: timestamp, Offset: 1})
			if again := d.record(batch.Record{Value: []byte(`{"a":8}`), Timestamp: 1, Offset: 2}); again != nil {
				t.Fatal(again)
			}
			want := 3
			if err != nil {
				want = 2
			}
			if d.rows.Len() != want || len(d.folderOf) != want || d.rows.Value(0, 0) != int64(7) ||
				d.rows.Value(want-1, 0) != int64(8) {
				t.Fatalf("%d rows, %d folders, %v", d.rows.Len(), len(d.folderOf), err)
			}
			if err == nil && len(value) > 0 && !json.Valid(value) {
				t.Errorf("%q is a row, and no JSON", value)
			}
			for _, folder := range d.folders {
				if strings.Contains(folder, "..") || strings.Count(folder, "/") != 3 {
					t.Errorf("folder %q", folder)
				}
			}
			if err := dataset.Encode(io.Discard, d.rows, nil, "b"); err != nil {
				t.Error(err)
			}
		}
		n := newInference()
		n.record(value)
		if s := (Schema{Columns: n.fields(nil)}); len(s.Columns) > 0 {
			if err := s.Check(); err != nil {
				t.Errorf("what was inferred of %q is no schema: %v", value, err)
			}
		}
	})
}

// FuzzSchema reads a hostile file: what is taken is a schema.
func FuzzSchema(f *testing.F) {
	f.Add(
		[]byte(
			"time: at\npartition: [region]\ncolumns:\n  - {name: at, type: timestamp, required: true}\n  - {name: region, type: string, from: user.region}\n",
		),
	)
	f.Add([]byte(`{"columns":[{"name":"a","type":"int","from":["a","b.c"]}]}`))
	f.Add([]byte("columns: &a [*a, *a]"))
	f.Add([]byte(strings.Repeat("[", 10_000)))
	f.Fuzz(func(t *testing.T, content []byte) {
		s, err := ParseSchema("schema.yaml", content)
		if err != nil {
			return
		}
		if err := s.Check(); err != nil {
			t.Error(err)
		}
	})
}

// FuzzTime compares the fast way to read times with the library's.
func FuzzTime(f *testing.F) {
	for _, seed := range []string{"2026-11-27T09:00:00Z", "2024-02-29T23:59:59.123456+08:00", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.9Z", "2026-02-30T00:00:00Z"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		ms, ok := parseTime(text)
		want, err := time.Parse(time.RFC3339Nano, string(bytes.ToUpper(bytes.Replace(text, []byte(" "), []byte("T"), 1))))
		if err != nil || !ok {
			if ok && !bytes.ContainsAny(text, ".") {
				t.Errorf("%q is read as %d, and the library says %v", text, ms, err)
			}
			return
		}
		if floorDiv(want.UnixNano()/1, 1_000_000) != ms && want.Year() > 1700 && want.Year() < 2200 {
			t.Errorf("%q: %d, want %d", text, ms, want.UnixMilli())
		}
	})
}
