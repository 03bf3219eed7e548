package deadletter_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
)

// read gives what a selection has.
func (y yard) read(t testing.TB, sel deadletter.Selection) ([]deadletter.Found, deadletter.Reading) {
	t.Helper()
	var found []deadletter.Found
	reading, err := y.topic.Read(deadline(t), sel, func(f deadletter.Found) error {
		found = append(found, f)
		return nil
	})
	must(t, err)
	return found, reading
}

func positions(found []deadletter.Found) string {
	var text []string
	for _, f := range found {
		text = append(text, f.Position.String())
	}
	return strings.Join(text, " ")
}

func newYard(t *testing.T) yard {
	t.Helper()
	c := cluster(t)
	create(t, c, "deadletter", 3)
	create(t, c, "orders", 3)
	return yard{source: c, topic: deadletter.Topic{Client: c, Name: "deadletter"}}
}

func TestRead(t *testing.T) {
	t.Parallel()

	t.Run("gives every letter whole, in parts or not", func(t *testing.T) {
		t.Parallel()
		y := newYard(t)
		var want []deadletter.Letter
		for i, r := range sample.Special() {
			want = append(want, failed(1, int64(i), r))
		}
		y.bury(t, 100_000, want...)
		found, reading := y.read(t, deadletter.Selection{})
		if len(found) != len(want) || reading.NotLetters != 0 {
			t.Fatalf("%d letters of %d, %+v", len(found), len(want), reading)
		}
		for i, f := range found {
			if !reflect.DeepEqual(f.Letter, want[i]) {
				t.Errorf("letter %d at %s is another one", i, f.Position)
			}
		}
	})

	t.Run("counts and shows what is no letter, and goes on behind it", func(t *testing.T) {
		t.Parallel()
		y := newYard(t)
		parts := failed(0, 1, batch.Record{Value: make([]byte, 20_000)}).Records(9000)
		produce(t, y.topic.Client, "deadletter", 0, batch.Record{Value: []byte("by hand")}, parts[0], parts[1])
		y.bury(t, 0, keyed(0, 1)...)
		found, reading := y.read(t, deadletter.Selection{})
		if positions(found) != "0:3" || reading.NotLetters != 2 || len(reading.Others) != 2 {
			t.Fatalf("found %s, %+v", positions(found), reading)
		}
		if o := reading.Others[1]; o.Position.String() != "0:1" || !strings.Contains(o.Error, "part 3 of 3 is missing") {
			t.Errorf("got %+v", o)
		}
	})

	t.Run("puts parts together that alternate with those of another job", func(t *testing.T) {
		t.Parallel()
		y := newYard(t)
		a := failed(0, 1, batch.Record{Value: make([]byte, 20_000)})
		b := failed(0, 1, batch.Record{Value: make([]byte, 20_000)})
		b.Function = "load"
		for i, part := range a.Records(9000) {
			produce(t, y.topic.Client, "deadletter", 0, part, b.Records(9000)[i])
		}
		found, reading := y.read(t, deadletter.Selection{})
		if positions(found) != "0:0 0:1" || reading.NotLetters != 0 || !reflect.DeepEqual(found[1].Letter, b) {
			t.Fatalf("found %s, %+v", positions(found), reading)
		}
	})

	t.Run("leaves out what was not committed", func(t *testing.T) {
		t.Parallel()
		y := newYard(t)
		producer, err := y.topic.Client.Transactional(deadline(t), "engine", time.Minute)
		must(t, err)
		b, err := batch.Build(batch.Options{}, keyed(0, 1)[0].Records(0))
		must(t, err)
		_, err = producer.Produce(deadline(t), "deadletter", 0, []batch.Batch{b})
		must(t, err, producer.Abort(deadline(t)))
		y.bury(t, 0, keyed(0, 1)...)
		if found, _ := y.read(t, deadletter.Selection{}); positions(found) != "0:2" {
			t.Errorf("found %s", positions(found))
		}
	})

	y := newYard(t)
	for p := range int32(2) {
		y.bury(t, 0, keyed(p, 4)...)
	}
	y.bury(t, 9000, failed(2, 0, batch.Record{Value: make([]byte, 20_000)}), keyed(2, 1)[0])
	for name, c := range map[string]struct {
		sel     deadletter.Selection
		want    string
		missing string
	}{
		"partitions":               {deadletter.Selection{Partitions: []int32{1, 0}}, "0:0 0:1 0:2 0:3 1:0 1:1 1:2 1:3", ""},
		"offsets":                  {deadletter.Selection{Partitions: []int32{1}, From: 1, To: 3}, "1:1 1:2", ""},
		"a time":                   {deadletter.Selection{Since: time.UnixMilli(1_790_000_100_003)}, "0:3 1:3", ""},
		"a time after all":         {deadletter.Selection{Since: time.UnixMilli(1_790_000_200_000)}, "", ""},
		"positions":                {deadletter.Selection{Only: []deadletter.Position{{Partition: 1, Offset: 2}, {Partition: 0, Offset: 3}, {Partition: 0, Offset: 0}}}, "0:0 0:3 1:2", ""},
		"a letter in parts":        {deadletter.Selection{Only: []deadletter.Position{{Partition: 2, Offset: 0}}}, "2:0", ""},
		"a part that is no letter": {deadletter.Selection{Only: []deadletter.Position{{Partition: 2, Offset: 1}, {Partition: 2, Offset: 3}}}, "2:3", "2:1"},
		"a position behind all":    {deadletter.Selection{Only: []deadletter.Position{{Partition: 1, Offset: 9}}}, "", "1:9"},
	} {
		t.Run("of "+name, func(t *testing.T) {
			t.Parallel()
			found, reading := y.read(t, c.sel)
			missing := ""
			for _, p := range reading.Missing {
				missing += p.String()
			}
			if positions(found) != c.want || missing != c.missing {
				t.Errorf("found %q, missing %q, want %q, %q", positions(found), missing, c.want, c.missing)
			}
		})
	}
	t.Run("of a partition that is not there says which there are", func(t *testing.T) {
		t.Parallel()
		_, err := y.topic.Read(deadline(t), deadletter.Selection{Partitions: []int32{3}}, nil)
		if err == nil || !strings.Contains(err.Error(), "0 to 2") {
			t.Error(err)
		}
	})
}

