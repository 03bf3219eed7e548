package pattern_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/elastic/go-grok"

	"github.com/scf-etl/scf-etl/pkg/transform/internal/pattern"
)

const combined = `203.0.113.9 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif?a=1 HTTP/1.0" 200 2326 ` +
	`"http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"`

// expressions are a selection of what people write, and of what is hard.
func expressions() []string {
	return []string{
		`^(?P<ip>\S+) (\S+) (\S+) \[([^\]]+)\] "([A-Z]+) (\S+) (\S+)" (\d{3}) (\d+|-) "([^"]*)" "([^"]*)"$`,
		`(\d+)\.(\d+)`, `a*b`, `(a|ab)(c|bcd)(d*)`, `(?:(a)b|ac)`, `(a|b)*c`, `\bfoo\b`, `x*`, `(x?)(x?)x`, `.*?"(.*)"`,
		`(?i)error|warn(?:ing)?`, `(?s)a.b`, `(?m)^\w+$`, `.{2}b`, `[^a]{1,3}c`, `(\w+)=("[^"]*"|\S*)`, `(a+)+$`, `(?:a|b)??c`,
		`é+x`, `[^é]*é`, `\S+.`, `.+世`, `(.)(.)$`, `(a{2,3}){1,2}b`, `\Bx`, `(|a)+b`, `"((?:[^"\\]|\\.)*)"`, `(?:[ab]|cd?)*d`, `(?:a|bb)*?b`,
		`(?:[^,]|,,)*,x`, `(a*)*b`, ``, `^$`, `a|`, `[k]`, `(?i)k`,
	}
}

func texts() []string {
	return []string{
		"", combined, "a", "ab", "abcd", "ac", "xx foo, 3.14", `k="v" z=1 世界 "é"`, "aaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "世世x",
		"a\nb", "\xff\xfea\x80b", "ERROR warning \u212a \u017f", strings.Repeat("ab", 4000) + "c", "aab aaab", "é\u0301xx",
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	t.Run("every group is where regexp finds it", func(t *testing.T) {
		t.Parallel()
		for _, expr := range expressions() {
			for _, text := range texts() {
				compare(t, expr, []byte(text))
			}
		}
	})
	t.Run("a pattern that backtracks without end is handed to regexp", func(t *testing.T) {
		t.Parallel()
		compare(t, `(?:a+)+b`, []byte(strings.Repeat("a", 100_000)))
		compare(t, `(?:x+x+)+y`, []byte(strings.Repeat("x", 2_000)))
	})
	t.Run("the patterns of go-grok are scanned, with the fields that go-grok finds", func(t *testing.T) {
		t.Parallel()
		compareGrok(t, "%{COMBINEDAPACHELOG}", combined)
		compareGrok(t, "%{COMBINEDAPACHELOG}", strings.Replace(combined, "203.0.113.9", "2001:db8::1", 1))
		compareGrok(t, "%{SYSLOGBASE} %{GREEDYDATA:message}", "Oct 11 22:14:15 mymachine su[230]: 'su root' failed")
		compareGrok(t, "%{IPORHOST:a.b} %{NUMBER:n:int} %{QS:q}", `example.com 12.5 "x \" y"`)
		compareGrok(t, "%{TIMESTAMP_ISO8601:t} %{LOGLEVEL:l} %{DATA:d} - %{GREEDYDATA:m}", "2026-01-02T03:04:05Z WARN a - b - c")
	})
}

func compare(t *testing.T, expr string, text []byte) {
	t.Helper()
	p, err := pattern.Compile(expr)
	if err != nil {
		t.Fatal(err)
	}
	got, want := p.Matcher().Match(text), regexp.MustCompile(expr).FindSubmatchIndex(text)
	if !slices.Equal(got, want) {
		t.Errorf("%q on %.80q: got %v, want %v", expr, text, got, want)
	}
}

func compareGrok(t *testing.T, text, line string) {
	t.Helper()
	expanded, err := pattern.Expand(text, pattern.Definitions(nil))
	if err != nil {
		t.Fatal(err)
	}
	p, err := pattern.Compile(expanded.Expr)
	if err != nil {
		t.Fatal(err)
	}
	if !p.Scans() {
		t.Errorf("%s is left to regexp", text)
	}
	library, err := grok.NewComplete()
	if err != nil {
		t.Fatal(err)
	}
	if err := library.Compile(text, true); err != nil {
		t.Fatal(err)
	}
	want, err := library.ParseString(line)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	if at := p.Matcher().Match([]byte(line)); at != nil {
		for i, name := range p.Names() {
			if name != "" && at[2*i+1] > at[2*i] {
				got[pattern.FieldName(name)] = line[at[2*i]:at[2*i+1]]
			}
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: got %v, want %v", text, got, want)
	}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s: %s is %q, go-grok has %q", text, name, got[name], value)
		}
	}
}

func FuzzPattern(f *testing.F) {
	for _, expr := range expressions() {
		for _, text := range texts() {
			if len(text) < 300 {
				f.Add(expr, []byte(text))
			}
		}
	}
	f.Fuzz(func(t *testing.T, expr string, text []byte) {
		if _, err := regexp.Compile(expr); err != nil || len(expr) > 200 || len(text) > 2000 {
			t.Skip()
		}
		compare(t, expr, text)
	})
}

var line = []byte(combined)

func BenchmarkMatch(b *testing.B) {
	expanded, err := pattern.Expand("%{COMBINEDAPACHELOG}", pattern.Definitions(nil))
	if err != nil {
		b.Fatal(err)
	}
	for name, expr := range map[string]string{"grok": expanded.Expr, "regexp": expressions()[0]} {
		p, err := pattern.Compile(expr)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(combined)))
			m := p.Matcher()
			for b.Loop() {
				if m.Match(line) == nil {
					b.Fatal("no match")
				}
			}
		})
	}
}
