package mirror_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

func TestOrderBehindDeadLetters(t *testing.T) {
	t.Parallel()
	source, target := pair(t)
	createTopic(t, source, kafka.TopicSpec{Name: "t"})
	fixed := false
	process := func(ctx context.Context, r mirror.Record, emit func(mirror.Output)) error {
		if !fixed && bytes.HasPrefix(r.Value, []byte("bad")) {
			return errors.New("not wanted")
		}
		return pass(ctx, r, emit)
	}
	// run produces records KEY=VALUE, or KEY=VALUE=ID=COUNT as a redrive does, and has a new instance handle them.
	run := func(texts ...string) {
		t.Helper()
		var records []batch.Record
		for _, text := range texts {
			part := strings.Split(text, "=")
			r := batch.Record{Key: []byte(part[0]), Value: []byte(part[1]), Timestamp: 1_790_000_000_000}
			if len(part) > 2 {
				r.Headers = []batch.Header{{Key: "etl.redrive.id", Value: []byte(part[2])}, {Key: "etl.redrive.count", Value: []byte(part[3])}, {Key: "etl.redrive.function", Value: []byte("shout")}}
			}
			records = append(records, r)
		}
		rng := produce(t, source, "t", 0, batch.None, 100, records)
		copyRange(t, job(t, source, target, process, func(c *mirror.Config) { c.DeadLetters.KeepOrder = true }), rng)
	}
	require := func(what string, dead int, want ...string) {
		t.Helper()
		if got := strings.Join(values(t, target, "out"), " "); got != strings.Join(want, " ") {
			t.Errorf("%s: the output is %s, want %v", what, got, want)
		}
		if got := letters(t, target); len(got) != dead {
			t.Errorf("%s: %d dead letters, want %d", what, len(got), dead)
		}
	}

	run("a=1", "a=bad2", "b=3")
	require("the bad record waits", 1, "1", "3")
	run("a=4", "b=5")
	require("a later record of its key waits behind it, for a new instance too; another key goes on", 2, "1", "3", "5")
	if l := letters(t, target)[1]; l.Reason != deadletter.Behind || string(l.Record.Value) != "4" {
		t.Errorf("letter %+v", l)
	}
	run("a=bad2=R1/0:0=1", "a=4=R1/0:1=1")
	require("what fails in a redrive again is followed by those behind it", 4, "1", "3", "5")
	fixed = true
	run("a=bad2=R2/0:2=2", "a=6", "a=4=R2/0:3=2", "a=7")
	require("a record that was produced between those of the redrive waits, and those behind it", 6, "1", "3", "5", "bad2", "4")
	if l := letters(t, target); l[2].Redrives != 1 || l[4].Reason != deadletter.Behind || string(l[4].Record.Value) != "6" {
		t.Errorf("letters %+v", l)
	}
	run("a=6=R3/0:4=1", "a=7=R3/0:5=1", "a=8")
	require("once all of them are redriven the key goes on", 6, "1", "3", "5", "bad2", "4", "6", "7", "8")
}

func TestOrderBehindALetterThatWasTriedAlone(t *testing.T) {
	t.Parallel()
	c, _ := cluster(t, localkafka.Config{})
	createTopic(t, c, kafka.TopicSpec{Name: "t"})
	fixed := false
	process := func(ctx context.Context, r mirror.Record, emit func(mirror.Output)) error {
		if !fixed && bytes.HasPrefix(r.Value, []byte("bad")) {
			return errors.New("not wanted")
		}
		return pass(ctx, r, emit)
	}
	handle := func(last int64) {
		t.Helper()
		copyRange(t, job(t, c, c, process, func(c *mirror.Config) { c.DeadLetters.KeepOrder = true }), rangeOf(0, last))
	}
	redrive := func(r deadletter.Redriver) error {
		t.Helper()
		r.Letters, r.Source = deadletter.Topic{Client: c, Name: "deadletter"}, c
		_, err := r.Run(testContext(t))
		handle(offset(t, c, "t", 0, kafka.Latest) - 2) // the last offset is a marker
		return err
	}
	var records []batch.Record
	for _, value := range []string{"1", "bad2", "3", "4"} {
		records = append(records, batch.Record{Key: []byte("a"), Value: []byte(value), Timestamp: 1_790_000_000_000})
	}
	produce(t, c, "t", 0, batch.None, 100, records)
	handle(3)
	if err := redrive(deadletter.Redriver{Selection: deadletter.Selection{Only: []deadletter.Position{{}}}}); err != nil {
		t.Fatal(err)
	}
	fixed = true
	for range 2 { // what waits behind the one that has failed twice comes back once more
		if err := redrive(deadletter.Redriver{}); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(values(t, c, "out"), " "); got != "1 bad2 3 4" {
		t.Errorf("the output is %s", got)
	}
	if err := redrive(deadletter.Redriver{To: "elsewhere"}); err == nil || !strings.Contains(err.Error(), "deadletter.keys") {
		t.Errorf("letters of a job that keeps the order were sent elsewhere: %v", err)
	}
}