func TestSummary(t *testing.T) {
	t.Parallel()
	t.Run("counts by reason, function and topic, with one error of each", func(t *testing.T) {
		t.Parallel()
		y := newYard(t)
		letters := keyed(0, 3)
		letters[1].Reason, letters[1].Error = deadletter.Panicked, "index out of range"
		y.bury(t, 0, letters...)
		got, err := y.topic.Summary(deadline(t), deadletter.Selection{}, deadletter.Filter{})
		must(t, err)
		want := []deadletter.Group{
			{Reason: deadletter.Rejected, Function: "clean", Topic: "orders", Open: 2, First: letters[0].At, Last: letters[2].At, Error: letters[0].Error},
			{Reason: deadletter.Panicked, Function: "clean", Topic: "orders", Open: 1, First: letters[1].At, Last: letters[1].At, Error: letters[1].Error, Example: deadletter.Position{Offset: 1}},
		}
		if diff := cmp.Diff(want, got.Groups); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestFilter(t *testing.T) {
	t.Parallel()
	l := failed(0, 5, batch.Record{Key: []byte{}})
	for name, c := range map[string]struct {
		filter deadletter.Filter
		want   bool
	}{
		"nothing":           {deadletter.Filter{}, true},
		"the reason":        {deadletter.Filter{Reason: deadletter.Rejected, Function: "clean", Topic: "orders"}, true},
		"another reason":    {deadletter.Filter{Reason: deadletter.Killed}, false},
		"another function":  {deadletter.Filter{Function: "load"}, false},
		"another topic":     {deadletter.Filter{Topic: "order"}, false},
		"words of an error": {deadletter.Filter{Error: "no such"}, true},
		"other words":       {deadletter.Filter{Error: "panic"}, false},
		"an empty key":      {deadletter.Filter{Key: []byte{}}, true},
		"another key":       {deadletter.Filter{Key: []byte("k")}, false},
		"its time":          {deadletter.Filter{Since: l.At, Until: l.At.Add(1)}, true},
		"a time before":     {deadletter.Filter{Until: l.At}, false},
		"a time after":      {deadletter.Filter{Since: l.At.Add(1)}, false},
	} {
		t.Run("by "+name, func(t *testing.T) {
			t.Parallel()
			if got := c.filter.Match(l); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
	t.Run("by an empty key leaves out a record without one", func(t *testing.T) {
		t.Parallel()
		if (deadletter.Filter{Key: []byte{}}).Match(failed(0, 5, batch.Record{})) {
			t.Error("it does not")
		}
	})
}

func FuzzParsePosition(f *testing.F) {
	for _, text := range []string{"0:12", "999999999:999999999999999999", "-1:0", "0:", "1", "00:012"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := deadletter.ParsePosition(text)
		if err != nil {
			return
		}
		if again, err := deadletter.ParsePosition(p.String()); err != nil || again != p || p.Partition < 0 || p.Offset < 0 {
			t.Errorf("%q is %v, and then %v (%v)", text, p, again, err)
		}
	})
}
