package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// jobPackage gives the folder that is the built package of a job's source.
func jobPackage(t testing.TB, b *binary, source string) string {
	t.Helper()
	code := filepath.Join(binaries.dir, filepath.Base(source))
	b.build(t, source, filepath.Join(code, "main"))
	return code
}

// deployJob starts a platform with a job whose topics begin with the source's name.
func (w *world) deployJob(t testing.TB, code string, change func(*scf.Function)) {
	t.Helper()
	f := w.function()
	f.Environment["START"] = "earliest"
	f.Environment["TOPICS"] = w.topic + ":" + w.out()
	f.Environment["DEADLETTER_TOPIC"] = w.dead()
	if change != nil {
		change(&f)
	}
	w.run(t, emulator.Config{
		Dir: w.dir, Clusters: map[string]kafka.Config{instance: w.brokers[0]},
		Kafka: emulator.KafkaConfig{RetryInterval: 50 * time.Millisecond}, Keep: 2000,
	}, f, code)
}

func (w *world) out() string { return w.topic + "-out" }

func (w *world) dead() string { return w.topic + "-dead" }

// committed gives the committed records of a topic of the target, once all of it can
// be read; none where it does not exist.
func (w *world) committed(t testing.TB, topic string) (all []batch.Record) {
	t.Helper()
	info, err := w.target.Topic(w.ctx, topic)
	if errors.Is(err, kafka.ErrUnknownTopic) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	for p := range int32(len(info.Partitions)) {
		end, err := w.target.Offsets(w.ctx, topic, kafka.Latest, p)
		if err != nil {
			t.Fatal(err)
		}
		for next := int64(0); next < end[p]; {
			var got kafka.FetchedRecords
			w.await(t, "records of "+topic, func() (bool, error) {
				got, err = w.target.FetchRecords(w.ctx, kafka.FetchRequest{Topic: topic, Partition: p, Offset: next, MinBytes: 1, MaxBytes: 8 << 20, MaxWait: 100 * time.Millisecond, ReadCommitted: true})
				return err == nil && got.Next > next, err
			})
			for _, r := range got.Records {
				all = append(all, r.Clone())
			}
			next = got.Next
		}
	}
	return all
}

// cleanedUnderKills is a log with 1 % of lines that are none.
func cleanedUnderKills(t *testing.T, w *world) {
	const partitions, lines, kills = 2, 5000, 5
	w.createTopic(t, partitions, sample.TopicSettings())
	good := sample.AccessLog(lines, 3)
	bad := slices.DeleteFunc(sample.BrokenLines(100<<10), func(line string) bool { return json.Valid([]byte(line)) })
	wantDead := map[string]bool{}
	for p := range int32(partitions) {
		var records []batch.Record
		for i, line := range good {
			value := []byte(fmt.Sprintf(`{"n":%d,"line":%s}`, int(p)*lines+i, quoted(t, line)))
			if i%100 == 50 {
				value = []byte(bad[i/100%len(bad)])
				wantDead[fmt.Sprintf("%d/%d", p, i)] = true
			}
			records = append(records, batch.Record{Key: strconv.AppendInt(nil, int64(i%17), 10), Value: value, Timestamp: 1_790_000_000_000 + int64(i)})
		}
		w.produce(t, p, codecs[p], 50, records)
	}
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	writeFile(t, rules, "version: 1\nrules:\n- parse: json\n- mask: {fields: [line], find: [ip]}\n")
	w.deployJob(t, jobPackage(t, &binaries.clean, "../functions/clean"), func(f *scf.Function) {
		f.Environment["RULES"] = rules
		f.Events[0].Kafka.MaxMsgNum = lines / 20
	})
	hit := 0
	w.await(t, "kills that hit", func() (bool, error) {
		if pids := w.processes(t); len(pids) > 0 && hit < kills {
			kill(t, pids[0])
			hit++
		}
		done, err := w.copied()
		return hit >= kills || done, err
	})
	w.awaitCopied(t)

	seen, last := map[int]bool{}, map[string]int{}
	for _, r := range w.committed(t, w.out()) {
		var line struct{ N int }
		if err := json.Unmarshal(r.Value, &line); err != nil {
			t.Fatal(err)
		}
		if seen[line.N] {
			t.Fatalf("line %d is there twice", line.N)
		}
		seen[line.N] = true
		// The source's partition and the key are where order is kept.
		in := fmt.Sprintf("%d/%s", line.N/lines, r.Key)
		if before, ok := last[in]; ok && line.N < before {
			t.Fatalf("line %d comes after %d", line.N, before)
		}
		last[in] = line.N
	}
	letters := w.letters(t)
	for _, l := range letters {
		at := fmt.Sprintf("%d/%d", l.Partition, l.Record.Offset)
		if !wantDead[at] {
			t.Errorf("dead letter of %s (%s): twice, or of a good line", at, l.Error)
		}
		delete(wantDead, at)
	}
	if len(wantDead) > 0 || len(seen)+len(letters) != partitions*lines {
		t.Errorf("%d lines and %d dead letters of %d; %d are in neither", len(seen), len(letters), partitions*lines, len(wantDead))
	}
}

func (w *world) letters(t testing.TB) (all []deadletter.Letter) {
	t.Helper()
	for _, r := range w.committed(t, w.dead()) {
		l, err := deadletter.Decode(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	return all
}

// poisoned is an event of 10,000 records of which one ends the process.
func poisoned(t *testing.T, w *world) {
	const records, poison, mostInvocations = 10_000, 6172, 15
	w.createTopic(t, 1, sample.TopicSettings())
	all := sample.Plain(records, 100, 1)
	all[poison].Value = []byte("die of this one")
	w.produce(t, 0, batch.LZ4, 200, all)
	w.deployJob(t, jobPackage(t, &binaries.dies, "./dies"), func(f *scf.Function) { f.Events[0].Kafka.MaxMsgNum = records })
	w.awaitCopied(t)

	var of, died int
	for _, i := range w.platform.Invocations() {
		of++
		if i.Error != nil && i.Error.Kind == emulator.KindExit {
			died++
		}
	}
	t.Logf("%d invocations, in %d of them the process ended", of, died)
	if of > mostInvocations || died == 0 {
		t.Errorf("%d invocations, in %d of them the process ended; want at most %d", of, died, mostInvocations)
	}
	out := w.committed(t, w.out())
	if len(out) != records-1 {
		t.Fatalf("%d records, want %d", len(out), records-1)
	}
	want := append(append([]batch.Record(nil), all[:poison]...), all[poison+1:]...)
	for i := range want {
		if string(out[i].Value) != string(want[i].Value) || out[i].Timestamp != want[i].Timestamp {
			t.Fatalf("record %d is %q, want %q", i, out[i].Value, want[i].Value)
		}
	}
	if l := w.letters(t); len(l) != 1 || l[0].Record.Offset != poison || l[0].Reason != deadletter.Killed {
		t.Errorf("dead letters %+v", l)
	}
}

// quoted is a text as JSON.
func quoted(t testing.TB, text string) []byte {
	t.Helper()
	b, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeFile(t testing.TB, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
