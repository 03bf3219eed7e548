package transform_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/transform"
)

func TestLoad(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, rules, want string }{
		{"an unknown setting", "rules:\n- parse: json\n- fitler: a == 1\n", `r.yaml:3:3: a rule has no setting "fitler": did you mean "filter"?`},
		{"an unknown setting of a rule", "rules:\n- parse: {format: json, feild: a}\n",
			`r.yaml:2:25: parse has no setting "feild": did you mean "field"?`},
		{"a format that is not", "rules:\n- parse: jsno\n", `r.yaml:2:10: format "jsno" is not one of: json, combined`},
		{"a setting of another format", "rules:\n- parse: {format: json, pattern: x}\n",
			`r.yaml:2:34: pattern is not a setting of the format json, only of [regexp grok]`},
		{"a field that cannot be there", "rules:\n- parse: combined\n- drop: clinet\n",
			`r.yaml:3:9: there is no field "clinet" at this point: did you mean "client"?`},
		{"a field that an earlier rule has removed", "rules:\n- parse: combined\n- drop: client\n- mask: {fields: [client], find: [ip]}\n",
			`r.yaml:4:19: there is no field "client" at this point`},
		{"a field that a keep rule has removed", "rules:\n- parse: json\n- keep: [a]\n- drop: b\n",
			`r.yaml:4:9: there is no field "b" at this point`},
		{"an unknown field of an expression", "rules:\n- parse: combined\n- filter: status < 500 && methud == 'GET'\n",
			`r.yaml:3:27: there is no field "methud" at this point: did you mean "method"?`},
		{"types that do not fit", "rules:\n- parse: combined\n- filter: 'status == \"500\"'\n",
			`r.yaml:3:19: the expression: invalid operation: == (mismatched types int and string)`},
		{"a condition that is no condition", "rules:\n- parse: json\n- filter: '1 + 1'\n",
			`r.yaml:3:11: the expression: expected bool, but got int`},
		{"syntax of an expression", "rules:\n- parse: json\n- filter: a ==\n", `r.yaml:3:14: the expression: unexpected token EOF`},
		{"an unknown property of the record", "rules:\n- parse: json\n- filter: record.ofset > 1\n",
			`r.yaml:3:11: a record has no "ofset": did you mean "offset"?`},
		{"a clock", "rules:\n- parse: json\n- filter: now() > date(a)\n", `unknown name now`},
		{"a regular expression that is none", "rules:\n- parse: {format: regexp, pattern: '(?P<a>'}\n",
			"r.yaml:2:36: the pattern: missing closing ): `(?P<a>`"},
		{"a pattern without fields", "rules:\n- parse: {format: regexp, pattern: 'x'}\n", "the pattern makes no fields: name its groups"},
		{"an unknown grok pattern", "rules:\n- parse: {format: grok, pattern: '%{IPORHOTS:a}'}\n",
			`r.yaml:2:34: the grok pattern IPORHOTS is unknown: did you mean "IPORHOST"?`},
		{"a grok pattern in a circle", "patterns: {A: '%{B}', B: '%{A}'}\nrules:\n- parse: {format: grok, pattern: '%{A:a}'}\n",
			"a grok pattern refers to itself"},
		{"a key that is not set", "rules:\n- parse: json\n- mask: {fields: [a], hash: NO_KEY}\n", "r.yaml:3:29: the key NO_KEY is not set"},
		{"a kind of data that is not", "rules:\n- parse: json\n- mask: {fields: [a], find: [e-mail]}\n",
			`r.yaml:3:30: "e-mail" is no kind of personal data: did you mean "email"?`},
		{"all of everything", "rules:\n- parse: json\n- mask: {fields: all}\n", "to mask all of all fields leaves nothing"},
		{"two windows", "rules:\n- parse: json\n- deduplicate: {by: [a], window: 1m, records: 3}\n",
			"deduplicate needs one of window and records"},
		{"a length of time that is none", "rules:\n- parse: json\n- deduplicate: {by: [a], window: 10}\n",
			"r.yaml:3:34: window is no length of time"},
		{"a time zone that is none", "rules:\n- parse: json\n- timestamp: {field: a, zone: Bejing}\n", `r.yaml:3:31: "Bejing" is no time zone`},
		{"a layout that is none", "rules:\n- parse: json\n- timestamp: {field: a, layouts: [rfc339]}\n", `did you mean "rfc3339"?`},
		{"a name that is no topic", "output: {format: raw, topic: 'a b'}\n", `r.yaml:1:30: "a b" is no name of a topic`},
		{"an output without fields", "output: {format: json}\n", "there are no fields to write as json"},
		{"csv without columns", "rules:\n- parse: json\noutput: {format: csv}\n", "csv needs the columns in their order"},
		{"two rules in one", "rules:\n- parse: json\n  drop: a\n",
			"r.yaml:3:3: a rule does one thing: parse and drop are two: begin a new rule with -"},
		{"another version", "version: 2\nrules:\n- parse: json\n", "r.yaml:1:10: this program reads version 1 of the format only"},
		{"a setting twice", "rules:\n- parse: {format: json, format: csv}\n", `parse has "format" twice`},
		{"a type that is none", "rules:\n- parse: {format: logfmt, types: {a: flot}}\n", `"flot" is no type: did you mean "float"?`},
		{"no YAML", "rules: [", "r.yaml:1:8: is not YAML"}, {"nothing", "", "r.yaml:1:1: is empty"}, {"no mapping", "- 1",
			"the file has to be a mapping"},
		{"nesting without end", strings.Repeat("[", 10_000), "is nested deeper"}, {"dashes without end", strings.Repeat("- ", 10_000),
			"is nested deeper"},
	} {
		t.Run(c.name+" is a fault with its place", func(t *testing.T) {
			t.Parallel()
			_, err := transform.Load("r.yaml", []byte(c.rules), options())
			var faults *transform.RulesError
			if !errors.As(err, &faults) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
	t.Run("all faults come at once, in the order of the file", func(t *testing.T) {
		t.Parallel()
		_, err := transform.Load("r.yaml",
			[]byte("version: 3\nrules:\n- parse: combined\n- drop: x\n- filter: y == 1\noutput: {topic: ''}\n"), options())
		var faults *transform.RulesError
		if !errors.As(err, &faults) || len(faults.Faults) != 4 {
			t.Fatalf("%v", err)
		}
		for i, line := range []int{1, 4, 5, 6} {
			if faults.Faults[i].Pos.Line != line {
				t.Errorf("%v", err)
			}
		}
	})
	t.Run("a key is asked for by the name of its variable, and is no part of an error", func(t *testing.T) {
		t.Parallel()
		short := transform.Options{Secret: func(string) (string, bool) { return "hunter2", true }}
		_, err := transform.Load("r.yaml", []byte("rules:\n- parse: json\n- mask: {fields: [a], hash: K}\n"), short)
		if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "K is too short") {
			t.Error(err)
		}
	})
	t.Run("the example loads and does what it says", func(t *testing.T) {
		t.Parallel()
		rules, err := os.ReadFile("testdata/rules.yaml")
		if err != nil {
			t.Fatal(err)
		}
		in := `203.0.113.9 - alice [02/Jan/2026:15:04:05 +0800] "GET /orders?phone=13800138000 HTTP/1.1" 503 17 "-" "curl/8.5.0"`
		out, err := outcome(t, string(rules), record(in))
		if err != nil {
			t.Fatal(err)
		}
		want := `{"client":"203.0.113.0","user":"` + pseudonym("alice") + `","method":"GET","path":"/orders?phone=138****8000","pro` +
			`tocol":"HTTP/1.1",` +
			`"status":503,"bytes":17,"agent":"curl/8.5.0","@timestamp":"2026-01-02T07:04:05.000Z","source":"in/3/40","class":"5xx"}`
		if got := string(out[0].Value); got != want || out[0].Topic != "log-errors" || string(out[0].Key) != "203.0.113.0" {
			t.Errorf("got  %s to %s\nwant %s", got, out[0].Topic, want)
		}
	})
}
