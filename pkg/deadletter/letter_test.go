package deadletter_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
)

// letter is one about a record, with everything in it.
func letter(r batch.Record) deadletter.Letter {
	return deadletter.Letter{
		Record: r, Topic: "access", Partition: 3, Function: "clean", Version: "7", Reason: deadletter.Panicked,
		Error: "rule 2: no such field", Stack: "goroutine 1", Attempt: 2, Redrives: 1, At: time.UnixMilli(1_790_000_000_123),
	}
}

func TestLetter(t *testing.T) {
	t.Parallel()

	t.Run("gives back every special record, byte for byte", func(t *testing.T) {
		t.Parallel()
		for i, r := range sample.Special() {
			r.Offset = int64(i)
			want := letter(r)
			got, err := deadletter.Decode(want.Records(0)[0])
			if err != nil {
				t.Fatalf("record %d: %v", i, err)
			}
			if !reflect.DeepEqual(want, got) { // cmp takes a second for a megabyte
				t.Errorf("record %d (-want +got):\n%.2000s", i, cmp.Diff(want, got))
			}
		}
	})

	t.Run("has the key and the value of the record, and the time at which it failed", func(t *testing.T) {
		t.Parallel()
		got := letter(batch.Record{Key: []byte("k"), Value: []byte("v"), Timestamp: 5}).Records(0)[0]
		if string(got.Key) != "k" || string(got.Value) != "v" || got.Timestamp != 1_790_000_000_123 {
			t.Errorf("got %+v", got)
		}
	})

	t.Run("of a letter keeps the first one's headers as the record's", func(t *testing.T) {
		t.Parallel()
		first := letter(batch.Record{Value: []byte("v")}).Records(0)[0]
		got, err := deadletter.Decode(letter(first).Records(0)[0])
		if err != nil || !cmp.Equal(got.Record.Headers, first.Headers) {
			t.Errorf("got %v (%v)", got.Record.Headers, err)
		}
	})

	t.Run("cuts an error that would make it too large, at both of whose ends something is said", func(t *testing.T) {
		t.Parallel()
		l := letter(batch.Record{})
		l.Error = "begin " + strings.Repeat("字", 50_000) + " end"
		got, err := deadletter.Decode(l.Records(0)[0])
		if err != nil || len(got.Error) > 8<<10 || !strings.HasPrefix(got.Error, "begin ") || !strings.HasSuffix(got.Error, " end") || !utf8.ValidString(got.Error) {
			t.Errorf("%d bytes, %.20q (%v)", len(got.Error), got.Error, err)
		}
	})
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	good := letter(batch.Record{Headers: []batch.Header{{Key: "own"}}}).Records(0)[0]
	for name, change := range map[string]func(h []batch.Header) []batch.Header{
		"a record without headers": func([]batch.Header) []batch.Header { return nil },
		"other headers":            func(h []batch.Header) []batch.Header { return h[len(h)-1:] },
		"a header that is missing": func(h []batch.Header) []batch.Header { return slices.Delete(h, 4, 5) },
		"another format":           func(h []batch.Header) []batch.Header { h[0].Value = []byte("2"); return h },
		"an offset that is none":   func(h []batch.Header) []batch.Header { h[3].Value = []byte("1x"); return h },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := good.Clone()
			r.Headers = change(r.Headers)
			if l, err := deadletter.Decode(r); !errors.Is(err, deadletter.ErrNotALetter) {
				t.Errorf("got %+v (%v), want ErrNotALetter", l, err)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("etl.deadletter.format", []byte("1"), 1)
	f.Add("etl.deadletter.partition", []byte("-9999999999999"), 2)
	f.Fuzz(func(t *testing.T, key string, value []byte, at int) {
		r := letter(batch.Record{Key: []byte("k")}).Records(0)[0]
		r.Headers[uint(at)%uint(len(r.Headers))] = batch.Header{Key: key, Value: value}
		l, err := deadletter.Decode(r)
		if err != nil {
			return
		}
		if again, err := deadletter.Decode(l.Records(0)[0]); err != nil || !cmp.Equal(l, again) {
			t.Errorf("what was read as %+v is %+v (%v) the second time", l, again, err)
		}
	})
}
