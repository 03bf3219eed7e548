package rawjson_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/scf-etl/scf-etl/internal/rawjson"
)

func TestObject(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"an empty object":             `{}`,
		"white space anywhere":        " { \"a\" : [ 1 , 2 ] , \"b\" : { } } \n",
		"every kind of value":         `{"a":"x","b":-1.5e+3,"c":true,"d":false,"e":null,"f":[],"g":{"h":[{}]}}`,
		"escapes and characters":      `{"\u00e9\"\\":"\ud83d\ude00 世界 \ud800"}`,
		"a number beyond any machine": `{"n":123456789012345678901234567890.123456789e999}`,
		"deep, but not too deep":      `{"a":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `}`,
	} {
		t.Run("takes "+name, func(t *testing.T) {
			t.Parallel()
			if _, err := rawjson.Object([]byte(text), nil); err != nil {
				t.Error(err)
			}
		})
	}
	for name, text := range map[string]string{
		"nothing": "", "an array": "[1]", "a cut text": `{"a":"b`, "a cut escape": `{"a":"\u00`, "two objects": "{}{}",
		"a comma too many": `{"a":1,}`, "a leading zero": `{"a":01}`, "a plus": `{"a":+1}`, "a bare dot": `{"a":1.}`,
		"a control character": "{\"a\":\"\x01\"}", "wrong encoding": "{\"a\":\"\xb0\xa1\"}", "no colon": `{"a" 1}`,
		"a single quote": `{'a':1}`, "nesting without end": `{"a":` + strings.Repeat("[", 100_000), "NaN": `{"a":NaN}`,
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			t.Parallel()
			if _, err := rawjson.Object([]byte(text), nil); err == nil {
				t.Error("taken")
			}
		})
	}
}

func TestPut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, object, path, value, want string }{
		{"replaces a member in its place", `{"a":1,"b":2,"c":3}`, "b", `"x"`, `{"a":1,"b":"x","c":3}`},
		{"reaches into objects", `{"u":{"m":"a@b","n":1}}`, "u.m", `"*"`, `{"u":{"m":"*","n":1}}`},
		{"adds what is missing", `{}`, "a.b", `1`, `{"a":{"b":1}}`},
		{"removes", `{"a":1,"b":{"c":1}}`, "b.c", ``, `{"a":1,"b":{}}`},
		{"leaves no second member of the name", `{"a":1,"\u0061":2,"b":1}`, "a", `3`, `{"\u0061":3,"b":1}`},
		{"removes every member of the name", `{"a":1,"b":1,"a":2}`, "a", ``, `{"b":1}`},
		{"does not reach into a number to remove", `{"a":1}`, "a.b", ``, `{"a":1}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var value []byte
			if c.value != "" {
				value = []byte(c.value)
			}
			got := rawjson.Put(nil, []byte(c.object), strings.Split(c.path, "."), value)
			if string(got) != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// FuzzJSON holds the scanner against encoding/json: what it takes is JSON, with
// the same strings; what it refuses is not JSON, or not UTF-8, or deeper.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{"a":"x","b":-1.5e+3,"c":[true,false,null,{"d":{}}]}`, `{"\u00e9\"":"\ud83d\ude00\ud800x"}`, `{"a":1}x`, `{"a`, ` {} `, "{\"\xff\":1}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		members, err := rawjson.Object(text, nil)
		isObject := json.Valid(text) && bytes.TrimLeft(text, " \t\r\n")[0] == '{'
		if err != nil {
			if isObject && utf8.Valid(text) && bytes.Count(text, []byte("["))+bytes.Count(text, []byte("{")) < rawjson.MaxDepth {
				t.Fatalf("%q is JSON, got %v", text, err)
			}
			return
		}
		if !isObject {
			t.Fatalf("%q is taken", text)
		}
		for _, m := range members {
			var want string
			if err := json.Unmarshal(m.Key, &want); err != nil {
				t.Fatal(err)
			}
			if got := rawjson.Decode(nil, m.Key); string(got) != want {
				t.Fatalf("%s is %q, want %q", m.Key, got, want)
			}
			again, clean := rawjson.AppendString(nil, []byte(want))
			var back string
			if err := json.Unmarshal(again, &back); err != nil || back != want || !clean {
				t.Fatalf("%q was written as %s", want, again)
			}
			path := []string{want, "x"}
			put := rawjson.Put(nil, bytes.TrimSpace(text), path, []byte("1"))
			if got, at, _ := rawjson.Get(put, path); string(got) != string(put[at:at+len(got)]) || string(got) != "1" || !json.Valid(put) {
				t.Fatalf("%s has %s at %q", put, got, path)
			}
		}
	})
}

func BenchmarkObject(b *testing.B) {
	text := []byte(`{"time":"2026-01-02T03:04:05.678Z","level":"info","service":"checkout","user":{"id":12345,"email":"someone@e` +
		`xample.com"},` +
		`"message":"order placed","latency_ms":12.75,"ok":true,"tags":["a","b"]}`)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	var members []rawjson.Member
	for b.Loop() {
		var err error
		if members, err = rawjson.Object(text, members[:0]); err != nil {
			b.Fatal(err)
		}
	}
}
