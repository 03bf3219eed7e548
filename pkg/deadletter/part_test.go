package deadletter_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
)

// decoded reads records of a dead-letter topic.
func decoded(t testing.TB, records []batch.Record) []deadletter.Letter {
	t.Helper()
	var letters []deadletter.Letter
	for i, r := range records {
		l, err := deadletter.Decode(r)
		if err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
		letters = append(letters, l)
	}
	return letters
}

// batchSize is what a record takes up as a batch of its own.
func batchSize(t testing.TB, r batch.Record) int {
	t.Helper()
	b, err := batch.Build(batch.Options{}, []batch.Record{r})
	if err != nil {
		t.Fatal(err)
	}
	return len(b)
}

// large are records of which each has another side that is too large for 4 KB.
func large() map[string]batch.Record {
	noise := bytes.Repeat([]byte("0123456789abcdef"), 1250)
	return map[string]batch.Record{
		"value":   {Key: []byte("k"), Value: noise, Headers: []batch.Header{{Key: "own", Value: []byte{}}}},
		"key":     {Key: noise, Value: []byte("v")},
		"headers": {Value: nil, Headers: []batch.Header{{Key: "own", Value: noise}, {Key: "nil"}}},
		"all":     {Key: noise, Value: noise, Headers: []batch.Header{{Key: string(noise), Value: noise}}},
		"empty":   {Key: []byte{}, Value: []byte{}, Headers: []batch.Header{{Key: "own", Value: noise}}},
	}
}

func TestParts(t *testing.T) {
	t.Parallel()

	t.Run("a letter that fits is one record, whatever the limit", func(t *testing.T) {
		t.Parallel()
		l := letter(batch.Record{Key: []byte("k"), Value: []byte("v")})
		whole := l.Records(0)
		if len(whole) != 1 || !cmp.Equal(whole, l.Records(batchSize(t, whole[0]))) {
			t.Errorf("got %v", whole)
		}
	})

	t.Run("every special record comes back, byte for byte, from parts within the limit", func(t *testing.T) {
		t.Parallel()
		for _, most := range []int{4 << 10, 100_000, 1 << 20} {
			for i, r := range sample.Special() {
				r.Offset = int64(i)
				checkParts(t, letter(r), most)
			}
		}
	})

	for name, r := range large() {
		t.Run("a record with a large "+name+" comes back, byte for byte", func(t *testing.T) {
			t.Parallel()
			for most := 3000; most < 30_000; most += 997 {
				checkParts(t, letter(r), most)
			}
		})
	}

	t.Run("a part has the record's key, so that the parts stay in one partition", func(t *testing.T) {
		t.Parallel()
		for _, r := range letter(large()["value"]).Records(4096) {
			if string(r.Key) != "k" {
				t.Errorf("got %q", r.Key)
			}
		}
	})

	t.Run("an error is cut once more before a record is", func(t *testing.T) {
		t.Parallel()
		l := letter(batch.Record{Value: []byte("v")})
		l.Error = strings.Repeat("e", 8000)
		got := decoded(t, l.Records(4096))
		if len(got) != 1 || len(got[0].Error) > 512 || string(got[0].Record.Value) != "v" {
			t.Errorf("got %d records, an error of %d bytes", len(got), len(got[0].Error))
		}
	})
}

// checkParts puts a letter together again.
func checkParts(t *testing.T, want deadletter.Letter, most int) {
	t.Helper()
	records := want.Records(most)
	for i, r := range records {
		if n := batchSize(t, r); n > most {
			t.Errorf("record %d of %d takes up %d bytes, want at most %d", i, len(records), n, most)
		}
	}
	got, err := deadletter.Join(decoded(t, records))
	if err != nil {
		t.Fatalf("%d parts: %v", len(records), err)
	}
	if !reflect.DeepEqual(want, got) {
		t.Errorf("%d parts (-want +got):\n%.2000s", len(records), cmp.Diff(want, got))
	}
}

