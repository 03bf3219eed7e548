package event_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/event"
)

// FuzzKafka decodes any bytes as encoding/json does, apart from the rules that come on top of it.
func FuzzKafka(f *testing.F) {
	for _, payload := range oddEvents() {
		if len(payload) < 4096 { // the long ones only slow the fuzzer down
			f.Add([]byte(payload))
		}
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		if err := compare(payload); err != nil {
			t.Errorf("%v\n%q", err, payload)
		}
	})
}

// FuzzKafkaText decodes any text in a body as encoding/json does: FuzzKafka, with the shape given.
func FuzzKafkaText(f *testing.F) {
	for _, body := range bodies() {
		f.Add([]byte(body))
	}
	for _, text := range []string{`\ud83d\ude00`, `\ud83d\u0041`, "\xe4\xb8\xad\xed\xa0\x80", "\\n中文\xff", `0123456\n`, `01234567\`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := compare([]byte(one(`"msgKey":"` + string(text) + `","msgBody":"\n` + string(text) + `"`))); err != nil {
			t.Errorf("%v\n%q", err, text)
		}
	})
}

// FuzzKafkaEncode encodes any record as valid JSON that decodes to the same record, but for what the event
// cannot carry: bytes that are not UTF-8, a nil key, a nil body.
func FuzzKafkaEncode(f *testing.F) {
	f.Add("t", int32(1), int64(2), []byte("key"), []byte(`{"a":"中\u0000"}`))
	f.Add("\x00\xff", int32(0), int64(0), []byte(nil), []byte(nil))
	f.Add("t", int32(0), int64(1)<<60, []byte("\xed\xa0\x80"), []byte("\u2028\x7f\b\f\n\r\t\"\\/"))
	f.Fuzz(func(t *testing.T, topic string, partition int32, offset int64, key, body []byte) {
		in := event.Kafka{Records: []event.KafkaRecord{{Topic: topic, Partition: partition, Offset: offset, Key: key, Body: body}}}
		payload := in.AppendJSON(nil)
		if !json.Valid(payload) || !utf8.Valid(payload) {
			t.Fatalf("not valid JSON in UTF-8: %q", payload)
		}
		if topic == "" || partition < 0 || offset < 0 {
			return
		}
		r := event.KafkaRecord{
			Topic: string(wellFormed([]byte(topic))), Partition: partition, Offset: offset,
			Key: []byte("None"), Body: wellFormed(body),
		}
		if key != nil {
			r.Key = wellFormed(key)
		}
		var out event.Kafka
		if err := out.UnmarshalJSON(payload); err != nil {
			t.Fatal(err)
		}
		if want := (event.Kafka{Records: []event.KafkaRecord{r}}); !reflect.DeepEqual(want, out) {
			t.Errorf("-want +got:\n%s", cmp.Diff(want, out))
		}
	})
}

// wellFormed is text as JSON can carry it, never nil.
func wellFormed(text []byte) []byte {
	out := []byte{}
	for _, r := range string(text) {
		out = utf8.AppendRune(out, r)
	}
	return out
}

// FuzzEvents decodes any bytes as every other kind of event without a panic; what it accepts is valid JSON
// and stays the same through encoding and decoding.
func FuzzEvents(f *testing.F) {
	for _, kind := range event.Kinds() {
		f.Add(must(event.Sample(kind)))
	}
	f.Add([]byte(`{"httpMethod":"GET","queryString":{"a":["1",2],"b":true},"body":"aGk=","isBase64Encoded":true}`))
	f.Add([]byte(`{"statusCode":201,"headers":{"a":["b","c"]},"body":"x"}`))
	f.Add([]byte(`"hello"`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		stable[event.Timer](t, payload)
		stable[event.COS](t, payload)
		stable[event.HTTP](t, payload)
		stable[event.HTTPResponse](t, payload)
	})
}

func stable[E any, P interface {
	*E
	json.Unmarshaler
}](t *testing.T, payload []byte) {
	t.Helper()
	var first, second E
	if err := P(&first).UnmarshalJSON(payload); err != nil {
		return
	}
	if !json.Valid(payload) {
		t.Errorf("%T takes what is not JSON: %q", first, payload)
	}
	once, err := json.Marshal(first)
	if err != nil {
		return // a year beyond RFC 3339
	}
	if err := P(&second).UnmarshalJSON(once); err != nil {
		t.Fatalf("%T does not take its own encoding: %v\n%s", first, err, once)
	}
	twice, err := json.Marshal(second)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(once, twice) {
		t.Errorf("%T changes through encoding:\n%s\n%s", first, once, twice)
	}
}
