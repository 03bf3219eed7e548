package transform_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/transform"
)

func TestOutput(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, rules, in, want string }{
		{"raw is the value as it came", "output: {format: raw}", "any\x00thing\xff", "any\x00thing\xff"},
		{"raw of a field", "rules: [{parse: json}]\noutput: {format: raw, field: m}", `{"m":"a\nb"}`, "a\nb"},
		{"raw of an empty value is empty, and no tombstone", "output: {format: raw}", "", ""},
		{"logfmt", "rules: [{parse: json}]\noutput: {format: logfmt}", `{"a":"x","b c":"y z","d":1,"e":null,"f":{"g":"h"},"i":""}`,
			`a=x b_c="y z" d=1 e= f="{\"g\":\"h\"}" i=""`},
		{"csv", "rules: [{parse: json}]\noutput: {format: csv, columns: [b, a, u.m, z]}", `{"a":"x,y","b":"q\"r","u":{"m":1}}`,
			`"q""r","x,y",1,`},
		{"csv with another separator", "rules: [{parse: json}]\noutput: {format: csv, columns: [a, b], separator: ';'}",
			`{"a":"x,y","b":";"}`, `x,y;";"`},
		{"bytes that are no text are replaced where that is asked for", "rules: [{parse: logfmt}]\noutput: {invalid_utf8: replace}",
			"a=\xff b=1", `{"a":"` + "\uFFFD" + `","b":"1"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := value(t, c.rules, c.in); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	t.Run("bytes that are no text are an error elsewhere, also as a name and inside of an object", func(t *testing.T) {
		t.Parallel()
		for rules, in := range map[string]string{
			"rules: [{parse: logfmt}]": "a=\xff", "rules: [{parse: logfmt}, {drop: x}]": "\xff=a",
			"rules: [{parse: json}, {set: {u.k: {from: headers.bad}}}]": `{"u":{}}`,
		} {
			r := record(in)
			r.Headers = append(slices.Clone(r.Headers), r.Headers[0])
			r.Headers[1].Key, r.Headers[1].Value = "bad", []byte("\xfe")
			if _, err := outcome(t, rules, r); !errors.Is(err, transform.ErrEncode) {
				t.Errorf("%s: %v", rules, err)
			}
		}
	})
	t.Run("key, headers, time and offset go with the record", func(t *testing.T) {
		t.Parallel()
		out, err := outcome(t, "rules: [{parse: json}]\noutput: {topic: clean}", record(`{"a":1}`))
		if err != nil {
			t.Fatal(err)
		}
		o := out[0]
		if o.Topic != "clean" || string(o.Key) != "k" || len(o.Headers) != 1 || o.Timestamp != 1_700_000_000_000 || o.Offset != 40 {
			t.Errorf("%+v", o)
		}
	})
	for _, c := range []struct {
		name, key, want string
		null            bool
	}{
		{"a field", "{field: u.id}", "7", false}, {"an expression", `{expr: 'record.topic + "/" + string(u.id)'}`, "in/7", false},
		{"none", "none", "", true}, {"a null", "{expr: nil}", "", true},
	} {
		t.Run("the key can be "+c.name, func(t *testing.T) {
			t.Parallel()
			out, err := outcome(t, "rules: [{parse: json}]\noutput: {headers: drop, key: "+c.key+"}", record(`{"u":{"id":7}}`))
			if err != nil || string(out[0].Key) != c.want || (out[0].Key == nil) != c.null || out[0].Headers != nil {
				t.Errorf("%v, %v", out, err)
			}
		})
	}
	t.Run("a key that is not there is an error", func(t *testing.T) {
		t.Parallel()
		if _, err := outcome(t, "rules: [{parse: json}]\noutput: {key: {field: x}}", record(`{}`)); !errors.Is(err, transform.ErrMissing) {
			t.Error(err)
		}
	})
}

func TestRoute(t *testing.T) {
	t.Parallel()
	const rules = `
rules: [{parse: json}]
output:
  topic: rest
  routes:
  - {when: status >= 500, topic: alarm, more: true}
  - {when: status >= 400, topic: errors}
  - {when: status >= 300, topic: moved}
`
	for in, want := range map[string]string{
		`{"status":200}`: "rest", `{"status":301}`: "moved", `{"status":404}`: "errors", `{"status":503}`: "alarm errors",
	} {
		t.Run("to the first topic whose condition holds, and on where it says more: "+in, func(t *testing.T) {
			t.Parallel()
			out, err := outcome(t, rules, record(in))
			if err != nil {
				t.Fatal(err)
			}
			var topics []string
			for _, o := range out {
				topics = append(topics, o.Topic)
			}
			if got := strings.Join(topics, " "); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestTombstone(t *testing.T) {
	t.Parallel()
	tombstone := record("")
	tombstone.Value = nil
	t.Run("fails where the rules do not say what it means", func(t *testing.T) {
		t.Parallel()
		if _, err := outcome(t, "rules: [{parse: json}]", tombstone); !errors.Is(err, transform.ErrTombstone) {
			t.Error(err)
		}
	})
	t.Run("passes as it is", func(t *testing.T) {
		t.Parallel()
		out, err := outcome(t, "rules: [{parse: json}]\noutput: {tombstones: pass, topic: x}", tombstone)
		if err != nil || len(out) != 1 || out[0].Value != nil || string(out[0].Key) != "k" || out[0].Topic != "x" {
			t.Errorf("%v, %v", out, err)
		}
	})
	t.Run("is left out", func(t *testing.T) {
		t.Parallel()
		out, err := outcome(t, "rules: [{parse: json}]\noutput: {tombstones: drop}", tombstone)
		if err != nil || len(out) != 0 {
			t.Errorf("%v, %v", out, err)
		}
	})
}

func TestEmit(t *testing.T) {
	t.Parallel()
	t.Run("a record whose emit failed is not counted, and comes again", func(t *testing.T) {
		t.Parallel()
		tr := load(t, "rules: [{parse: json}, {deduplicate: {by: [a], records: 10}}]").New()
		full := errors.New("full")
		if err := tr.Transform(record(`{"a":1}`), func(transform.Output) error { return full }); err != full {
			t.Error(err)
		}
		if got := tr.Counters(); got != (transform.Counters{}) {
			t.Errorf("%+v", got)
		}
		if err := tr.Transform(record(`{"a":1}`), func(transform.Output) error { return nil }); err != nil {
			t.Error(err)
		}
		if got := tr.Counters(); got.Passed != 1 || got.In != 1 {
			t.Errorf("%+v", got)
		}
	})
}

// TestAllocation is not parallel: others would allocate meanwhile.
func TestAllocation(t *testing.T) {
	for _, c := range []struct {
		name, rules string
		lines       []string
	}{
		{"combined", combinedRules("combined"), combinedLines(100)},
		{"regexp", combinedRules("{format: regexp, pattern: " + regexpLog + "}"), combinedLines(100)},
		{"grok", combinedRules("{format: grok, pattern: " + grokLog + "}"), combinedLines(100)},
		{"json", jsonRules, jsonLines(100)},
	} {
		t.Run("a warm transformer allocates nothing: "+c.name, func(t *testing.T) {
			tr := load(t, c.rules).New()
			var records []transform.Record
			for _, line := range c.lines {
				if r := record(line); !strings.Contains(line, "odd") { // the error of a line that does not match is allocated
					records = append(records, r)
				}
			}
			got := testing.AllocsPerRun(5, func() {
				for _, r := range records {
					if err := tr.Transform(r, func(transform.Output) error { return nil }); err != nil {
						t.Fatal(err)
					}
				}
			})
			if got > 0 {
				t.Errorf("%v allocations for %d records", got, len(records))
			}
		})
	}
}
