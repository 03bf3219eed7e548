package mirror

import (
	"errors"
	"slices"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
)

func TestChecker(t *testing.T) {
	t.Parallel()
	read := slices.Concat(sample.Special(), sample.Plain(10, 200, 1))
	contentOf := func(records []batch.Record) *content {
		var c content
		for _, r := range records {
			c.add(r)
		}
		return &c
	}
	built := func(t *testing.T, codec batch.Codec, records []batch.Record) batch.Batch {
		b, err := batch.Build(batch.Options{Codec: codec}, records)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}

	t.Run("a batch of the records that were read is right in every compression", func(t *testing.T) {
		t.Parallel()
		var c checker
		for codec := batch.None; codec <= batch.Zstd; codec++ {
			if err := c.check(built(t, codec, read), contentOf(read)); err != nil {
				t.Errorf("%s: %v", codec, err)
			}
		}
	})

	t.Run("a batch of other records, or one that cannot be decoded, is refused", func(t *testing.T) {
		t.Parallel()
		at := len(sample.Special()) // a plain one
		for name, change := range map[string]func([]batch.Record) []batch.Record{
			"one less":     func(r []batch.Record) []batch.Record { return r[1:] },
			"one twice":    func(r []batch.Record) []batch.Record { return slices.Insert(r, at, r[at]) },
			"two swapped":  func(r []batch.Record) []batch.Record { r[at], r[at+1] = r[at+1], r[at]; return r },
			"a key":        func(r []batch.Record) []batch.Record { r[at].Key = []byte("other"); return r },
			"a null value": func(r []batch.Record) []batch.Record { r[at].Value = nil; return r },
			"a time":       func(r []batch.Record) []batch.Record { r[at].Timestamp++; return r },
			"a header":     func(r []batch.Record) []batch.Record { r[at].Headers = []batch.Header{{Key: "h"}}; return r },
			"key for value": func(r []batch.Record) []batch.Record {
				r[at].Key, r[at].Value = append(slices.Clone(r[at].Key), r[at].Value[0]), r[at].Value[1:]
				return r
			},
		} {
			var c checker
			if err := c.check(built(t, batch.LZ4, change(slices.Clone(read))), contentOf(read)); !errors.Is(err, errUnfaithful) {
				t.Errorf("%s: %v, want it refused", name, err)
			}
		}
		var c checker
		torn := built(t, batch.None, read)
		torn[len(torn)-1]++
		if err := c.check(torn[:len(torn)-5], contentOf(read)); !errors.Is(err, errUnfaithful) {
			t.Errorf("torn: %v, want it refused", err)
		}
	})

	t.Run("an empty value is not a null one", func(t *testing.T) {
		t.Parallel()
		var c checker
		null, empty := []batch.Record{{}}, []batch.Record{{Value: []byte{}}}
		if err := c.check(built(t, batch.None, null), contentOf(empty)); !errors.Is(err, errUnfaithful) {
			t.Errorf("%v, want it refused", err)
		}
	})
}
