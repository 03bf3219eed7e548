package transform_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/transform"
)

func TestFields(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, rule, in, want string }{
		{"rename keeps the place", "rename: {a: z}", `{"a":1,"b":2}`, `{"z":1,"b":2}`},
		{"rename takes the place of what has the name", "rename: {b: a}", `{"a":1,"b":2}`, `{"a":2}`},
		{"rename to the same name changes nothing", "rename: {a: a}", `{"a":1,"b":2}`, `{"a":1,"b":2}`},
		{"rename out of an object", "rename: {u.id: id}", `{"u":{"id":1,"x":2}}`, `{"u":{"x":2},"id":1}`},
		{"rename of nothing does nothing", "rename: {x: y}", `{"a":1}`, `{"a":1}`},
		{"drop", "drop: [a, u.m]", `{"a":1,"u":{"m":1,"n":2},"b":[]}`, `{"u":{"n":2},"b":[]}`},
		{"drop of all leaves an object", "drop: a", `{"a":1}`, `{}`},
		{"keep", "keep: [b, u.m]", `{"a":1,"u":{"m":1,"n":2},"b":[]}`, `{"u":{"m":1},"b":[]}`},
		{"set of constants", `set: {s: x, n: 1.50, b: true, q: "1", z: null}`, `{}`, `{"s":"x","n":1.50,"b":true,"q":"1","z":null}`},
		{"set by an expression", `set: {n: {expr: "a + 1"}, l: {expr: "upper(s)"}, o: {expr: "{x: a}"}}`, `{"a":1,"s":"x"}`,
			`{"a":1,"s":"x","n":2,"l":"X","o":{"x":1}}`},
		{"set from the record",
			"set: {t: {from: topic}, p: {from: partition}, o: {from: offset}, at: {from: timestamp}, k: {from: key}, h: {from: headers.trace}}",
			`{}`, `{"t":"in","p":3,"o":40,"at":1700000000000,"k":"k","h":"t1"}`},
		{"set in an object", "set: {u.n: 2}", `{"u":{"m":1}}`, `{"u":{"m":1,"n":2}}`},
		{"set to nothing removes", "set: {a: {expr: nil}}", `{"a":1}`, `{}`},
		{"set replaces in place", "set: {a: 2}", `{"a":1,"b":1}`, `{"a":2,"b":1}`},
		{"when holds a rule back", "{when: a == 2, drop: a}", `{"a":1}`, `{"a":1}`},
		{"when lets a rule run", "{when: a == 1, drop: a}", `{"a":1}`, `{}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rule := c.rule
			if !strings.HasPrefix(rule, "{") {
				rule = "{" + rule + "}"
			}
			if got := value(t, "rules: [{parse: json}, "+rule+"]", c.in); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	t.Run("a thousand fields are found as one is, and renamed", func(t *testing.T) {
		t.Parallel()
		var in, want strings.Builder
		for i := range 1000 {
			in.WriteString(`,"f` + strings.Repeat("x", i) + `":1`)
			if i != 500 && i != 600 {
				want.WriteString(`,"f` + strings.Repeat("x", i) + `":1`)
			}
			if i == 600 {
				want.WriteString(`,"new":1`)
			}
		}
		rules := "rules:\n- parse: json\n- drop: f" + strings.Repeat("x", 500) + "\n- rename: {f" + strings.Repeat("x",
			600) + ": old}\n- rename: {old: new}\n"
		if got := value(t, rules, "{"+in.String()[1:]+"}"); got != "{"+want.String()[1:]+"}" {
			t.Errorf("got %.200s", got)
		}
	})
}

func TestMask(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, rule, in, want string }{
		{"an address in a field", "{fields: [c], find: [ip]}", `{"c":"203.0.113.9"}`, `{"c":"203.0.113.0"}`},
		{"an address with e-mail looked for too", "{fields: [c], find: [ip, email]}", `{"c":"203.0.113.9"}`, `{"c":"203.0.113.0"}`},
		{"a prefix of another length", "{fields: [c], find: [ip], keep_ipv4: 16}", `{"c":"203.0.113.9"}`, `{"c":"203.0.0.0"}`},
		{"what is found in text", "{fields: [m], find: [phone]}", `{"m":"tel 13800138000","n":"13800138000"}`,
			`{"m":"tel 138****8000","n":"13800138000"}`},
		{"a number becomes a text", "{fields: [p], find: [phone]}", `{"p":13800138000}`, `{"p":"138****8000"}`},
		{"escapes do not hide", "{fields: [p], find: [phone]}", `{"p":"\u0031380013800\u0030 \n"}`, `{"p":"138****8000 \n"}`},
		{"all fields, inside of objects and arrays, but no names", "{fields: all, find: [phone, email]}",
			`{"13800138000":[{"x":["a@b.cn",13800138000]}],"n":-1.5e3}`, `{"13800138000":[{"x":["a***@b.cn","138****8000"]}],"n":-1.5e3}`},
		{"a member of an object", "{fields: [u.m], find: [email]}", `{"u":{"m":"a@b.cn","n":1}}`, `{"u":{"m":"a***@b.cn","n":1}}`},
		{"a second member of the name does not stay", "{fields: [u.m], find: [email]}", `{"u":{"m":"x@b.cn","m":"a@b.cn"}}`,
			`{"u":{"m":"a***@b.cn"}}`},
		{"all of a value", "{fields: [p, q, r]}", `{"p":"secret","q":{"x":1},"r":null}`, `{"p":"***","q":"***","r":null}`},
		{"a pseudonym", "{fields: [p], hash: ETL_KEY}", `{"p":"alice"}`, `{"p":"` + pseudonym("alice") + `"}`},
		{"pseudonyms of what is found", "{fields: [p], find: [email], hash: ETL_KEY}", `{"p":"to a@b.cn!"}`,
			`{"p":"to ` + pseudonym("a@b.cn") + `!"}`},
		{"what is not there", "{fields: [p], find: [email]}", `{"q":1}`, `{"q":1}`},
		{"an empty text", "{fields: [p], find: [email]}", `{"p":""}`, `{"p":""}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := value(t, "rules: [{parse: json}, {mask: "+c.rule+"}]", c.in); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestFilter(t *testing.T) {
	t.Parallel()
	t.Run("what the condition does not hold for is counted and left out", func(t *testing.T) {
		t.Parallel()
		tr := load(t, "rules: [{parse: json}, {filter: 'level != \"debug\"'}]").New()
		out := 0
		for _, in := range []string{`{"level":"info"}`, `{"level":"debug"}`, `{}`, `x`} {
			_ = tr.Transform(record(in), func(transform.Output) error { out++; return nil })
		}
		want := transform.Counters{In: 4, Passed: 2, Filtered: 1, Failed: 1, Out: 2}
		if got := tr.Counters(); got != want || out != 2 {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
	t.Run("a condition without a result is a permanent error", func(t *testing.T) {
		t.Parallel()
		for _, filter := range []string{"a > 1", "a + 1 > 1", "a"} {
			_, err := outcome(t, "rules: [{parse: json}, {filter: "+filter+"}]", record(`{"a":"x"}`))
			if !errors.Is(err, transform.ErrExpression) {
				t.Errorf("%s: %v", filter, err)
			}
		}
	})
}

func TestTimestamp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, rule, in, want string }{
		{"RFC 3339", "at", `{"at":"2026-01-02T15:04:05.678+08:00"}`, "2026-01-02T07:04:05.678Z"},
		{"common log", "{field: at, layouts: common_log}", `{"at":"02/Jan/2026:15:04:05 -0130"}`, "2026-01-02T16:34:05.000Z"},
		{"without a zone", "{field: at, zone: Asia/Shanghai}", `{"at":"2026/01/02 15:04:05,5"}`, "2026-01-02T07:04:05.500Z"},
		{"syslog, in the year next to the record", "at", `{"at":"Dec 31 23:59:59"}`, "2023-12-31T23:59:59.000Z"},
		{"seconds", "{field: at, layouts: [unix]}", `{"at":1700000000.25}`, "2023-11-14T22:13:20.250Z"},
		{"milliseconds", "{field: at, layouts: [unix_ms]}", `{"at":"1700000000123"}`, "2023-11-14T22:13:20.123Z"},
		{"microseconds", "{field: at, layouts: [unix_us]}", `{"at":1700000000123456}`, "2023-11-14T22:13:20.123Z"},
		{"nanoseconds", "{field: at, layouts: [unix_ns]}", `{"at":1700000000123456789}`, "2023-11-14T22:13:20.123Z"},
		{"a layout of Go", `{field: at, layouts: ["Jan 2, 2006 at 3:04pm"]}`, `{"at":"Feb 3, 2013 at 7:54pm"}`, "2013-02-03T19:54:00.000Z"},
		{"the next layout where one does not fit", `{field: at, layouts: [unix, rfc3339]}`, `{"at":"2026-01-02T00:00:00Z"}`,
			"2026-01-02T00:00:00.000Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rule := c.rule
			if !strings.HasPrefix(rule, "{") {
				rule = "{field: " + rule + "}"
			}
			rules := "rules: [{parse: json}, {timestamp: " + strings.TrimSuffix(rule, "}") + ", into: t}}, {keep: t}]"
			if got := value(t, rules, c.in); got != `{"t":"`+c.want+`"}` {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	t.Run("the output has the event time", func(t *testing.T) {
		t.Parallel()
		out, err := outcome(t, "rules: [{parse: json}, {timestamp: at}]", record(`{"at":"2026-01-02T15:04:05.678Z"}`))
		if err != nil || out[0].Timestamp != 1767366245678 {
			t.Errorf("%v, %v", out, err)
		}
	})
	for _, at := range []string{`"2026-02-30T00:00:00Z"`, `"yesterday"`, `"2026-01-02T25:00:00Z"`, `1e99`, `{}`} {
		t.Run("what is no time fails, or leaves the time of the record: "+at, func(t *testing.T) {
			t.Parallel()
			in := record(`{"at":` + at + `}`)
			if _, err := outcome(t, "rules: [{parse: json}, {timestamp: at}]", in); !errors.Is(err, transform.ErrTime) {
				t.Error(err)
			}
			out, err := outcome(t, "rules: [{parse: json}, {timestamp: {field: at, failure: keep}}]", in)
			if err != nil || out[0].Timestamp != in.Timestamp {
				t.Errorf("%v, %v", out, err)
			}
		})
	}
}
