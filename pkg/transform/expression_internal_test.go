package transform

import (
	"fmt"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// conditions are what the fast form takes, and what it leaves to the library.
func conditions() []string {
	return []string{
		`a == "x"`, `a != "x"`, `"x" == a`, `a == 1`, `a == 1.0`, `a == -1`, `1 < a`, `a <= 1`, `a > 1.5`, `a >= "x"`, `a < "b"`, `"b" >= a`,
		`a == true`, `a == nil`, `a != nil`, `a`, `not a`, `!a`, `a == 1 and b == 2`, `a == 1 && b > 2`, `a == 1 or b`, `a || b`, `a and b`,
		`a in ["x", 1, nil, 2.5, true]`, `a not in [1, 2]`, `a contains "x"`, `a startsWith "x"`, `a endsWith "x"`, `a matches "^x+$"`,
		`not (a contains "é")`, `u.v == 1`, `u?.v == 1`, `u["v"] == 1`, `$env["a"] == "x"`, `true`, `false or a == "x"`, `a == 9007199254740993`,
		`record.topic == "t"`, `record.offset > 5 and record.partition == 0`, `record.headers.h == "v"`, `record.headers["h"] == "v"`,
		`record.key == nil`,
		`record.timestamp >= 0`, `u.v.w == nil`, `a == ""`,
		`len(a) > 0`, `a + 1 == 2`, `any(l, # == 1)`, `let x = a; x == "x"`, `(a ?? "x") == "x"`, `u == {"v": 1}`, `a == b`, `1 == 1`,
		`a ? true : false`,
	}
}

func values() []string {
	return []string{`"x"`, `"xx"`, `"\u0078"`, `"é"`, `""`, `1`, `1.0`, `-1`, `2.5`, `1e0`, `9007199254740993`, `9007199254740992`, `1e999`,
		`123456789012345678901234567890`, `true`, `false`, `null`, `{"v":1}`, `[1]`, `{}`}
}

// documents are the fields of the conditions with every value, and without.
func documents() []string {
	out := []string{`{}`, `{"u":{"v":1}}`, `{"u":{"v":{"w":1}},"l":[1,2]}`, `{"u.v":1}`, `{"u":"x"}`}
	for _, v := range values() {
		out = append(out, `{"a":`+v+`}`, `{"a":1,"b":`+v+`}`, `{"b":2,"a":`+v+`}`)
	}
	return out
}

func TestExpression(t *testing.T) {
	t.Parallel()
	fast := 0
	for _, source := range conditions() {
		rules, err := Load("r.yaml", fmt.Appendf(nil, "rules:\n- parse: json\n- filter: %q\n", source), Options{})
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		e := rules.rules[1].rule.(*filterRule).condition
		if e.fast == nil {
			continue
		}
		fast++
		t.Run("the fast form has the result of the library: "+source, func(t *testing.T) {
			t.Parallel()
			slow := *e
			slow.fast = nil
			quick, library := e.start(), slow.start()
			for _, text := range documents() {
				s := &state{timestamp: 7}
				s.in = Record{Topic: "t", Record: batch.Record{Offset: 9, Headers: []batch.Header{{Key: "h", Value: []byte("v")}}}}
				if err := (jsonFormat{}).parse([]byte(text), &s.doc); err != nil {
					t.Fatal(err)
				}
				got, gotErr := quick.truth(s)
				want, wantErr := library.truth(s)
				if got != want && wantErr == nil || (gotErr == nil) != (wantErr == nil) {
					t.Errorf("%s on %s: got %v, %v, want %v, %v", source, text, got, gotErr, want, wantErr)
				}
			}
		})
	}
	t.Run("comparisons are fast", func(t *testing.T) {
		t.Parallel()
		if fast < 42 {
			t.Errorf("only %d are", fast)
		}
	})
}
