package dataset_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/dataset"
)

// FuzzObject asks hostile objects: there is an answer or an error, and no panic.
func FuzzObject(f *testing.F) {
	rows := dataset.NewRows(columns())
	for i := range 300 {
		var action any = "a"
		if i%7 == 0 {
			action = nil
		}
		if err := rows.Append(begin.Add(time.Duration(i)*time.Second), action, int64(i%5), float64(i), i%2 == 0, []byte{1}, int64(i), "u"); err != nil {
			f.Fatal(err)
		}
	}
	var content bytes.Buffer
	if err := dataset.Encode(&content, rows, nil); err != nil {
		f.Fatal(err)
	}
	f.Add(content.Bytes())
	f.Add([]byte("PAR1PAR1PAR1"))
	f.Fuzz(func(t *testing.T, object []byte) {
		s := store(t)
		if _, err := s.Put(t.Context(), "x/date=2026-11-27/rows.parquet", bytes.NewReader(object), cos.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		d := dataset.New(s, "x")
		d.Limits = dataset.Limits{Groups: 1000, Bytes: 64 << 20, RowGroupBytes: 1 << 20}
		_, err := d.Query(t.Context(), dataset.Query{
			GroupBy: []dataset.Group{{Column: "action"}, {Name: "minute", Column: "at", Bucket: time.Minute}},
			Measures: []dataset.Measure{
				{
					Name: "n",
					Op:   dataset.Count,
				}, {Name: "sum", Op: dataset.Sum, Column: "amount"}, {Name: "max", Op: dataset.Max, Column: "user"},
				{Name: "ok", Op: dataset.Min, Column: "ok"}, {Name: "avg", Op: dataset.Avg, Column: "price"},
			},
			Where: []dataset.Condition{{Column: "id", Op: dataset.Less, Values: []any{200}}},
		})
		for _, known := range []error{nil, dataset.ErrDamaged, dataset.ErrQuery, dataset.ErrLimit} {
			if errors.Is(err, known) || err == nil {
				return
			}
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("an error of no kind that is known: %v", err)
		}
	})
}

func TestEveryTruncationAndManyFlipsOfAnObjectEndInAnError(t *testing.T) {
	t.Parallel()
	rows := dataset.NewRows(columns()[:4])
	for i := range 2000 {
		if err := rows.Append(begin.Add(time.Duration(i)*time.Second), []any{"a", "b", nil}[i%3], int64(i%5), float64(i)); err != nil {
			t.Fatal(err)
		}
	}
	var content bytes.Buffer
	if err := dataset.Encode(&content, rows, nil); err != nil {
		t.Fatal(err)
	}
	ask := func(object []byte) error {
		s := store(t)
		if _, err := s.Put(t.Context(), "x/rows.parquet", bytes.NewReader(object), cos.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		_, err := dataset.New(s, "x").Query(t.Context(), dataset.Query{
			GroupBy: []dataset.Group{{Column: "action"}},
			Measures: []dataset.Measure{
				{Name: "sum", Op: dataset.Sum, Column: "amount"},
				{Name: "avg", Op: dataset.Avg, Column: "price"},
				{Name: "max", Op: dataset.Max, Column: "at"},
			},
		})
		return err
	}
	whole := content.Bytes()
	if err := ask(whole); err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(whole); n += 1 + len(whole)/150 {
		if err := ask(whole[:n]); !errors.Is(err, dataset.ErrDamaged) {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
	for n := 0; n < len(whole); n += 1 + len(whole)/300 {
		flipped := bytes.Clone(whole)
		flipped[n] ^= 0x55
		_ = ask(flipped) // an answer or an error, and no panic: not every byte is covered by a checksum
	}
}

func TestAPageThatIsABombIsRefused(t *testing.T) {
	t.Parallel()
	s := store(t)
	d := dataset.New(s, "x")
	rows := dataset.NewRows([]dataset.Column{{Name: "raw", Type: dataset.Bytes}})
	if err := rows.Append(make([]byte, 66<<20)); err != nil {
		t.Fatal(err)
	}
	o, err := d.Write(t.Context(), "", "bomb", rows)
	if err != nil || o.Size > 1<<20 {
		t.Fatalf("%d bytes, %v", o.Size, err)
	}
	_, err = d.Query(
		t.Context(),
		dataset.Query{Measures: []dataset.Measure{{Name: "n", Op: dataset.Count, Column: "raw"}}},
	)
	if !errors.Is(err, dataset.ErrDamaged) {
		t.Error(err)
	}
}
