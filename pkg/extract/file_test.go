package extract_test

import (
	"os"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/extract"
)

func load(text string) error {
	_, err := extract.Load("e.yaml", []byte(text), extract.Options{Env: func(name string) (string, bool) {
		value, ok := map[string]string{"URL": "https://example.com/a", "TOKEN": "t", "BAD": "a\nb", "PG": "postgres://u:p@db.example.com/shop", "MY": "u:p@tcp(db.example.com:3306)/shop"}[name]
		return value, ok
	}})
	return err
}

func TestLoad(t *testing.T) {
	t.Parallel()
	const rest = "rules: [{parse: json}]\noutput: {topic: t}\n"
	http := func(settings string) string { return "source: {http: {url: 'http://x/', " + settings + "}}\n" + rest }
	for requirement, c := range map[string]struct{ text, want string }{
		"an unknown key":                        {"sorce: {}\n" + rest, `e.yaml:1:1: the file has no setting "sorce": did you mean "source"?`},
		"no source":                             {rest, "the source is missing: write http:, postgres: or mysql:"},
		"an unknown kind of source":             {"source: {htp: {}}\n" + rest, `e.yaml:1:10: source has no setting "htp": did you mean "http"?`},
		"two sources":                           {"source: {http: {url: 'http://x/'}, mysql: {dsn: a, table: b, key: c}}\n" + rest, "http and mysql are two"},
		"no address":                            {"source: {http: {format: csv}}\n" + rest, `http needs the setting "url"`},
		"a misspelt setting":                    {http("pagin: none"), `did you mean "paging"?`},
		"a file for an address":                 {"source: {http: {url: 'file:///etc/passwd'}}\n" + rest, `e.yaml:1:22: url begins with "file:": write https:// or http://`},
		"an address without a host":             {"source: {http: {url: 'http:///a'}}\n" + rest, "url has no host"},
		"a password in the address":             {"source: {http: {url: 'http://u:p@x/'}}\n" + rest, "url has a user or a password in it: write auth"},
		"a variable that is not set":            {"source: {http: {url: {env: URI}}}\n" + rest, "e.yaml:1:28: URI is not set"},
		"a header that requests set":            {http("headers: {host: y}"), "the header host is set by the request itself"},
		"a header that is none":                 {http("headers: {'a b': y}"), `"a b" is no name of a header`},
		"a secret with a line break":            {http("auth: {env: BAD}"), "the value of BAD has characters that a header cannot have"},
		"an auth without a variable":            {http("auth: {header: A}"), `auth needs the setting "env"`},
		"two ways of paging":                    {http("paging: {link: next, page: {param: p}}"), "paging is link and page"},
		"no way of paging":                      {http("paging: {}"), "paging says nothing"},
		"a cursor of lines":                     {http("format: ndjson, paging: {cursor: {path: n, param: a}}"), "a page of ndjson has no place for a cursor"},
		"a path that is none":                   {http("records: a..b"), "records is no path"},
		"a setting of another format":           {http("columns: [a]"), "columns is a setting of the format csv only: write format: csv"},
		"a column twice":                        {http("format: csv, columns: [a, a]"), `the column "a" is there twice`},
		"a separator of two":                    {http("format: csv, separator: ab"), "separator has to be one ASCII character"},
		"a rate of nothing":                     {http("rate: 0"), "rate has to be a whole number from 1 to"},
		"a length of time that is none":         {http("timeout: 5"), "timeout is no length of time"},
		"a share that is none":                  {"reject: 101\n" + http("timeout: 5s"), "reject has to be a whole number from 0 to 100"},
		"authorities that are not there":        {http("tls_ca_file: /nowhere.pem"), "tls_ca_file: open /nowhere.pem"},
		"an output without a topic":             {"source: {http: {url: 'http://x/'}}\nrules: [{parse: json}]\n", "the output names no topic"},
		"rules that are wrong":                  {"source: {http: {url: 'http://x/'}}\nrules: [{parse: jsno}]\noutput: {topic: t}\n", `did you mean "json"?`},
		"a table without a key":                 {"source: {postgres: {dsn: {env: PG}, table: a}}\n" + rest, `postgres needs the setting "key"`},
		"a table of three parts":                {"source: {postgres: {dsn: {env: PG}, table: a.b.c, key: id}}\n" + rest, "is no name of a table: write table, or schema.table"},
		"an address of a database that is none": {"source: {postgres: {dsn: 'postgres://u:hunter2@h:port/x', table: a, key: id}}\n" + rest, "e.yaml:1:26: dsn cannot be read: write postgres://"},
		"another address that is none":          {"source: {mysql: {dsn: 'u:hunter2@h/x/y', table: a, key: id}}\n" + rest, "dsn cannot be read: write user:password@tcp"},
		"a delay of no time":                    {"source: {mysql: {dsn: {env: MY}, table: a, key: id, delay: 5s}}\n" + rest, "delay needs a time"},
		"a zone that is none":                   {"source: {mysql: {dsn: {env: MY}, table: a, key: id, zone: Asia/Shanghai}}\n" + rest, "zone is no distance from UTC: write +08:00"},
		"a time that is the key":                {"source: {mysql: {dsn: {env: MY}, table: a, key: id, time: id}}\n" + rest, "time and key are the same column"},
		"a choice that there is not":            {"source: {mysql: {dsn: {env: MY}, table: a, key: id, tls: on}}\n" + rest, `tls "on" is not one of: verify, off`},
		"what is no YAML":                       {"source: {", "is not YAML"},
	} {
		t.Run(requirement+" is told with its place and what to write", func(t *testing.T) {
			t.Parallel()
			if err := load(c.text); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
	t.Run("no value of the environment is in an error", func(t *testing.T) {
		t.Parallel()
		if err := load("source: {http: {url: {env: BAD}, auth: {env: BAD}}}\n" + rest); err == nil || strings.Contains(err.Error(), "a\nb") {
			t.Error(err)
		}
	})
	t.Run("the file of the function can be read", func(t *testing.T) {
		t.Parallel()
		text, err := os.ReadFile("../../functions/extract/extract.yaml")
		must(t, err)
		must(t, load(strings.ReplaceAll(string(text), "SOURCE_URL", "URL")))
	})
}
