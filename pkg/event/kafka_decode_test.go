package event_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/event"
)

// one is an event of one record whose fields other than the given ones are good.
func one(fields string) string {
	return `{"Records":[{"Ckafka":{"topic":"t","partition":1,"offset":2,` + fields + `}}]}`
}

// oddEvents are inputs at the edges of JSON and of the event's shape. They are compared with encoding/json
// by name here, and are the seeds of FuzzKafka.
func oddEvents() map[string]string {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	return map[string]string{
		"sample":                            string(must(event.Sample(event.KindKafka))),
		"no payload":                        ``,
		"only white space":                  " \n",
		"null":                              `null`,
		"an empty object":                   `{}`,
		"an array":                          `[]`,
		"a string":                          `"Records"`,
		"a byte order mark":                 "\xef\xbb\xbf{}",
		"no records":                        `{"Records":[]}`,
		"null records":                      `{"Records":null}`,
		"records as an object":              `{"Records":{}}`,
		"null record":                       `{"Records":[null]}`,
		"record as a number":                `{"Records":[1]}`,
		"null message":                      `{"Records":[{"Ckafka":null}]}`,
		"message as a string":               `{"Records":[{"Ckafka":"x"}]}`,
		"white space everywhere":            " {\t\"Records\" :\r\n[ { \"Ckafka\" : { \"topic\" : \"t\" , \"partition\" : 0 , \"offset\" : 1 } } ] } \n",
		"a form feed between tokens":        "{\f\"Records\":[]}",
		"trailing data":                     `{"Records":[]} x`,
		"two events":                        `{"Records":[]}{"Records":[]}`,
		"a trailing zero byte":              "{\"Records\":[]}\x00",
		"a trailing comma in the list":      `{"Records":[{"Ckafka":{"topic":"t","partition":1,"offset":2}},]}`,
		"a trailing comma in the record":    one(`"msgKey":"k",`),
		"a missing comma":                   `{"Records":[{"Ckafka":{"topic":"t""partition":1}}]}`,
		"a missing colon":                   `{"Records" []}`,
		"a missing value":                   one(`"msgKey":`),
		"a name without quotes":             `{Records:[]}`,
		"a name cut off":                    `{"Recor`,
		"an event cut off in a body":        `{"Records":[{"Ckafka":{"topic":"t","partition":1,"offset":2,"msgBody":"abc`,
		"an event cut off in an escape":     `{"Records":[{"Ckafka":{"topic":"t","partition":1,"offset":2,"msgBody":"abc\`,
		"an event cut off in hex digits":    `{"Records":[{"Ckafka":{"topic":"t","partition":1,"offset":2,"msgBody":"abc\u00`,
		"an event cut off in a pair":        `{"Records":[{"Ckafka":{"topic":"t","partition":1,"offset":2,"msgBody":"abc\ud83d\u`,
		"Partition in upper case":           `{"Records":[{"Ckafka":{"topic":"t","Partition":5,"offset":1}}]}`,
		"every name in another case":        `{"rECORDS":[{"cKAFKA":{"TOPIC":"t","PARTITION":5,"OFFSET":1,"MSGKEY":"k","msgbody":"b"}}]}`,
		"names with the Kelvin and long s":  "{\"Record\u017f\":[{\"C\u212aaf\u212aa\":{\"topic\":\"t\",\"partition\":1,\"off\u017fet\":2,\"m\u017fg\u212aey\":\"k\"}}]}",
		"escaped names":                     `{"\u0052ecords":[{"Ck\u0061fka":{"\u0074opic":"t","partition":1,"offset":2}}]}`,
		"a name that is not UTF-8":          "{\"Records\":[],\"\xff\":1}",
		"partition and Partition":           one(`"Partition":9`),
		"duplicate fields":                  one(`"topic":"u","offset":7,"msgKey":"a","msgKey":"b"`),
		"duplicate fields with null":        one(`"topic":null,"offset":null,"partition":null,"msgKey":"a","msgKey":null,"msgBody":null,"msgBody":"b"`),
		"duplicate messages merge":          `{"Records":[{"Ckafka":{"topic":"t","partition":1},"Ckafka":{"offset":2}}]}`,
		"duplicate lists merge":             `{"Records":[{"Ckafka":{"topic":"t","partition":1}}],"Records":[{"Ckafka":{"offset":2}}]}`,
		"a shorter list comes second":       `{"Records":[{"Ckafka":{"topic":"a","partition":1,"offset":1}},{}],"Records":[{"Ckafka":{"offset":2}}]}`,
		"a longer list sees a cut one":      `{"Records":[{"Ckafka":{"topic":"a","partition":1,"offset":1}},{"Ckafka":{"topic":"b","partition":1,"offset":1}}],"Records":[{}],"Records":[{},{"Ckafka":{"offset":9}}]}`,
		"an empty list forgets the first":   `{"Records":[{"Ckafka":{"topic":"a","partition":1,"offset":1}}],"Records":[],"Records":[{"Ckafka":{"offset":2}}]}`,
		"a null list forgets the first":     `{"Records":[{"Ckafka":{"topic":"a","partition":1,"offset":1}}],"Records":null,"Records":[{"Ckafka":{"offset":2}}]}`,
		"the last list is null":             `{"Records":[{"Ckafka":{"topic":"a","partition":1,"offset":1}}],"Records":null}`,
		"unknown fields":                    `{"v":[1,-2.5e+3,{"a":null,"b":[true,false]}],"Records":[{"x":"\u00e9","Ckafka":{"headers":[{"k":"v"}],"topic":"t","partition":1,"offset":2}}],"z":"\ud800"}`,
		"an unknown field with a bad value": one(`"x":[1,]`),
		"an unknown field with a bad text":  one("\"x\":\"a\nb\""),
		"an unknown bad literal":            one(`"x":nul`),
		"an unknown bad number":             one(`"x":01`),
		"a literal with more behind it":     one(`"x":truex`),
		"nesting as deep as it may be":      one(`"x":` + deep(9996)),
		"nesting too deep":                  one(`"x":` + deep(9997)),
		"nesting without end":               strings.Repeat(`{"a":[`, 20000),
		"key null":                          one(`"msgKey":null`),
		"key empty":                         one(`"msgKey":""`),
		"key None":                          one(`"msgKey":"None"`),
		"key as a number":                   one(`"msgKey":1`),
		"body as an object":                 one(`"msgBody":{}`),
		"body as a bool":                    one(`"msgBody":true`),
		"body as a wrong literal":           one(`"msgBody":nil`),
		"every simple escape":               one(`"msgBody":"\"\\\/\b\f\n\r\t"`),
		"an escape that JSON has not":       one(`"msgBody":"\'"`),
		"escapes in hex":                    one(`"msgBody":"\u0000\u001f\u0041\u00e9\u4e2d\uFFFD\uffff"`),
		"a bad hex digit":                   one(`"msgBody":"\u00g0"`),
		"a surrogate pair":                  one(`"msgBody":"\ud83d\ude00"`),
		"a lone high surrogate":             one(`"msgBody":"\ud83d"`),
		"a lone high surrogate before text": one(`"msgBody":"\ud83dabc"`),
		"a lone low surrogate":              one(`"msgBody":"\ude00x"`),
		"two high surrogates":               one(`"msgBody":"\ud83d\ud83d\ude00"`),
		"a high surrogate before an escape": one(`"msgBody":"\ud83d\n\ud83d\u0041"`),
		"a pair with a bad hex digit":       one(`"msgBody":"\ud83d\udg00"`),
		"a control character":               one("\"msgBody\":\"a\x1fb\""),
		"a control character after escapes": one("\"msgBody\":\"\\n-------------\x01\""),
		"a delete character":                one("\"msgBody\":\"a\x7fb\""),
		"text in CJK":                       one(`"msgBody":"云函数把记录写到另一个集群，一条不少。"`),
		"text of one to four bytes":         one(`"msgBody":"aé中😀aé中😀aé中😀"`),
		"CJK with escapes":                  one(`"msgBody":"云\n函数\"把\"记录，\\一条不少。一条不少。一条不少。"`),
		"invalid UTF-8":                     one("\"msgBody\":\"a\xff\xc3(\xe4\xb8\xf0\x9f\x98z\""),
		"overlong forms":                    one("\"msgBody\":\"\xc0\x80 \xe0\x80\x80\xe0\x9f\xbf \xf0\x80\x80\x80\""),
		"surrogates in UTF-8":               one("\"msgBody\":\"\xe4\xb8\xad\xed\xa0\x80\xed\x9f\xbf\xee\x80\x80\xed\xa0\x80\xe4\xb8\xad\""),
		"a character beyond Unicode":        one("\"msgBody\":\"\xf4\x90\x80\x80\xf4\x8f\xbf\xbf\""),
		"many invalid bytes":                one("\"msgBody\":\"" + strings.Repeat("\xff", 9000) + "\""),
		"an invalid byte at the very end":   "{\"Records\":[],\"\xe4\xb8",
		"a long text with escapes":          one(`"msgBody":"` + strings.Repeat(`0123456789\n`, 300000) + `"`),
		"many texts with escapes":           one(strings.Repeat(`"msgKey":"\u4e2d\n","msgBody":"`+strings.Repeat(`\"x\"`, 900)+`",`, 40) + `"x":0`),
		"minus zero":                        one(`"offset":-0`),
		"a number with a leading zero":      one(`"offset":01`),
		"a number with a leading plus":      one(`"offset":+1`),
		"only a minus":                      one(`"offset":-`),
		"a fraction":                        one(`"offset":1.0`),
		"an exponent":                       one(`"offset":1e2`),
		"a bad fraction":                    one(`"offset":1.`),
		"a bad exponent":                    one(`"offset":1e`),
		"the largest offset":                one(`"offset":9223372036854775807`),
		"an offset of 64 bits":              one(`"offset":9223372036854775808`),
		"the smallest offset":               one(`"offset":-9223372036854775808`),
		"an offset as a string":             one(`"offset":"1"`),
		"the largest partition":             one(`"partition":2147483647`),
		"a partition of 32 bits":            one(`"partition":2147483648`),
		"the smallest partition":            one(`"partition":-2147483648`),
		"an empty partition":                one(`"partition":""`),
		"a negative partition":              one(`"partition":-1`),
		"a negative offset":                 one(`"offset":-1`),
		"an empty topic":                    one(`"topic":""`),
		"a topic as a number":               one(`"topic":7`),
		"a topic with escapes":              one(`"topic":"\u4e2d\"x"`),
		"no topic":                          `{"Records":[{"Ckafka":{"partition":1,"offset":2}}]}`,
		"no partition":                      `{"Records":[{"Ckafka":{"topic":"t","offset":2}}]}`,
		"no offset":                         `{"Records":[{"Ckafka":{"topic":"t","partition":1}}]}`,
		"the event of another trigger":      string(must(event.Sample(event.KindTimer))),
		"a record of another trigger":       string(must(event.Sample(event.KindCOS))),
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

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

// TestKafkaDecodesRandomEventsAsEncodingJSON composes events from fragments that matter, which plain
// fuzzing of bytes takes long to find.
func TestKafkaDecodesRandomEventsAsEncodingJSON(t *testing.T) {
	t.Parallel()
	valid := 0
	for seed := range uint64(20000) {
		g := generator{rand.New(rand.NewPCG(seed, 1))}
		payload := []byte(g.event())
		if err := compare(payload); err != nil {
			t.Fatalf("seed %d: %v\n%q", seed, err, payload)
		}
		if _, ok := reference(payload); ok {
			valid++
		}
	}
	if valid < 2000 {
		t.Errorf("only %d of the events were valid: the test has lost its edge", valid)
	}
}

// generator composes events, most of them valid.
type generator struct{ *rand.Rand }

func (g generator) pick(from ...string) string { return from[g.IntN(len(from))] }

// rare is odd once in a while, and usual otherwise.
func (g generator) rare(odd, usual string) string {
	if g.IntN(60) == 0 {
		return odd
	}
	return usual
}

func (g generator) list(n int, item func() string) string {
	items := make([]string, n)
	for i := range items {
		items[i] = item()
	}
	return strings.Join(items, g.pick(",", " ,", ",\n"))
}

func (g generator) event() string {
	lists := 1
	if g.IntN(3) == 0 {
		lists += g.IntN(3)
	}
	records := g.list(lists, func() string {
		return g.pick(`"Records"`, `"Records"`, `"records"`) + ":" +
			g.rare("null", "["+g.list(g.IntN(4), g.record)+g.rare(",", "")+"]")
	})
	return g.pick("", " ", "\n") + "{" + records + g.rare(`,"v":`+g.value(3), "") + "}" + g.rare("x", "")
}

func (g generator) record() string {
	message := func() string {
		return `"Ckafka":` + g.rare("null", "{"+g.list(3+g.IntN(6), g.field)+"}")
	}
	base := `"Ckafka":{"topic":"t","partition":0,"offset":1}`
	if g.IntN(4) == 0 {
		base = g.pick(message(), `"x":`+g.value(2))
	}
	return g.rare("null", "{"+base+","+g.list(1+g.IntN(2), message)+"}")
}

func (g generator) field() string {
	switch g.IntN(6) {
	case 0:
		return g.pick(`"topic":`, `"topic":`, `"Topic":`) + g.rare(g.value(1), g.text())
	case 1:
		return g.pick(`"partition":`, `"Partition":`) + g.rare(g.value(1), g.pick("0", "3", "2147483647", "null"))
	case 2:
		return g.pick(`"offset":`, `"OFFSET":`) + g.rare(g.value(1), g.pick("0", "12345", "9007199254740993", "null"))
	case 3:
		return `"msgKey":` + g.rare(g.value(1), g.pick("null", `""`, `"None"`, g.text()))
	case 4:
		return `"msgBody":` + g.rare(g.value(1), g.pick("null", g.text(), g.text()))
	}
	return g.text() + ":" + g.value(2)
}

func (g generator) value(depth int) string {
	if depth > 0 && g.IntN(3) == 0 {
		inner := func() string { return g.value(depth - 1) }
		if g.IntN(2) == 0 {
			return "[" + g.list(g.IntN(3), inner) + "]"
		}
		return "{" + g.list(g.IntN(3), func() string { return g.text() + ":" + inner() }) + "}"
	}
	return g.pick("null", "true", "false", "0", "-1", "-0.5e-3", "1E+9", g.text(), g.rare("01", "1"), g.rare("nul", "2"))
}

func (g generator) text() string {
	var s strings.Builder
	for range g.IntN(12) {
		s.WriteString(g.pick(
			"a", "0123456789abcdef", " ", "é", "中", "中文字符中文字符", "😀", "\u2028", "\ufffd",
			`\"`, `\\`, `\/`, `\n`, `\u0041`, `\u4e2d`, `\ud83d\ude00`, `\ud83d`, `\ude00`, `\u0000`,
			g.rare("\xff", "x"), g.rare("\xe4\xb8", "y"), g.rare("\xed\xa0\x80", "z"), g.rare(`\x`, ""), g.rare("\x01", ""),
		))
	}
	return `"` + s.String() + `"`
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
		{"a record that is no object", two(`[]`), `[]]`, 1, "", "want an object, not an array"},
		{"a missing bracket", `{"Records":[` + good + `}`, "", -1, "Records", "unexpected character '}', want ',' or ']'"},
		{"an early end", `{"Records":[` + good, "", -1, "Records", "unexpected end of the payload, want ',' or ']'"},
		{"an early end in a text", two(`{"Ckafka":{"msgBody":"abc`), "", 1, "msgBody", `unexpected end of the payload, want '"'`},
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
	payload := []byte(one(`"msgKey":"k","x":"\n","msgBody":"b\n","msgKey":"\tk"`))
	var k event.Kafka
	if err := k.UnmarshalJSON(payload); err != nil {
		t.Fatal(err)
	}
	r := k.Records[0]
	before := string(payload)
	_ = append(r.Key, "overflow"...)
	_ = append(r.Body, "overflow"...)
	if string(r.Key) != "\tk" || string(r.Body) != "b\n" || string(payload) != before {
		t.Errorf("an append to one text changed another: key %q, body %q", r.Key, r.Body)
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
	for name, payload := range map[string]string{
		// the guess of how many records follow must not be taken from the small ones alone
		"small records before a large one": `{"Records":[` + strings.Repeat(record, 10) + one(`"msgBody":"` + large + `"`)[12:],
		"one escape in a large event":      one(`"msgKey":"\n","msgBody":"` + large + `"`),
		"empty records without end":        `{"Records":[{},{},` + strings.Repeat(" ", 5<<20),
	} {
		data := []byte(payload)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var k event.Kafka
		_ = k.UnmarshalJSON(data)
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > uint64(len(data)/2) {
			t.Errorf("%s: decoding %d bytes allocates %d", name, len(data), got)
		}
	}
}
