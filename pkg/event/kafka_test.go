package event_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/event"
)

// records makes records from words like "orders/0:17".
func records(places string) event.Kafka {
	k := event.Kafka{Records: []event.KafkaRecord{}}
	for place := range strings.FieldsSeq(places) {
		var r event.KafkaRecord
		topic, rest, _ := strings.Cut(place, "/")
		r.Topic = topic
		if _, err := fmt.Sscanf(rest, "%d:%d", &r.Partition, &r.Offset); err != nil {
			panic(err)
		}
		k.Records = append(k.Records, r)
	}
	return k
}

func TestKafkaRanges(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, records string
		want          []event.Range
	}{
		{"an event without records has no ranges", "", nil},
		{"records of one partition are one range", "a/0:5 a/0:6 a/0:7", []event.Range{{"a", 0, 5, 7, 3}}},
		{"missing offsets show in the count", "a/0:5 a/0:9", []event.Range{{"a", 0, 5, 9, 2}}},
		{"the order within a partition does not matter", "a/0:9 a/0:5 a/0:7", []event.Range{{"a", 0, 5, 9, 3}}},
		{"partitions come in the order of first appearance", "a/2:1 a/0:1 a/2:2", []event.Range{{"a", 2, 1, 2, 2}, {"a", 0, 1, 1, 1}}},
		{"the same partition of two topics is two ranges", "a/0:1 b/0:1 a/0:2", []event.Range{{"a", 0, 1, 2, 2}, {"b", 0, 1, 1, 1}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, records(tt.records).Ranges()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestKafkaLogAttrs(t *testing.T) {
	t.Parallel()
	var many strings.Builder
	for i := range 10 {
		fmt.Fprintf(&many, "a/%d:1 ", i)
	}
	for _, tt := range []struct{ name, records, want string }{
		{"an event without records says so", "", "records=0"},
		{"one partition is spelled out", "a/3:5 a/3:6", "topic=a partition=3 first=5 last=6 records=2"},
		{"several partitions are summed up", "a/0:5 b/1:7 b/1:8", `partitions=2 ranges="a/0:5-5 b/1:7-8" records=3`},
		{"the line stays short for many partitions", many.String(), `partitions=10 ranges="a/0:1-1 a/1:1-1 a/2:1-1 a/3:1-1 a/4:1-1 a/5:1-1 a/6:1-1 a/7:1-1 and 2 more" records=10`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := logLine(t, records(tt.records).LogAttrs()); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// logLine is how slog writes the attributes as text.
func logLine(t *testing.T, attrs []slog.Attr) string {
	t.Helper()
	var line strings.Builder
	bare := func(_ []string, a slog.Attr) slog.Attr {
		switch a.Key {
		case slog.TimeKey, slog.LevelKey, slog.MessageKey:
			return slog.Attr{}
		}
		return a
	}
	handler := slog.NewTextHandler(&line, &slog.HandlerOptions{ReplaceAttr: bare})
	slog.New(handler).LogAttrs(t.Context(), slog.LevelInfo, "", attrs...)
	return strings.TrimSpace(line.String())
}

func TestKafkaRecordNullKey(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]bool{"": true, "None": true, "none": false, "0": false} {
		if got := (event.KafkaRecord{Key: []byte(key)}).NullKey(); got != want {
			t.Errorf("key %q may be null: got %v, want %v", key, got, want)
		}
	}
	if !(event.KafkaRecord{}).NullKey() {
		t.Error("a missing key may be null: got false")
	}
}

func TestKafkaEncoderWritesWhatAppendJSONDoes(t *testing.T) {
	t.Parallel()
	k := batch("body \"with\" 中文\n", 3)
	e := event.NewKafkaEncoder(event.NullKeyText)
	for range 2 { // the second time with reused memory
		e.Reset()
		for i, r := range k.Records {
			e.Add(r)
			part := event.Kafka{Records: k.Records[:i+1]}
			if got, want := string(e.Bytes()), string(part.AppendJSON(nil)); got != want {
				t.Errorf("after %d records\ngot  %s\nwant %s", i+1, got, want)
			}
			if e.Len() != len(e.Bytes()) || e.Count() != i+1 {
				t.Errorf("length %d of %d bytes, count %d of %d", e.Len(), len(e.Bytes()), e.Count(), i+1)
			}
		}
	}
}

func TestKafkaEncoderWritesTheDocumentedShape(t *testing.T) {
	t.Parallel()
	k := event.Kafka{Records: []event.KafkaRecord{
		{Topic: "t", Partition: 1, Offset: 36, Body: []byte("Hello from Ckafka!")},
		{Topic: "t", Partition: 1, Offset: 37, Key: []byte{}},
	}}
	want := `{"Records":[` +
		`{"Ckafka":{"topic":"t","partition":1,"offset":36,"msgKey":"None","msgBody":"Hello from Ckafka!"}},` +
		`{"Ckafka":{"topic":"t","partition":1,"offset":37,"msgKey":"","msgBody":""}}]}`
	if got := string(k.AppendJSON([]byte("x"))); got != "x"+want {
		t.Errorf("got  %s\nwant x%s", got, want)
	}
	if got := string(must(json.Marshal(k))); got != want {
		t.Errorf("through encoding/json\ngot  %s\nwant %s", got, want)
	}
	e := event.NewKafkaEncoder("no \"key\"")
	e.Add(k.Records[0])
	if got, want := string(e.Bytes()), `"msgKey":"no \"key\""`; !strings.Contains(got, want) {
		t.Errorf("got %s, want it to hold %s", got, want)
	}
}

func TestKafkaEncoderSpellsPartitionEitherWay(t *testing.T) {
	t.Parallel()
	e := event.NewKafkaEncoder(event.NullKeyText)
	e.CapitalPartition()
	e.Add(event.KafkaRecord{Topic: "t", Partition: 7})
	var k event.Kafka
	if err := k.UnmarshalJSON(e.Bytes()); err != nil || !strings.Contains(string(e.Bytes()), `"Partition":7,`) || k.Records[0].Partition != 7 {
		t.Errorf("got %s, %v", e.Bytes(), err)
	}
}

func TestKafkaEncoderEncodesAnEventWithoutRecords(t *testing.T) {
	t.Parallel()
	e := event.NewKafkaEncoder("")
	if got := string(e.Bytes()); got != `{"Records":[]}` || e.Len() != len(got) || e.Count() != 0 {
		t.Errorf("got %s, length %d, count %d", got, e.Len(), e.Count())
	}
}

func TestKafkaEncoderCutsABatchAtTheLimit(t *testing.T) {
	t.Parallel()
	k := batch(strings.Repeat("\n\x01中", 20), 50)
	whole := len(k.AppendJSON(nil))
	for limit := 0; limit <= whole; limit += 7 {
		e := event.NewKafkaEncoder(event.NullKeyText)
		fit := 0
		for fit < len(k.Records) && e.TryAdd(k.Records[fit], limit) {
			fit++
		}
		want := event.Kafka{Records: k.Records[:fit]}.AppendJSON(nil)
		if got := string(e.Bytes()); got != string(want) || e.Count() != fit {
			t.Fatalf("limit %d: after a record that did not fit\ngot  %s\nwant %s", limit, got, want)
		}
		if fit > 0 && len(want) > limit {
			t.Fatalf("limit %d: the event has %d bytes", limit, len(want))
		}
		if fit < len(k.Records) {
			if more := len(event.Kafka{Records: k.Records[:fit+1]}.AppendJSON(nil)); more <= limit {
				t.Fatalf("limit %d: one more record would have made %d bytes", limit, more)
			}
		}
	}
	if e := event.NewKafkaEncoder(event.NullKeyText); !e.TryAdd(k.Records[0], len(event.Kafka{Records: k.Records[:1]}.AppendJSON(nil))) {
		t.Error("a record that fits exactly was refused")
	}
}

func TestKafkaEncoderReusesItsMemory(t *testing.T) {
	k := batch(strings.Repeat("x", 1000), 100)
	e := event.NewKafkaEncoder(event.NullKeyText)
	fill := func() {
		e.Reset()
		for _, r := range k.Records {
			e.Add(r)
		}
		_ = e.Bytes()
	}
	fill()
	if allocs := testing.AllocsPerRun(5, fill); allocs > 0 {
		t.Errorf("%v allocations for an event as large as the one before", allocs)
	}
}
