package extract_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/extract"
)

// FuzzFile wants that no file panics, and that one that is refused says where.
func FuzzFile(f *testing.F) {
	f.Add(httpFile("http://localhost/", "    paging: {cursor: {path: a.b, param: c, more: d}}\n    auth: {env: TOKEN}\n    rate: 3\n"))
	f.Add("source: {postgres: {dsn: {env: PG}, table: a.b, key: id, time: at, delay: 3s, columns: [id, at]}}\noutput: {format: raw, topic: t}\n")
	f.Add("reject: 5\nsource: {mysql: {dsn: {env: MY}, table: t, key: id, zone: '+08:00'}}\noutput: {format: raw, topic: t, headers: {a: {expr: record.offset}}}\n")
	f.Add("source: &a {http: {url: [x]}}\n")
	f.Fuzz(func(t *testing.T, text string) {
		if err := load(text); err != nil && !strings.Contains(err.Error(), "e.yaml") {
			t.Errorf("%q: %v", text, err)
		}
	})
}

// FuzzPage wants that no body panics, and that the records of one that can be read are in
// it, each once and in order: of JSON and lines their bytes, of CSV the row's.
func FuzzPage(f *testing.F) {
	f.Add("json", []byte(`{"items":[{"id":1},null,"a",[2]],"next":"c"}`))
	f.Add("ndjson", []byte("{\"id\":1}\r\n\n  {\"id\":2} \nx"))
	f.Add("csv", []byte("a,b\n1,\"2\n3\"\r\n4\n\n5,6\"7,8\n"))
	f.Fuzz(func(t *testing.T, format string, body []byte) {
		if format != "json" && format != "ndjson" && format != "csv" {
			return
		}
		values, err := extract.ReadPage(format, body, "items")
		if err != nil {
			return
		}
		rest := body
		for _, v := range values {
			if format == "json" && !json.Valid(v) {
				t.Errorf("%q: record %q", body, v)
			}
			_, after, found := bytes.Cut(rest, v)
			if !found {
				t.Fatalf("%q: record %q is not in it, or not in order", body, v)
			}
			rest = after
		}
	})
}

// FuzzLink wants that no header panics, and that a target that is found is between < and >.
func FuzzLink(f *testing.F) {
	for _, text := range []string{
		`</orders?page=2>; rel="next", </orders?page=9>; rel="last"`, `<a>;rel=next`, `<a,b;c>; title="x, <y>; rel=next"; rel="prev next"`,
		`<>; rel=next`, `<a`, `<a>; rel="ne\xt`, `, ,<a> ; rel = "next" `,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		target := extract.LinkTarget(http.Header{"Link": {text}}, "next")
		if target == "" {
			return
		}
		if !strings.Contains(text, target+">") && !strings.Contains(text, target+" ") && !strings.Contains(text, target+"\t") {
			if trimmed := strings.Contains(text, target); !trimmed {
				t.Errorf("%q: %q", text, target)
			}
		}
		_, _ = url.Parse(target)
	})
}

func TestLink(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`</orders?page=2>; rel="next", </orders?page=9>; rel="last"`: "/orders?page=2",
		`</9>; rel="last", </2>; rel=next`:                           "/2",
		`<a,b;c>; title="x, <y>; rel=next"; rel="prev Next"`:         "a,b;c",
		`<a>; rel=prev; rel=next`:                                    "", // the first counts
		`<a>; title="\"; rel=next"`:                                  "",
		`<a>`:                                                        "",
		`a; rel=next`:                                                "",
		`<a>; rel`:                                                   "",
	} {
		t.Run("of RFC 8288 is found by its relation: "+text, func(t *testing.T) {
			t.Parallel()
			if got := extract.LinkTarget(http.Header{"Link": {text}}, "next"); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}
