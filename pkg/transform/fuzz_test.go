package transform_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/transform"
	"github.com/scf-etl/scf-etl/pkg/transform/internal/sensitive"
)

// fuzzRules feeds values to rules: what comes out as JSON is JSON, and what does
// not come out is an error that says why.
func fuzzRules(f *testing.F, rules string, seeds ...string) {
	for _, seed := range append(seeds, broken()...) {
		if len(seed) < 1000 {
			f.Add([]byte(seed))
		}
	}
	r := load(f, rules)
	f.Fuzz(func(t *testing.T, value []byte) {
		tr := r.New()
		count := 0
		err := tr.Transform(record(string(value)), func(o transform.Output) error {
			count++
			if !json.Valid(o.Value) {
				t.Fatalf("%q became %q, which is not JSON", value, o.Value)
			}
			return nil
		})
		var permanent *transform.Error
		if err != nil && (!errors.As(err, &permanent) || permanent.Pos.Line == 0 || count > 0) {
			t.Fatalf("%q: %d records and %v", value, count, err)
		}
		if c := tr.Counters(); c.In != 1 || c.Passed+c.Failed+c.Filtered != 1 {
			t.Fatalf("%+v", c)
		}
	})
}

func FuzzJSON(f *testing.F) {
	fuzzRules(f, `
rules:
- parse: json
- filter: a != 1 or b.c in ["x", 2, nil]
- mask: {fields: all, find: [email, phone, id_card, bank_card, ip]}
- rename: {a: b.c, d: a}
- set: {n.m: {expr: "a ?? 'none'"}, topic: {from: topic}}
- drop: [b.c.d, x]
`, append(jsonLines(3), `{"a":{"d":1},"b":{"c":{"d":[1]}},"a":2}`, `{"b":{"c":"x"},"d":1e400,"":0}`)...)
}

func FuzzCombined(f *testing.F) {
	fuzzRules(f, `
rules:
- parse: combined
- timestamp: {field: time, into: at}
- mask: {fields: [client], find: [ip]}
output: {invalid_utf8: replace}
`, combinedLines(5)...)
}

func FuzzSyslog(f *testing.F) {
	fuzzRules(f, `
rules:
- parse: syslog
- timestamp: {field: time, failure: keep, into: at}
`, syslogLines()...)
}

func FuzzLogfmt(f *testing.F) {
	fuzzRules(f, "rules: [{parse: logfmt}]", `a=1 b="x y\n\u00e9" c d= level=info`, `a="\"" a=2`, `=1`, `a="b"c`, `a="`)
}

func FuzzKeyValue(f *testing.F) {
	fuzzRules(f, `rules: [{parse: {format: keyvalue, separator: ";", assign: ":"}}]`, `a:1; b : "x;\"y" ;c:`, `a`, `:1`, `a:"b"c`, `a:"`)
}

func FuzzCSV(f *testing.F) {
	for _, seed := range []string{`a,b,c`, `"a","b ""x""","c,d"`, `,,`, `a,b`, "\"a\nb\",,", `a"b,c,d`, "a\n,b,c"} {
		f.Add(seed)
	}
	rules := load(f, "rules: [{parse: {format: csv, columns: [a, b, c]}}]\noutput: {format: csv, columns: [a, b, c]}\n")
	f.Fuzz(func(t *testing.T, line string) {
		if strings.Contains(line, "\r") {
			t.Skip() // encoding/csv makes \n of \r\n inside of quotes; we keep what there is
		}
		reader := csv.NewReader(strings.NewReader(line))
		reader.FieldsPerRecord = 3
		want, wantErr := reader.Read()
		err := rules.New().Transform(record(line), func(o transform.Output) error {
			if wantErr != nil {
				return nil // it skips empty lines and reads one record of several: no error of ours
			}
			got, err := csv.NewReader(strings.NewReader(string(o.Value) + "\n")).Read()
			if len(strings.Join(want, "")) > 0 && (err != nil || !slices.Equal(got, want)) {
				t.Fatalf("%q became %q, want %q", line, got, want)
			}
			return nil
		})
		if err != nil && wantErr == nil && !strings.Contains(strings.TrimSuffix(line, "\n"), "\n") {
			t.Fatalf("%q: %v, encoding/csv has %q", line, err, want)
		}
	})
}

