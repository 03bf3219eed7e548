package event_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/event"
)

// compare decodes payload and says how the result differs from the reference.
func compare(payload []byte) error {
	want, valid := reference(payload)
	var got event.Kafka
	err := got.UnmarshalJSON(payload)
	if (err == nil) != valid {
		return fmt.Errorf("error is %v, the reference is valid: %v", err, valid)
	}
	if err == nil {
		if reflect.DeepEqual(want, got) { // cmp takes seconds for the large ones
			return nil
		}
		return fmt.Errorf("-encoding/json +event:\n%s", cmp.Diff(want, got))
	}
	var fault *event.DecodeError
	switch {
	case !errors.As(err, &fault):
		return fmt.Errorf("the error is a %T", err)
	case fault.Offset < 0 || fault.Offset > int64(len(payload)):
		return fmt.Errorf("offset outside of the payload of %d bytes: %w", len(payload), err)
	case fault.Kind != event.KindKafka || fault.Reason == "" || fault.Record < -1:
		return fmt.Errorf("incomplete error %#v", fault)
	case got.Records != nil:
		return errors.New("a failed decode changed the event")
	}
	return nil
}

func TestKafkaDecodesAsEncodingJSON(t *testing.T) {
	t.Parallel()
	for name, payload := range oddEvents() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := compare([]byte(payload)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestKafkaDecodesEveryPrefixAsEncodingJSON(t *testing.T) {
	t.Parallel()
	payload := []byte(one(`"msgKey":"\ud83d\ude00\u4e2d中\n","x":[1e5,{"a":null}],"msgBody":"` + "\xff中文é😀" + `"`))
	for i := range payload {
		if err := compare(payload[:i]); err != nil {
			t.Errorf("cut off at %d: %v", i, err)
		}
	}
}

func TestKafkaDecodesEveryEscapeAsEncodingJSON(t *testing.T) {
	t.Parallel()
	for _, format := range []string{`\u%04x`, `\u%04X`, `\u%04x.`} {
		var all strings.Builder
		for unit := range 0x10000 {
			fmt.Fprintf(&all, format, unit)
		}
		if err := compare([]byte(one(`"msgBody":"` + all.String() + `"`))); err != nil {
			t.Errorf("every %s: %v", format, err)
		}
	}
	for digit := range 256 {
		for place := range 4 {
			hex := []byte("4e2d")
			hex[place] = byte(digit)
			for _, fields := range []string{`"msgBody":"\u%s"`, `"x":"\u%s"`} {
				if err := compare([]byte(one(fmt.Sprintf(fields, hex)))); err != nil {
					t.Errorf("%q: %v", hex, err)
				}
			}
		}
	}
}

func TestKafkaDecodeNamesTheFault(t *testing.T) {
	t.Parallel()
	good := `{"Ckafka":{"topic":"t","partition":1,"offset":2}}`
	two := func(second string) string { return `{"Records":[` + good + `,` + second + `]}` }
	for _, tt := range []struct {
		name, payload string
		at            string // the fault is where this text is
		record        int
		field, reason string
	}{
		{"a wrong type", two(`{"Ckafka":{"topic":"t","offset":"7"}}`), `"7"`, 1, "offset", "want a whole number, not a string"},
		{"a number that is not whole", two(`{"Ckafka":{"partition":1e2}}`), `1e2`, 1, "partition", "want a whole number, without fraction and exponent"},
		{"a number out of range", two(`{"Ckafka":{"partition":4294967296}}`), `4294967296`, 1, "partition", "the number does not fit into 32 bits"},
		{"a body that is not a string", two(`{"Ckafka":{"msgBody":{"a":1}}}`), `{"a"`, 1, "msgBody", "want a string, not an object"},
		{"a bad escape", two(`{"Ckafka":{"msgBody":"abc\qdef"}}`), `qdef`, 1, "msgBody", "unexpected character 'q', want an escape sequence"},
		{"a bad hex digit", two(`{"Ckafka":{"msgBody":"abc\u4e!d"}}`), `!d`, 1, "msgBody", "unexpected character '!', want a hexadecimal digit"},
		{"a record that is no object", two(`[]`), `[]]`, 1, "", "want an object, not an array"},
		{"a missing bracket", `{"Records":[` + good + `}`, "", -1, "Records", "unexpected character '}', want ',' or ']'"},
		{"an early end", `{"Records":[` + good, "", -1, "Records", "unexpected end of the payload, want ',' or ']'"},
		{"an early end in a text", two(`{"Ckafka":{"msgBody":"abc`), "", 1, "msgBody", `unexpected end of the payload, want a character of the string or '"'`},
		{"no topic", two(`{"Ckafka":{"partition":1,"offset":2}}`), `{"Ckafka":{"part`, 1, "topic", "it is missing or empty"},
		{"a negative offset", two(`{"Ckafka":{"topic":"u","partition":1,"offset":-2}}`), `{"Ckafka":{"topic":"u`, 1, "offset", "it is negative"},
		{"no offset", two(`{"Ckafka":{"topic":"u","partition":1}}`), `{"Ckafka":{"topic":"u`, 1, "offset", "it is missing"},
		{"no partition", two(`{"Ckafka":{"topic":"u","offset":1}}`), `{"Ckafka":{"topic":"u`, 1, "partition", "it is missing"},
		{"another trigger", `{"Type":"Timer"}`, `{`, -1, "", "there are no Records: this is not the event of a CKafka trigger"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want := &event.DecodeError{
				Kind: "ckafka", Offset: int64(strings.Index(tt.payload, tt.at)),
				Record: tt.record, Field: tt.field, Reason: tt.reason,
			}
			if tt.at == "" {
				want.Offset = int64(len(tt.payload))
				if strings.HasPrefix(tt.reason, "unexpected character") {
					want.Offset--
				}
			}
			var k event.Kafka
			if diff := cmp.Diff(error(want), k.UnmarshalJSON([]byte(tt.payload))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestDecodeErrorReadsAsOneLine(t *testing.T) {
	t.Parallel()
	var k event.Kafka
	err := k.UnmarshalJSON([]byte(`{"Records":[{"Ckafka":{"topic":"t","offset":"7"}}]}`))
	want := `decode ckafka event: record 0: offset: want a whole number, not a string (byte 44)`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestKafkaDecodesThroughEncodingJSON(t *testing.T) {
	t.Parallel()
	var envelope struct{ Event event.Kafka }
	payload := `{"Event":` + one(`"msgBody":"b"`) + `}`
	if err := json.Unmarshal([]byte(payload), &envelope); err != nil {
		t.Fatal(err)
	}
	if got := string(envelope.Event.Records[0].Body); got != "b" {
		t.Errorf("body is %q", got)
	}
}

func TestKafkaDecodeSharesPlainTextAndCopiesTheRest(t *testing.T) {
	t.Parallel()
	payload := []byte(one(`"msgKey":"plain","msgBody":"with\nescape"`))
	var k event.Kafka
	if err := k.UnmarshalJSON(payload); err != nil {
		t.Fatal(err)
	}
	for i := range payload {
		payload[i] = '#'
	}
	r := k.Records[0]
	if string(r.Key) != "#####" {
		t.Errorf("key without escapes is %q: it does not share the payload", r.Key)
	}
	if string(r.Body) != "with\nescape" || r.Topic != "t" {
		t.Errorf("body is %q and topic %q: they share the payload", r.Body, r.Topic)
	}
}

func TestKafkaDecodedTextsCannotGrowIntoEachOther(t *testing.T) {
	t.Parallel()
	for name, fields := range map[string]string{
		"plain":   `"msgKey":"key","msgBody":"body"`,
		"escaped": `"msgKey":"k\u0065y","msgBody":"b\u006fdy"`,
	} {
		payload := []byte(one(fields))
		before := string(payload)
		var k event.Kafka
		if err := k.UnmarshalJSON(payload); err != nil {
			t.Fatal(err)
		}
		r := k.Records[0]
		_ = append(r.Key, strings.Repeat("overflow", 10)...)
		_ = append(r.Key, '#')
		_ = append(r.Body, '#')
		if string(r.Key) != "key" || string(r.Body) != "body" || string(payload) != before {
			t.Errorf("%s: an append to one text changed another: key %q, body %q", name, r.Key, r.Body)
		}
	}
}

func TestKafkaDecodeReplacesTheEvent(t *testing.T) {
	t.Parallel()
	k := batch("old", 3)
	if err := k.UnmarshalJSON([]byte(one(`"msgBody":"new"`))); err != nil {
		t.Fatal(err)
	}
	want := []event.KafkaRecord{{Topic: "t", Partition: 1, Offset: 2, Body: []byte("new")}}
	if diff := cmp.Diff(want, k.Records); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Not parallel: it counts the allocations of the process.
func TestKafkaDecodeAllocatesByEventNotByRecord(t *testing.T) {
	for name, body := range bodies() {
		payload := batch(body, 1000).AppendJSON(nil)
		allocs := testing.AllocsPerRun(5, func() {
			var k event.Kafka
			if err := k.UnmarshalJSON(payload); err != nil {
				t.Error(err)
			}
		})
		if allocs > 20 {
			t.Errorf("%s: %v allocations for 1000 records of one topic, want at most 20", name, allocs)
		}
	}
}

// Not parallel: it counts the allocated bytes of the process.
func TestKafkaDecodeTakesLittleMemoryBesideThePayload(t *testing.T) {
	record := `{"Ckafka":{"topic":"t","partition":0,"offset":1,"msgBody":"x"}},`
	large := strings.Repeat("x", 5<<20)
	for _, tt := range []struct {
		name, payload string
		most          int
	}{
		{"a small event", one(`"msgKey":"\n","msgBody":"x"`), 1 << 10},
		// how many records follow must not be guessed from the small ones alone
		{"small records before a large one", `{"Records":[` + strings.Repeat(record, 10) + one(`"msgBody":"` + large + `"`)[12:], 64 << 10},
		{"one escape in a large event", one(`"msgKey":"\n","msgBody":"` + large + `"`), 64 << 10},
		{"escapes in what is skipped", one(strings.Repeat(`"x":"\n`+large[:1000]+`",`, 5000) + `"y":0`), 64 << 10},
		{"empty records and no end", `{"Records":[{},{},` + strings.Repeat(" ", 5<<20), 64 << 10},
	} {
		payload := []byte(tt.payload)
		got := uint64(math.MaxUint64)
		for range 5 { // the runtime allocates now and then, so the least is what decoding takes
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var k event.Kafka
			_ = k.UnmarshalJSON(payload)
			runtime.ReadMemStats(&after)
			got = min(got, after.TotalAlloc-before.TotalAlloc)
		}
		if got > uint64(tt.most) {
			t.Errorf("%s: decoding %d bytes allocates %d, want at most %d", tt.name, len(payload), got, tt.most)
		}
	}
}
