package report_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/scf-etl/scf-etl/pkg/report"
)

// charts is a file with a chart of every kind, of groups and of series that are whatever the data is.
const charts = `version: 1
name: charts
title: Charts
time: {column: time, range: yesterday}
queries:
  total: {measures: [{name: rows, op: count}, {name: bytes, op: sum, column: size}]}
  paths: {measures: [{name: rows, op: count}, {name: bytes, op: sum, column: size}], group_by: [path]}
  hours: {measures: [{name: bytes, op: sum, column: size}], group_by: [{name: hour, column: time, bucket: 6h}]}
  both: {measures: [{name: rows, op: count}], group_by: [{name: hour, column: time, bucket: 6h}, path]}
show:
- number: {query: total, value: bytes}
- line: {query: hours, x: hour, y: bytes}
- line: {query: paths, x: path, y: [rows, bytes]}
- bar: {query: paths, x: path, y: bytes}
- bar: {query: hours, x: hour, y: bytes}
- stacked: {query: both, x: hour, y: rows, series: path}
- pie: {query: paths, x: path, y: bytes}
- donut: {query: paths, x: path, y: bytes}
- table: {query: paths}
`

func TestLibrary(t *testing.T) {
	t.Parallel()
	t.Run("it is that of echarts 6.1.0, unchanged", func(t *testing.T) {
		t.Parallel()
		text, err := os.ReadFile("echarts/echarts.common.min.js")
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(text)
		if got := hex.EncodeToString(sum[:]); got != "61f13280aba3161f77fc801bf5f9c786f55f10432153a0683fc5cc0700b013d5" {
			t.Errorf("its SHA-256 is %s", got)
		}
	})
}

var tag = regexp.MustCompile(`<(/?)([a-zA-Z!][a-zA-Z0-9]*)([^>]*)>`)

// checkPage fails where a page has anything that the template and the charts do not.
func checkPage(t testing.TB, page string) {
	t.Helper()
	if !utf8.ValidString(page) || strings.ContainsRune(page, 0) {
		t.Error("the page is not UTF-8, or has a NUL")
	}
	if !strings.Contains(page, `content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"`) {
		t.Error("the page has no content security policy")
	}
	_, body, _ := strings.Cut(page, "</style>")
	known := " head html body header h1 h2 p strong span bdi main div section svg title desc g path rect circle line polyline polygon text tspan " +
		"ul li i details summary table thead tbody tr th td footer time "
	for _, found := range tag.FindAllStringSubmatch(body, -1) {
		if !strings.Contains(known, " "+found[2]+" ") {
			t.Errorf("the page has the element %q", found[0])
		}
		if lower := strings.ToLower(found[3]); strings.Contains(lower, "href") || strings.Contains(lower, "src=") ||
			strings.Contains(lower, "style") || regexp.MustCompile(`\son[a-z]+\s*=`).MatchString(lower) {
			t.Errorf("the page has the attributes of %q", found[0])
		}
	}
	for _, svg := range regexp.MustCompile(`(?s)<svg .*?</svg>`).FindAllString(page, -1) {
		d := xml.NewDecoder(strings.NewReader(svg))
		d.Entity = xml.HTMLEntity
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Errorf("a chart is no XML: %v", err)
				break
			}
		}
		if strings.Contains(svg, "NaN") || strings.Contains(svg, "Infinity") || strings.Contains(svg, "undefined") {
			t.Errorf("a chart has a length that is none: %.300s", svg)
		}
		if !strings.Contains(svg, `role="img"`) || !strings.Contains(svg, "<title id=") || !strings.Contains(svg, "<desc id=") {
			t.Errorf("a chart says nothing to who does not see it: %.200s", svg)
		}
	}
}

func hostile() map[string][]any {
	return map[string][]any{
		"markup": {
			"<script>alert(1)</script>", "</text></svg><script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "]]><!--", "&lt;script&gt;",
			"</title></style></details>", "javascript:alert(1)", "{{.Title}}", "{value}", "{a|b}", "@value", "__proto__", "constructor",
		},
		"bytes":         {"\x00nul\x00", "\xff\xfe", "a\u202eb\u2066c", "\x1b[31m", "\ufffe\uffff", "\u2028\u2029", "\U000e0001", "line\nline\r\ttab"},
		"right to left": {"مرحبا بالعالم", "שלום", "abc \u200fمرحبا"},
		"Chinese":       {"错误", "访问量最高的页面路径，按照小时统计"},
		"long":          {strings.Repeat("x", 1<<20), strings.Repeat("错", 100_000), strings.Repeat("a b ", 5000)},
		"nothing":       {nil, ""},
	}
}

