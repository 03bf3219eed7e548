package emulator_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// What a function on this project's contract takes.
func eventTests() map[string]func(*testing.T) {
	return map[string]func(*testing.T){
		"either-partition":   testEitherPartition,
		"unknown-fields":     testUnknownFields,
		"several-partitions": testSeveralPartitions,
		"either-null-key":    testEitherNullKey,
	}
}

// understood is what the reader tells of an event.
type understood struct {
	Ranges   []event.Range
	NullKeys int
}

// read hands an event to the built reader.
func read(t *testing.T, event string) understood {
	t.Helper()
	t.Parallel()
	p := platform(t, emulator.Config{})
	f := scf.Function{Name: function, Handler: "main", MemorySize: 128, Timeout: 20}
	if err := p.Deploy(t.Context(), f, readerDir); err != nil {
		t.Fatal(err)
	}
	i, err := p.Invoke(t.Context(), function, []byte(event), emulator.InvokeOptions{})
	if err != nil || i.Error != nil {
		t.Fatal(err, i.Error)
	}
	var u understood
	if err := json.Unmarshal(i.Payload, &u); err != nil {
		t.Fatalf("payload %q: %v", i.Payload, err)
	}
	return u
}

func wantRanges(t *testing.T, got understood, want ...event.Range) {
	t.Helper()
	if diff := cmp.Diff(want, got.Ranges); diff != "" {
		t.Errorf("ranges (-want +got):\n%s", diff)
	}
}

func testEitherPartition(t *testing.T) {
	got := read(t, `{"Records":[
		{"Ckafka":{"topic":"t","partition":1,"offset":36,"msgKey":"k","msgBody":"v"}},
		{"Ckafka":{"topic":"t","Partition":1,"offset":37,"msgKey":"k","msgBody":"v"}}]}`)
	wantRanges(t, got, event.Range{Topic: "t", Partition: 1, First: 36, Last: 37, Count: 2})
}

func testUnknownFields(t *testing.T) {
	got := read(t, `{"Version":2,"Records":[
		{"Ckafka":{"topic":"t","partition":1,"offset":36,"timestamp":{"a":[1,null]},"headers":[],"msgKey":"k","msgBody":"v"},"Source":"x"}],"More":{}}`)
	wantRanges(t, got, event.Range{Topic: "t", Partition: 1, First: 36, Last: 36, Count: 1})
}

func testSeveralPartitions(t *testing.T) {
	got := read(t, `{"Records":[
		{"Ckafka":{"topic":"t","partition":1,"offset":36,"msgKey":"k","msgBody":"v"}},
		{"Ckafka":{"topic":"u","partition":1,"offset":5,"msgKey":"k","msgBody":"v"}},
		{"Ckafka":{"topic":"t","partition":2,"offset":9,"msgKey":"k","msgBody":"v"}},
		{"Ckafka":{"topic":"t","partition":1,"offset":37,"msgKey":"k","msgBody":"v"}}]}`)
	wantRanges(t, got,
		event.Range{Topic: "t", Partition: 1, First: 36, Last: 37, Count: 2},
		event.Range{Topic: "u", Partition: 1, First: 5, Last: 5, Count: 1},
		event.Range{Topic: "t", Partition: 2, First: 9, Last: 9, Count: 1})
}

func testEitherNullKey(t *testing.T) {
	got := read(t, `{"Records":[
		{"Ckafka":{"topic":"t","partition":0,"offset":0,"msgKey":"None","msgBody":"v"}},
		{"Ckafka":{"topic":"t","partition":0,"offset":1,"msgKey":"","msgBody":"v"}},
		{"Ckafka":{"topic":"t","partition":0,"offset":2,"msgBody":"v"}},
		{"Ckafka":{"topic":"t","partition":0,"offset":3,"msgKey":"none","msgBody":"v"}}]}`)
	if got.NullKeys != 3 {
		t.Errorf("%d records may have had no key, want the first three", got.NullKeys)
	}
}
