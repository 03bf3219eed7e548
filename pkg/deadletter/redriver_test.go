package deadletter_test

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
)

// run redrives and wants no error.
func run(t testing.TB, r *deadletter.Redriver) deadletter.Plan {
	t.Helper()
	plan, err := r.Run(deadline(t))
	must(t, err)
	return plan
}

// wantRecords compares a partition with what letters were about, without offsets.
func wantRecords(t testing.TB, got []batch.Record, letters ...deadletter.Letter) []deadletter.Redrive {
	t.Helper()
	var redrives []deadletter.Redrive
	for i, r := range got {
		r, redrive := deadletter.TakeRedrive(r)
		redrives = append(redrives, redrive)
		if i < len(letters) {
			r.Offset = letters[i].Record.Offset
			if !reflect.DeepEqual(r, letters[i].Record) {
				t.Errorf("record %d (-want +got):\n%.2000s", i, cmp.Diff(letters[i].Record, r))
			}
		}
	}
	if len(got) != len(letters) {
		t.Errorf("%d records, want %d", len(got), len(letters))
	}
	return redrives
}

func TestRedrive(t *testing.T) {
	t.Parallel()
	kinds(t, func(t *testing.T, open func(*testing.T) yard) {
		t.Run("gives a partition its records back, byte for byte", func(t *testing.T) {
			t.Parallel()
			y := open(t)
			var letters []deadletter.Letter
			for i, r := range sample.Special() {
				l := failed(2, int64(i), r)
				l.Record.Timestamp = r.Timestamp
				letters = append(letters, l)
			}
			y.bury(t, 100_000, letters...)
			plan := run(t, y.redriver())
			redrives := wantRecords(t, stored(t, y.source, "orders", 2), letters...)
			if plan.Sent != int64(len(letters)) || redrives[0].Count != 1 || !strings.HasPrefix(redrives[0].ID, plan.Run+"/2:0") {
				t.Errorf("sent %d, the first carries %+v", plan.Sent, redrives[0])
			}
		})

		t.Run("is a plan until it is run", func(t *testing.T) {
			t.Parallel()
			y := open(t)
			y.bury(t, 0, keyed(0, 3)...)
			plan, err := y.redriver().Plan(deadline(t))
			must(t, err)
			if plan.Chosen != 3 || plan.Sent != 0 || len(plan.Routes) != 1 || plan.Routes[0].To != "orders" || plan.Routes[0].Letters != 3 {
				t.Errorf("got %+v", plan)
			}
			wantRecords(t, stored(t, y.source, "orders", 0))
			if _, err := y.topic.Client.Topic(deadline(t), deadletter.LogTopic("deadletter")); !errors.Is(err, kafka.ErrUnknownTopic) {
				t.Errorf("a plan has made the log: %v", err)
			}
		})

		t.Run("keeps order, of keys and of records without one", func(t *testing.T) {
			t.Parallel()
			y := open(t)
			letters := append(keyed(0, 5), failed(0, 5, batch.Record{Value: []byte("no key")}))
			y.bury(t, 0, letters...)
			run(t, y.redriver())
			wantRecords(t, stored(t, y.source, "orders", 0), letters...)
		})

		t.Run("sends a letter once, and again only where it is told to", func(t *testing.T) {
			t.Parallel()
			y := open(t)
			letters := keyed(0, 2)
			y.bury(t, 0, letters...)
			run(t, y.redriver())
			plan := run(t, y.redriver())
			if plan.Chosen != 0 || len(plan.Skipped) != 1 || plan.Skipped[0].Letters != 2 || !strings.Contains(plan.Skipped[0].Reason, "--again") {
				t.Errorf("got %+v", plan)
			}
			r := y.redriver()
			r.Again = true
			run(t, r)
			wantRecords(t, stored(t, y.source, "orders", 0), append(letters, letters...)...)
		})

		t.Run("counts on, and leaves out what has failed too often", func(t *testing.T) {
			t.Parallel()
			y := open(t)
			letters := keyed(0, 2)
			letters[0].Redrives, letters[1].Redrives = 2, 3
			y.bury(t, 0, letters...)
			plan := run(t, y.redriver())
			redrives := wantRecords(t, stored(t, y.source, "orders", 0), letters[0])
			if redrives[0].Count != 3 || len(plan.Skipped) != 1 || !strings.Contains(plan.Skipped[0].Reason, "after 3 redrives") {
				t.Errorf("the first carries %+v, %+v", redrives[0], plan.Skipped)
			}
		})

		t.Run("of one letter sends its edited value", func(t *testing.T) {
			t.Parallel()
			y := open(t)
			letters := keyed(0, 3)
			y.bury(t, 0, letters...)
			r := y.redriver()
			at := deadletter.Position{Offset: 1}
			r.Selection.Only, r.Edits = []deadletter.Position{at}, map[deadletter.Position][]byte{at: []byte("mended")}
			run(t, r)
			letters[1].Record.Value = []byte("mended")
			wantRecords(t, stored(t, y.source, "orders", 0), letters[1])
		})

		t.Run("says how many would overtake letters that stay", func(t *testing.T) {
			t.Parallel()
			y := open(t)
			letters := keyed(0, 4)
			letters[0].Reason = deadletter.Panicked
			y.bury(t, 0, letters...)
			r := y.redriver()
			r.Filter.Reason = deadletter.Rejected
			if plan, err := r.Plan(deadline(t)); err != nil || plan.Overtaking != 1 || plan.Chosen != 3 {
				t.Errorf("a reason: got %+v (%v)", plan, err)
			}
			for name, sel := range map[string]deadletter.Selection{
				"a position": {Only: []deadletter.Position{{Offset: 2}}}, "offsets": {From: 2, To: 3}, "a time": {Since: letters[2].At, To: 3},
			} {
				r := y.redriver()
				r.Selection = sel
				if plan, err := r.Plan(deadline(t)); err != nil || plan.Overtaking != 1 || plan.Chosen != 1 {
					t.Errorf("%s: got %+v (%v)", name, plan, err)
				}
			}
		})

		t.Run("to another topic keeps what belongs together in one partition", func(t *testing.T) {
			t.Parallel()
			y := open(t)
			create(t, y.source, "mended", 2)
			letters := keyed(2, 6)
			y.bury(t, 0, letters...)
			r := y.redriver()
			r.To = "mended"
			run(t, r)
			for p := range int32(2) {
				var want []deadletter.Letter
				for _, l := range letters {
					if batch.Partition(l.Record.Key, 2) == p {
						want = append(want, l)
					}
				}
				wantRecords(t, stored(t, y.source, "mended", p), want...)
			}
		})

		t.Run("leaves out what the topic cannot take, and says why", func(t *testing.T) {
			t.Parallel()
			y := open(t)
			gone, moved, good := failed(0, 1, batch.Record{}), failed(7, 2, batch.Record{}), failed(0, 3, batch.Record{Value: []byte("v")})
			gone.Topic = "gone"
			noise := sample.Special()[10]
			must(t, y.source.CreateTopic(deadline(t), kafka.TopicSpec{Name: "small", Partitions: 1, Settings: map[string]string{"max.message.bytes": "20000"}}))
			large := failed(0, 4, noise)
			large.Topic = "small"
			for _, l := range []deadletter.Letter{gone, moved, large, good} {
				produce(t, y.topic.Client, "deadletter", 0, l.Records(0)...)
			}
			plan := run(t, y.redriver())
			var why []string
			for _, s := range plan.Skipped {
				why = append(why, s.Reason)
			}
			for _, want := range []string{"topic gone does not exist", "no partition 7", "max.message.bytes is 20000"} {
				if !strings.Contains(strings.Join(why, "\n"), want) {
					t.Errorf("%q is not in %q", want, why)
				}
			}
			wantRecords(t, stored(t, y.source, "orders", 0), good)
		})

		t.Run("packs a record that its topic takes compressed alone", func(t *testing.T) {
			t.Parallel()
			y := open(t)
			must(t, y.source.CreateTopic(deadline(t), kafka.TopicSpec{Name: "small", Partitions: 1, Settings: map[string]string{"max.message.bytes": "20000"}}))
			l := failed(0, 4, batch.Record{Value: make([]byte, 100_000)})
			l.Topic = "small"
			y.bury(t, 50_000, l)
			run(t, y.redriver())
			wantRecords(t, stored(t, y.source, "small", 0), l)
		})

		t.Run("leaves out what the broker refuses, and sends the rest once, also again", func(t *testing.T) {
			t.Parallel()
			y := open(t)
			letters := keyed(0, 6)
			letters[3].Record.Value = []byte("of the future")
			y.bury(t, 0, letters...)
			y.broker.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
				y.broker.KeepControl()
				request := r.(*kmsg.ProduceRequest)
				if request.Topics[0].Topic != "orders" || !bytes.Contains(request.Topics[0].Partitions[0].Records, []byte("of the future")) {
					return nil, nil, false
				}
				response := request.ResponseKind().(*kmsg.ProduceResponse)
				response.Topics = []kmsg.ProduceResponseTopic{{Topic: "orders", Partitions: []kmsg.ProduceResponseTopicPartition{{ErrorCode: kerr.InvalidTimestamp.Code}}}}
				return response, nil, true
			})
			good := []deadletter.Letter{letters[0], letters[1], letters[2], letters[4]} // not the one behind it, with its key
			for round := 1; round <= 2; round++ {
				r := slow(y.redriver())
				r.Again = true
				plan := run(t, r)
				if plan.Sent != 4 || plan.Chosen != 4 || len(plan.Skipped) != 2 || !strings.Contains(plan.Skipped[0].Reason, "timestamp") || plan.Skipped[0].Example.Offset != 3 || plan.Skipped[1].Example.Offset != 5 {
					t.Errorf("got %+v", plan)
				}
				wantRecords(t, stored(t, y.source, "orders", 0), slices.Repeat(good, round)...)
			}
			if got := y.statuses(t); got[deadletter.Redriven] != 4 || got[deadletter.Open] != 2 {
				t.Errorf("got %v", got)
			}
		})

		t.Run("stops between two steps when its context ends, and goes on there", func(t *testing.T) {
			t.Parallel()
			y := open(t)
			letters := keyed(0, 5)
			y.bury(t, 0, letters...)
			ctx, cancel := context.WithCancel(deadline(t))
			r := slow(y.redriver())
			r.Progress = func(done, total int64) {
				if done == 2 {
					cancel()
				}
			}
			plan, err := r.Run(ctx)
			if !errors.Is(err, context.Canceled) || plan.Sent != 2 || !strings.Contains(err.Error(), "before the letter at 0:2") {
				t.Errorf("%d sent (%v)", plan.Sent, err)
			}
			wantRecords(t, stored(t, y.source, "orders", 0), letters[:2]...)
			run(t, y.redriver())
			wantRecords(t, stored(t, y.source, "orders", 0), letters...)
		})

		t.Run("of a topic that was made anew knows nothing of the old letters", func(t *testing.T) {
			t.Parallel()
			y := open(t)
			y.bury(t, 0, keyed(0, 1)...)
			run(t, y.redriver())
			must(t, y.topic.Client.DeleteTopic(deadline(t), "deadletter"))
			create(t, y.topic.Client, "deadletter", 3)
			other := failed(0, 77, batch.Record{Value: []byte("other")})
			y.bury(t, 0, other)
			if plan := run(t, y.redriver()); plan.Sent != 1 {
				t.Errorf("got %+v", plan)
			}
		})
	})

	t.Run("keeps to a rate", func(t *testing.T) {
		t.Parallel()
		y := newYard(t)
		y.bury(t, 0, keyed(0, 6)...)
		r := y.redriver()
		r.Rate = 2
		var waits []time.Duration
		r.SetWait(func(_ context.Context, d time.Duration) error {
			waits = append(waits, d)
			return nil
		})
		run(t, r)
		if len(waits) != 3 || waits[0] > time.Second || waits[2] > 3*time.Second {
			t.Errorf("waited %v, want 3 times, for what is left of 1, 2 and 3 s", waits)
		}
	})
}

// slow makes steps of one letter, without waiting between them.
func slow(r *deadletter.Redriver) *deadletter.Redriver {
	r.Rate = 1
	r.SetWait(func(context.Context, time.Duration) error { return nil })
	return r
}

func TestOldSource(t *testing.T) {
	t.Parallel()
	t.Run("a source without transactions is refused before anything is touched", func(t *testing.T) {
		t.Parallel()
		y := newYard(t)
		y.bury(t, 0, keyed(0, 1)...)
		r := y.redriver()
		r.Source = old(t)
		if _, err := r.Run(deadline(t)); !errors.Is(err, kafka.ErrUnsupported) || !strings.Contains(err.Error(), "0.11") {
			t.Errorf("got %v", err)
		}
	})
}
