package transform_test

import (
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/transform"
)

func TestSections(t *testing.T) {
	t.Parallel()
	type settings struct {
		url, kind string
		most      int
		wait      time.Duration
		headers   []string
	}
	read := func(text string) (settings, error) {
		var got settings
		_, err := transform.Load("r.yaml", []byte(text), transform.Options{Sections: map[string]func(transform.Section){
			"source": func(s transform.Section) {
				t := s.Table("source", "url", "kind", "most", "wait", "headers", "inner")
				got.url, got.kind = t.Need("url").Text("url"), t.Choice("kind", "plain", "odd")
				got.most, got.wait = t.Number("most", 7, 1, 9), t.Duration("wait", time.Second)
				for name, value := range t.Get("headers").Pairs("headers") {
					got.headers = append(got.headers, name.Text("name")+"="+value.Text("value"))
				}
				if inner := t.Get("inner").Table("inner", "a"); inner.Text("a", "") == "bad" {
					inner.Get("a").Fault("write good", "a is bad")
				}
			},
		}})
		return got, err
	}
	t.Run("of another package are read beside the rules", func(t *testing.T) {
		t.Parallel()
		got, err := read("version: 1\nsource: {url: u, most: 3, wait: 2m, headers: {b: 1, a: x}}\noutput: {format: raw, topic: t}\n")
		if err != nil || got.url != "u" || got.kind != "plain" || got.most != 3 || got.wait != 2*time.Minute || strings.Join(got.headers, " ") != "b=1 a=x" {
			t.Errorf("%+v, %v", got, err)
		}
	})
	t.Run("are asked also where there are none", func(t *testing.T) {
		t.Parallel()
		if got, err := read("output: {format: raw}\n"); err != nil || got.most != 7 || got.wait != time.Second || got.kind != "plain" {
			t.Errorf("%+v, %v", got, err)
		}
	})
	t.Run("say what is wrong like the rules, in the order of the file", func(t *testing.T) {
		t.Parallel()
		_, err := read("rules: [{pasre: json}]\nsource: {ulr: u, kind: od, inner: {a: bad}}\nuotput: {}\n")
		if err == nil {
			t.Fatal("no error")
		}
		for _, want := range []string{
			`r.yaml:1:10: a rule has no setting "pasre": did you mean "parse"?`, `r.yaml:2:10: source has no setting "ulr": there are: url`,
			`source needs the setting "url"`, `kind "od" is not one of: plain, odd: did you mean "odd"?`, "a is bad: write good", `did you mean "output"?`,
		} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("got %v\nwant %s", err, want)
			}
		}
	})
}

func TestAddedHeaders(t *testing.T) {
	t.Parallel()
	const rules = `
rules: [{parse: json}]
output:
  format: json
  headers: {site: shop, id: {field: u.id}, both: {expr: u.name + "/" + string(u.id)}, missing: {field: x}}
`
	t.Run("stand behind those that the record came with; one without a value is left out", func(t *testing.T) {
		t.Parallel()
		for range 3 { // in memory that is used again
			out, err := outcome(t, rules, record(`{"u":{"id":7,"name":"a\u00e4"}}`))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, h := range out[0].Headers {
				got = append(got, h.Key+"="+string(h.Value))
			}
			if text := strings.Join(got, " "); text != "trace=t1 site=shop id=7 both=aä/7" {
				t.Errorf("got %s", text)
			}
		}
	})
	t.Run("with mistakes are told", func(t *testing.T) {
		t.Parallel()
		for text, want := range map[string]string{
			"{a: {feild: b}}":           `did you mean "field"?`,
			"{a: {field: b, expr: 1}}":  "a header needs one of field and expr",
			"{'': x}":                   "the name of a header is empty",
			"{a: {expr: record.ofset}}": `did you mean "offset"?`,
			"keap":                      `did you mean "keep"?`,
		} {
			_, err := transform.Load("r.yaml", []byte("rules: [{parse: json}]\noutput: {headers: "+text+"}\n"), options())
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want %s", text, err, want)
			}
		}
	})
}