func TestJoinRefuses(t *testing.T) {
	t.Parallel()
	parts := func() []deadletter.Letter { return decoded(t, letter(large()["value"]).Records(9000)) }
	packed := func() []deadletter.Letter { return decoded(t, letter(large()["key"]).Records(9000)) }
	if n, m := len(parts()), len(packed()); n != 3 || m != 3 {
		t.Fatalf("the cases are made for 3 parts, not %d and %d", n, m)
	}
	for name, c := range map[string]struct {
		parts []deadletter.Letter
		words string
	}{
		"no parts":                     {nil, "no parts"},
		"a part alone":                 {parts()[:1], "part 2 of 3 is missing"},
		"no first part":                {parts()[1:], "part 1 of 3 is missing"},
		"a part twice":                 {append(parts(), parts()[2]), "part 3/3 is there twice"},
		"parts in another order":       {[]deadletter.Letter{parts()[1], parts()[0], parts()[2]}, "out of order"},
		"a part of another letter":     {foreign(parts()), "another letter, about access/3 offset 99"},
		"a whole letter among them":    {append(parts()[:2], letter(batch.Record{})), "a whole letter"},
		"two whole letters":            {[]deadletter.Letter{letter(batch.Record{}), letter(batch.Record{})}, "a whole letter"},
		"a packed record that is torn": {damaged(packed()), "crc"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := deadletter.Join(c.parts)
			if !errors.Is(err, deadletter.ErrNotWhole) || !strings.Contains(strings.ToLower(err.Error()), c.words) {
				t.Errorf("got %+.100v (%v), want %q", l, err, c.words)
			}
		})
	}
}

func foreign(parts []deadletter.Letter) []deadletter.Letter {
	parts[1].Record.Offset = 99
	return parts
}

func damaged(parts []deadletter.Letter) []deadletter.Letter {
	parts[1].Record.Value = slices.Clone(parts[1].Record.Value)
	parts[1].Record.Value[7]++
	return parts
}

func FuzzParts(f *testing.F) {
	f.Add([]byte("key"), []byte("value"), "header", 3000, uint8(0))
	f.Add([]byte(nil), bytes.Repeat([]byte("v"), 5000), "header", 1500, uint8(7))
	f.Add(bytes.Repeat([]byte("k"), 5000), []byte(nil), strings.Repeat("h", 3000), 900, uint8(5))
	f.Fuzz(func(t *testing.T, key, value []byte, header string, most int, kind uint8) {
		r := batch.Record{Key: key, Value: value}
		if kind&1 != 0 {
			r.Headers = []batch.Header{{Key: header}, {Key: header, Value: value}}
		}
		if kind&2 != 0 {
			r.Key = nil
		}
		if kind&4 != 0 {
			r.Value = nil
		}
		want := letter(r)
		records := want.Records(most)
		var parts []deadletter.Letter
		for _, r := range records {
			l, err := deadletter.Decode(r)
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, l)
		}
		got, err := deadletter.Join(parts)
		if err != nil || !reflect.DeepEqual(want, got) {
			t.Errorf("%d parts: %v", len(records), err)
		}
		if len(parts) > 1 {
			if _, err := deadletter.Join(parts[1:]); err == nil {
				t.Error("a part is missing, and nobody says so")
			}
		}
	})
}

func FuzzPart(f *testing.F) {
	for _, text := range []string{"1/2", "2/2 packed", "0/2", "1/1", "01/2", "1/2 packed "} {
		f.Add(text, []byte("piece"))
	}
	f.Fuzz(func(t *testing.T, text string, piece []byte) {
		r := letter(large()["key"]).Records(9000)[0]
		r.Headers[1].Value = []byte(text)
		r.Value = piece
		l, err := deadletter.Decode(r)
		if err != nil {
			return
		}
		if l.Part.String() != text {
			t.Errorf("%q was read as %v", text, l.Part)
		}
		second := l
		second.Part.Number++
		if joined, err := deadletter.Join([]deadletter.Letter{l, second}); err == nil && joined.Part != (deadletter.Part{}) {
			t.Errorf("joined, and still part %v", joined.Part)
		}
	})
}

func ExampleLetter_Records() {
	l := letter(batch.Record{Key: []byte("k"), Value: bytes.Repeat([]byte("v"), 9000)})
	for _, r := range l.Records(4096) {
		part, _ := deadletter.Decode(r)
		fmt.Println("part", part.Part)
	}
	// Output:
	// part 1/3
	// part 2/3
	// part 3/3
}
