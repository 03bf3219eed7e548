package transform_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/transform"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, parse, in, want string }{
		{"combined: a hyphen is no field", "combined", `1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "GET /a HTTP/1.0" 304 - "-" "-"`,
			`{"client":"1.2.3.4","time":"10/Oct/2000:13:55:36 -0700","method":"GET","path":"/a","protocol":"HTTP/1.0","status":304}`},
		{"combined: what is no request stays whole", "combined", `1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "\x16\x03\"" 400 0 "-" "-"`,
			`{"client":"1.2.3.4","time":"10/Oct/2000:13:55:36 -0700","request":"\\x16\\x03\\\"","status":400,"size":0}`},
		{"combined: what a server adds is rest", "combined", `1.2.3.4 - a b [10/Oct/2000:13:55:36 -0700] "GET /" 200 1 "-" "-" "10.0.0.1" 0.3`,
			`{"client":"1.2.3.4","user":"a b","time":"10/Oct/2000:13:55:36 -0700","method":"GET","path":"/","status":200,"size":1,"res` +
				`t":"\"10.0.0.1\" 0.3"}`},
		{"common", "common", `h.example.com - - [10/Oct/2000:13:55:36 -0700] "GET /a HTTP/1.0" 200 5` + "\r\n",
			`{"client":"h.example.com","time":"10/Oct/2000:13:55:36 -0700","method":"GET","path":"/a","protocol":"HTTP/1.0","status":200,"size":5}`},
		{"regexp: groups with a name, an empty one too", `{format: regexp, pattern: '(?P<a>\d*)-(?P<b>x)?'}`, "-", `{"a":""}`},
		{"grok: types, dots, no empty fields", `{format: grok, pattern: '%{INT:n:int} %{DATA:e}%{WORD:a.b}'}`, "+07 x", `{"n":7,"a.b":"x"}`},
		{"json: numbers keep their digits, text its escapes", "json", ` {"n":1.10e+400, "s":"\u00e9\n", "n2":12345678901234567890123} `,
			`{"n":1.10e+400,"s":"\u00e9\n","n2":12345678901234567890123}`},
		{"json: of members with one name the last counts", "json", `{"a":1,"b":2,"\u0061":3}`, `{"a":3,"b":2}`},
		{"json: with a prefix", "{format: json, prefix: x.}", `{"a":1}`, `{"x.a":1}`},
		{"logfmt", "logfmt", `level=info msg="a \"b\" 世" ok took=1.5ms x=`, `{"level":"info","msg":"a \"b\" 世","ok":true,"took":"1.` +
			`5ms","x":""}`},
		{"logfmt: types", "{format: logfmt, types: {n: int, f: float, b: bool}}", `n=007 f=1e3 b=yes`, `{"n":7,"f":1e3,"b":true}`},
		{"key=value", `{format: keyvalue, separator: ";", assign: ":"}`, `a:1; b : "x;\"y\\" ;c:`, `{"a":"1","b":"x;\"y\\","c":""}`},
		{"csv", `{format: csv, columns: [a, b, c], types: {a: int}}`, `1,"x ""y"", z",`, `{"a":1,"b":"x \"y\", z","c":""}`},
		{"csv: another separator", `{format: csv, columns: [a, b], separator: "\t"}`, "1,2\t3", `{"a":"1,2","b":"3"}`},
		{"syslog RFC 3164", "syslog", syslogLines()[0],
			`{"facility":4,"severity":2,"time":"Oct 11 22:14:15","host":"mymachine","app":"su","message":"'su root' failed for lonvick` +
				` on /dev/pts/8"}`},
		{"syslog RFC 3164 without a tag", "rfc3164", syslogLines()[1],
			`{"facility":1,"severity":5,"time":"Feb  5 17:32:18","host":"10.0.0.99","message":"Use the BFG!"}`},
		{"syslog RFC 3164 with a process", "syslog", syslogLines()[2],
			`{"facility":3,"severity":6,"time":"Jan 12 06:30:00","host":"web-1","app":"nginx","pid":"4242","message":"upstream timed out"}`},
		{"syslog RFC 5424", "rfc5424", syslogLines()[3],
			`{"facility":4,"severity":2,"time":"2003-10-11T22:14:15.003Z","host":"mymachine.example.com","app":"su","msgid":"ID47","me` +
				`ssage":"'su root' failed"}`},
		{"syslog RFC 5424 with structured data", "syslog", syslogLines()[5],
			`{"facility":20,"severity":5,"time":"2003-10-11T22:14:15.003Z","host":"host","app":"evntslog","msgid":"ID47",` +
				`"data":{"exampleSDID@32473":{"iut":"3","eventSource":"App \"x\\]"},"p@1":{"class":"高"}},"message":"event"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := value(t, "rules: [{parse: "+c.parse+"}]", c.in); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
	t.Run("a field can be parsed in its turn", func(t *testing.T) {
		t.Parallel()
		got := value(t, "rules:\n- parse: syslog\n- parse: {format: logfmt, field: message}\n- keep: [a, b]\n",
			"<13>Feb  5 17:32:18 h app: a=1 b=2")
		if got != `{"a":"1","b":"2"}` {
			t.Error(got)
		}
	})
}

func TestParseFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, parse, in string }{
		{"a line that is cut", "combined", `1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "GET /a HT`},
		{"an array", "json", `[1]`}, {"JSON that is cut", "json", `{"a":"b`}, {"GBK in JSON", "json", "{\"a\":\"\xb2\xe2\"}"},
		{"a quote without its end", "logfmt", `a="b`}, {"a value without a name", "logfmt", `=b`}, {"a bare quote", "logfmt", `a=b"c`},
		{"a pair without =", "keyvalue", `a=1 b`}, {"too few columns", "{format: csv, columns: [a, b]}", `1`},
		{"too many columns", "{format: csv, columns: [a]}", `1,2`}, {"a bare quote in a column", "{format: csv, columns: [a]}", `1"`},
		{"no priority", "syslog", `Oct 11 22:14:15 h x`}, {"a priority that is too high", "syslog", `<192>1 - - - - - -`},
		{"a day that is not", "rfc3164", `<1>Feb 30 22:14:15 h x`}, {"structured data without its end", "rfc5424", `<1>1 - - - - - [a b="c"`},
		{"RFC 3164 where 5424 is wanted", "rfc5424", syslogLines()[0]}, {"text where a number is wanted", "{format: logfmt, types: {a: int}}",
			"a=x"},
	} {
		t.Run(c.name+" is a permanent error with its place", func(t *testing.T) {
			t.Parallel()
			out, err := outcome(t, "rules:\n- parse: "+c.parse+"\n", record(c.in))
			var permanent *transform.Error
			if !errors.As(err, &permanent) || !errors.Is(err, transform.ErrParse) || len(out) > 0 {
				t.Fatalf("%d records, %v", len(out), err)
			}
			if permanent.Rule != 0 || permanent.Kind != "parse" || permanent.Pos.Line != 2 || permanent.Pos.Column != 3 {
				t.Errorf("%+v", permanent)
			}
		})
	}
	t.Run("an error shows a part of the value, without personal data", func(t *testing.T) {
		t.Parallel()
		_, err := outcome(t, "rules: [{parse: json}]", record("call 13800138000 "+strings.Repeat("x", 1000)))
		if text := err.Error(); !strings.Contains(text, "138****8000 xxx") || strings.Contains(text, "13800138000") || len(text) > 300 {
			t.Error(text)
		}
	})
}

// TestBroken gives everything that is broken to every format.
func TestBroken(t *testing.T) {
	t.Parallel()
	for _, parse := range []string{
		"json", "combined", "common", "logfmt", "keyvalue", "syslog", "rfc3164", "rfc5424", "{format: csv, columns: [a, b]}",
		"{format: grok, pattern: '%{COMBINEDAPACHELOG}'}", "{format: regexp, pattern: '^(?P<a>(?:\\w+\\s?)+)$'}",
	} {
		t.Run("what is broken ends in an error or in the output: "+parse, func(t *testing.T) {
			t.Parallel()
			tr := load(t, "rules:\n- parse: "+parse+"\n- mask: {fields: all, find: [email, phone, id_card, bank_card, ip]}\n").New()
			for _, in := range append(broken(), append(combinedLines(20), jsonLines(20)...)...) {
				out := 0
				err := tr.Transform(record(in), func(transform.Output) error { out++; return nil })
				var permanent *transform.Error
				if (err == nil) != (out == 1) || err != nil && !errors.As(err, &permanent) {
					t.Errorf("%.60q: %d records and %v", in, out, err)
				}
			}
			checkSum(t, tr.Counters())
		})
	}
}