// FuzzGrok holds what a grok rule finds against regexp on the same expression.
func FuzzGrok(f *testing.F) {
	const grok = `%{WORD:method} (?:%{NUMBER:n}|%{QS:q}|%{DATA:d}) \[%{GREEDYDATA:rest}\](?: %{INT:i})?`
	same := regexp.MustCompile(`(?P<method>\b\w+\b) (?:(?P<n>(?:([+-]?(?:[0-9]+(?:\.[0-9]+)?)|\.[0-9]+)))|` +
		`(?P<q>"([^"\\]*(\\.[^"\\]*)*)"|\'([^\'\\]*(\\.[^\'\\]*)*)\')|(?P<d>.*?)) \[(?P<rest>.*)\](?: (?P<i>(?:[+-]?(?:[0-9]+))))?`)
	for _, seed := range []string{`GET 1.5 [x] -7`, `GET "a \" b" [x]y] z`, `世 a b [c]`, `x y [z`, "a\xff 1 [\n] 2", `a .5 [] `} {
		f.Add(seed)
	}
	rules := load(f, "rules: [{parse: {format: grok, pattern: '"+strings.ReplaceAll(grok, "'", "''")+"'}}]\noutput: {invalid_utf8: replace}\n")
	f.Fuzz(func(t *testing.T, line string) {
		text := strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		want := map[string]string{}
		match := same.FindStringSubmatch(text)
		for i, name := range same.SubexpNames() {
			if match != nil && name != "" && match[i] != "" {
				want[name] = strings.ToValidUTF8(match[i], "\uFFFD")
			}
		}
		err := rules.New().Transform(record(line), func(o transform.Output) error {
			got := map[string]string{}
			if err := json.Unmarshal(o.Value, &got); err != nil {
				t.Fatal(err)
			}
			for name, value := range got {
				if collapse(value) != collapse(want[name]) {
					t.Fatalf("%q: %s is %q, want %q", line, name, value, want[name])
				}
			}
			if len(got) != len(want) {
				t.Fatalf("%q: got %q, want %q", line, got, want)
			}
			return nil
		})
		if (err == nil) != (match != nil) {
			t.Fatalf("%q: %v, regexp has %q", line, err, match)
		}
	})
}

// collapse makes one of each run of replacements: ToValidUTF8 writes one a run.
func collapse(s string) string { return regexp.MustCompile("\uFFFD+").ReplaceAllString(s, "\uFFFD") }

// FuzzMask holds what becomes of a text deep inside of JSON, with escapes that JSON
// allows, against what becomes of the plain text; that one has a fuzz target of its
// own, which looks for what is left.
func FuzzMask(f *testing.F) {
	for _, seed := range []string{"13800138000", "a@b.cn \"11010519491231002X\"", "4111 1111 1111 1111\n", "\u4e16 10.0.0.9", "2001:db8::9"} {
		f.Add(seed, byte(3))
	}
	const every = sensitive.Email | sensitive.Phone | sensitive.IDCard | sensitive.BankCard | sensitive.IP
	rules := load(f, "rules: [{parse: json}, {mask: {fields: all, find: [email, phone, id_card, bank_card, ip]}}]")
	f.Fuzz(func(t *testing.T, text string, escape byte) {
		text = strings.ToValidUTF8(text, "?")
		want, found := sensitive.Cover{IPv4: 24, IPv6: 48}.All(nil, []byte(text), every)
		if !found {
			want = []byte(text)
		}
		raw, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		if i := bytes.IndexByte(raw, escape); i > 0 && escape >= '0' && escape <= 'z' && !bytes.Contains(raw, []byte("\\")) {
			raw = bytes.ReplaceAll(raw, []byte{escape}, fmt.Appendf(nil, "\\u%04x", escape))
		}
		in := `{"o":[{"m":` + string(raw) + `}],"m":` + string(raw) + `}`
		err = rules.New().Transform(record(in), func(o transform.Output) error {
			var got struct {
				O []struct{ M string }
				M string
			}
			if err := json.Unmarshal(o.Value, &got); err != nil || got.M != string(want) || got.O[0].M != string(want) {
				t.Fatalf("%s became %s, want %q: %v", in, o.Value, want, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzRules loads anything: a fault has a place, and what loads can run.
func FuzzRules(f *testing.F) {
	for _, seed := range []string{
		"rules: [{parse: json}]", "rules:\n- filter: a == 1\n", "output: {format: raw, key: {expr: 'record.topic'}}", "rules: [{set: {a: 1}}]",
		"rules:\n- parse: {format: grok, pattern: '%{WORD:a}', types: {a: int}}\n  when: record.offset > 3\n- deduplicate: {by: [a]" +
			", window: 1m}\n",
		"rules:\n- parse: combined\n- mask: {fields: all, find: [ip], hash: ETL_KEY}\n- rename: {client: c}\n- keep: [c, user]\n",
		"- - - -", "{[", "a: &b *b", "rules: [{timestamp: {field: x, layouts: [unix]}}]", "output: {routes: [{when: 'true', topic: t}]}",
	} {
		f.Add([]byte(seed), `{"a":1}`)
	}
	f.Fuzz(func(t *testing.T, rules []byte, value string) {
		r, err := transform.Load("rules.yaml", rules, options())
		if err != nil {
			var faults *transform.RulesError
			if !errors.As(err, &faults) || len(faults.Faults) == 0 || faults.Faults[0].Pos.Line < 1 || faults.Faults[0].Reason == "" {
				t.Fatalf("%q: %v", rules, err)
			}
			return
		}
		tr := r.New()
		_ = tr.Transform(record(value), func(transform.Output) error { return nil })
		checkSum(t, tr.Counters())
	})
}