func TestHostile(t *testing.T) {
	t.Parallel()
	for name, values := range hostile() {
		t.Run("text in the data stays text: "+name, func(t *testing.T) {
			t.Parallel()
			source := things(len(values)*3, func(i int) map[string]any {
				return map[string]any{"path": values[i%len(values)], "size": int64(i)}
			})
			made := run(t, few, source)
			checkPage(t, html(t, made))
			text, err := made.JSON()
			if err != nil || !json.Valid(text) {
				t.Errorf("the JSON is none: %v", err)
			}
		})
	}

	t.Run("text in the file stays text", func(t *testing.T) {
		t.Parallel()
		quoted, err := json.Marshal("</title><script>alert(1)</script>\u202e")
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Replace(numeric, "show:", "title: "+string(quoted)+"\ndescription: "+string(quoted)+"\nshow:", 1)
		text = strings.ReplaceAll(text, "name: bytes", "name: "+string(quoted))
		text = strings.NewReplacer("y: bytes", "y: "+string(quoted), "[rows, bytes]", "[rows, "+string(quoted)+"]").Replace(text)
		checkPage(t, html(t, run(t, text, web())))
	})

	for name, values := range map[string][]any{
		"negative": {int64(-5), int64(3), int64(-1)}, "all negative": {int64(-5)}, "zero": {int64(0)}, "null": {nil},
		"very large": {int64(math.MaxInt64), int64(math.MinInt64), int64(1)}, "fractions": {0.001, -0.25, 1e-300},
		"floats that are none": {math.NaN(), math.Inf(1), math.Inf(-1)}, "floats at the end": {math.MaxFloat64, -math.MaxFloat64, 1.0},
	} {
		t.Run("numbers of any kind are drawn: "+name, func(t *testing.T) {
			t.Parallel()
			source := things(12, func(i int) map[string]any {
				return map[string]any{"path": string(rune('a' + i)), "size": values[i%len(values)]}
			})
			made := run(t, numeric, source)
			checkPage(t, html(t, made))
			if text, err := made.JSON(); err != nil || !json.Valid(text) {
				t.Errorf("the JSON is none: %v", err)
			}
		})
	}
}

func TestHTML(t *testing.T) {
	t.Parallel()

	t.Run("the same data and moment give the same bytes", func(t *testing.T) {
		t.Parallel()
		first, second := html(t, run(t, few, web())), html(t, run(t, few, web()))
		if first != second {
			t.Error("they differ")
		}
	})
	t.Run("no data is said, and nothing is drawn", func(t *testing.T) {
		t.Parallel()
		page := html(t, run(t, strings.ReplaceAll(charts, "- line: {query: hours, x: hour, y: bytes}\n", ""), things(0, nil)))
		checkPage(t, page)
		if n := strings.Count(page, "No data in this period"); n < 5 {
			t.Errorf("said %d times", n)
		}
	})
	t.Run("one row is one point", func(t *testing.T) {
		t.Parallel()
		page := html(t, run(t, numeric, things(1, func(int) map[string]any { return map[string]any{"path": "only", "size": int64(7)} })))
		checkPage(t, page)
		if !strings.Contains(page, "<td class=\"n\"><bdi>7</bdi></td>") {
			t.Error("its number is not there")
		}
	})
	t.Run("each chart has its numbers in a table behind it", func(t *testing.T) {
		t.Parallel()
		page := html(t, run(t, charts, web()))
		checkPage(t, page)
		sections := strings.Split(page, "<section")[1:]
		for _, s := range sections {
			if strings.Contains(s, "<svg") && (!strings.Contains(s, "<details>") || !strings.Contains(s, "<table")) {
				t.Errorf("no table: %.200s", s)
			}
		}
		if got := strings.Count(page, "<svg"); got != 2*5+2 {
			t.Errorf("%d charts, want two sizes of five and two round ones", got)
		}
	})
	t.Run("its own words are in the language of the file", func(t *testing.T) {
		t.Parallel()
		page := html(t, run(t, strings.Replace(few, "show:", "title: 图表\nlanguage: zh-CN\nshow:\n- number: {query: total, value: rows}", 1), web()))
		for _, word := range []string{`lang="zh-CN"`, "数据表", "上一时段", "<h1><bdi>图表</bdi></h1>"} {
			if !strings.Contains(page, word) {
				t.Errorf("%q is missing", word)
			}
		}
	})
	t.Run("it gives up when the context ends", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("time is up")
		cancel(why)
		if _, err := run(t, few, web()).HTML(ctx); !errors.Is(err, why) {
			t.Errorf("got %v", err)
		}
	})
}

// few is a file with the charts that texts of data get into.
const few = `version: 1
name: charts
time: {column: time, range: yesterday}
queries:
  total: {measures: [{name: rows, op: count}]}
  paths: {measures: [{name: bytes, op: sum, column: size}], group_by: [path]}
  both: {measures: [{name: rows, op: count}], group_by: [{name: hour, column: time, bucket: 6h}, path]}
show:
- bar: {query: paths, x: path, y: bytes}
- stacked: {query: both, x: hour, y: rows, series: path}
- donut: {query: paths, x: path, y: bytes}
`

// numeric is a file with the charts that have numbers of data on their axes.
const numeric = `version: 1
name: charts
time: {column: time, range: yesterday}
queries:
  paths: {measures: [{name: rows, op: count}, {name: bytes, op: sum, column: size}], group_by: [path]}
  hours: {measures: [{name: bytes, op: sum, column: size}], group_by: [{name: hour, column: time, bucket: 6h}]}
show:
- line: {query: hours, x: hour, y: bytes}
- stacked: {query: paths, x: path, y: [rows, bytes]}
- pie: {query: paths, x: path, y: bytes}
`

func FuzzHTML(f *testing.F) {
	f.Add("</text><script>", "__proto__", 1.5, int64(7))
	f.Add("\x00\xff\u202e", "constructor", -0.5, int64(-7))
	f.Add("a", "a", math.Inf(1), int64(math.MinInt64))
	f.Fuzz(func(t *testing.T, first, second string, x float64, n int64) {
		source := things(4, func(i int) map[string]any {
			return map[string]any{"path": []any{first, second, nil, "c"}[i], "size": []any{x, n, nil, int64(1)}[i]}
		})
		spec, err := report.Load("report.yaml", []byte(few))
		if err != nil {
			t.Fatal(err)
		}
		made, err := report.Run(t.Context(), spec, source, moment())
		if err != nil {
			t.Fatal(err)
		}
		page, err := made.HTML(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		checkPage(t, string(page))
		if text, err := made.JSON(); err != nil || !json.Valid(text) {
			t.Errorf("the JSON is none: %v", err)
		}
	})
}
