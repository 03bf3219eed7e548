package deadletter_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

func TestLog(t *testing.T) {
	t.Parallel()

	t.Run("says where a letter was sent, when, and with what", func(t *testing.T) {
		t.Parallel()
		y := newYard(t)
		y.bury(t, 0, keyed(1, 2)...)
		r := y.redriver()
		at := deadletter.Position{Partition: 1, Offset: 1}
		r.Selection.Only, r.Edits = []deadletter.Position{at}, map[deadletter.Position][]byte{at: nil}
		plan := run(t, r)
		log, err := y.topic.Log(deadline(t))
		must(t, err)
		found, err := y.topic.Letter(deadline(t), at)
		must(t, err)
		status, sent := log.Status(found)
		if status != deadletter.Redriven || len(sent) != 1 {
			t.Fatalf("%s, %+v", status, sent)
		}
		e := sent[0]
		if e.Topic != "orders" || e.Partition != 1 || e.Offset != 0 || e.Count != 1 || !e.Edited || e.ID != plan.Run+"/1:1" || e.At.IsZero() {
			t.Errorf("got %+v", e)
		}
	})

	t.Run("is kept without end", func(t *testing.T) {
		t.Parallel()
		y := newYard(t)
		run(t, y.redriver())
		_, own, err := y.topic.Client.TopicSettings(deadline(t), deadletter.LogTopic("deadletter"))
		must(t, err)
		if own["retention.ms"] != "-1" || own["retention.bytes"] != "-1" || own["cleanup.policy"] != "delete" {
			t.Errorf("got %v", own)
		}
	})

	for name, c := range map[string]struct{ value, words string }{
		"damaged":            {`{"format":`, "offset 0 is no entry"},
		"of a newer release": {`{"format":2,"step":"sent"}`, "a newer release reads it"},
		"of another step":    {`{"format":1,"step":"revoked","letter":"0:0"}`, "a newer release reads it"},
	} {
		t.Run("with an entry that is "+name+" stops a redrive, and names the place", func(t *testing.T) {
			t.Parallel()
			y := newYard(t)
			y.bury(t, 0, keyed(0, 1)...)
			must(t, y.topic.Client.CreateTopic(deadline(t), kafka.TopicSpec{Name: deadletter.LogTopic("deadletter"), Partitions: 1}))
			produce(t, y.topic.Client, deadletter.LogTopic("deadletter"), 0, batch.Record{Value: []byte(c.value)})
			_, err := y.redriver().Run(deadline(t))
			if err == nil || !strings.Contains(err.Error(), "deadletter.redrives/0") || !strings.Contains(err.Error(), c.words) {
				t.Errorf("got %v, want %q", err, c.words)
			}
			wantRecords(t, stored(t, y.source, "orders", 0))
		})
	}
}

func FuzzDecodeEntry(f *testing.F) {
	value, err := json.Marshal(deadletter.Entry{
		Format: 1, Step: deadletter.Sent, ID: "RUN/0:1", Letter: deadletter.Position{Offset: 1}, Of: deadletter.Origin{Topic: "t", Offset: 7, Failed: 8},
		Topic: "t", Offset: 9, Count: 1, At: time.UnixMilli(1_790_000_000_000).UTC(),
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(value)
	f.Add([]byte(`{"format":1,"step":"intent","letter":"0:-1"}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, value []byte) {
		e, err := deadletter.DecodeEntry(value)
		if err != nil {
			return
		}
		text, err := json.Marshal(e)
		if err != nil {
			t.Skip(err) // a year that JSON has no form for
		}
		if again, err := deadletter.DecodeEntry(text); err != nil || !cmp.Equal(e, again) {
			t.Errorf("%+v is %+v (%v) the second time", e, again, err)
		}
	})
}
