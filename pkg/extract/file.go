package extract

import (
	"fmt"
	"net/http"

	"github.com/scf-etl/scf-etl/pkg/transform"
)

// Options are what a file cannot hold itself.
type Options struct {
	// Env looks up what the file names as {env: NAME}: addresses, passwords, keys. nil
	// has none.
	Env func(name string) (value string, found bool)
	// Transport carries the requests of HTTP sources; nil: one that verifies TLS.
	Transport http.RoundTripper
}

// File is a checked extract.yaml. It does not change.
type File struct {
	rules   *transform.Rules
	rejects int // per cent of a page that may be in the dead letter
	open    func() (source, error)
}

// Topic is the output's topic, which the cursor is committed for.
func (f *File) Topic() string { return f.rules.Topic() }

// Load reads an extract.yaml. name is what positions in errors begin with. The error is
// a [*transform.RulesError] with every mistake that was found: nothing was connected to.
//
//	version: 1
//	source:                          # one of http, postgres, mysql
//	  http:
//	    url: https://shop.example.com/api/orders?status=paid   # or {env: NAME}; http and https
//	    headers: {Accept: application/json}                    # values as of url
//	    auth: {header: Authorization, env: SHOP_TOKEN, prefix: "Bearer "}
//	    format: json                 # or ndjson, csv
//	    records: data.items          # json: where the list is; without, the whole is the list
//	    separator: ","               # csv
//	    columns: [id, total]         # csv: these have to be there; without, the header never changes
//	    paging: {cursor: {path: data.next, param: after}}
//	    then: resume                 # or restart, see the package
//	    redirects: same-host         # or none, any: those to another host never carry headers or auth
//	    rate: 5                      # requests a second at most
//	    timeout: 30s                 # of one request
//	    max_bytes: 33554432          # of one answer
//	    tls_ca_file: ca.pem          # to trust instead of the system's
//	reject: 50                       # per cent of a page that may go to the dead letter; more is an error
//	rules: [...]                     # as of package transform
//	output: {topic: orders, ...}
//
// Paging is one of
//
//	none                                              the whole is one page
//	{link: next}                                      header Link of RFC 8288, by its rel
//	{cursor: {path: data.next, param: after}}         a text or number in the page; none ends it. more: path of
//	                                                  a boolean that says whether there is more
//	{page: {param: page, first: 1, step: 1, size: 100}}   numbers, until a page has no record, or fewer than size
//
// and a database is
//
//	postgres:
//	  dsn: {env: SHOP_DSN}           # mysql: user:password@tcp(host:port)/database
//	  table: public.orders
//	  columns: [id, total]           # all without
//	  key: id                        # unique, and growing where there is no time
//	  time: updated_at               # rows are read by time and key
//	  delay: 10s                     # rows younger than that wait for transactions that commit late; 0: none does
//	  where: total > 0               # SQL, as it is
//	  batch: 1000                    # rows of a page
//	  zone: "+00:00"                 # of times without one
//	  nulls: fail                    # or skip: rows without time or key are never read
//	  tls: verify                    # or off
//	  tls_ca_file: ca.pem
func Load(name string, content []byte, options Options) (*File, error) {
	l := &loader{options: options}
	rules, err := transform.Load(name, content, transform.Options{
		Secret: options.Env,
		Sections: map[string]func(transform.Section){
			"source": l.source,
			"reject": l.reject,
		},
	})
	if err != nil {
		return nil, err
	}
	if rules.Topic() == "" {
		return nil, fmt.Errorf("%s: the output names no topic, which the cursor is kept for: write output: {topic: NAME}", name)
	}
	l.file.rules = rules
	return &l.file, nil
}

type loader struct {
	options Options
	file    File
}

func (l *loader) source(s transform.Section) {
	kinds := map[string]func(transform.Section){"http": l.http, "postgres": l.postgres, "mysql": l.mysql}
	t := s.Table("source", "http", "postgres", "mysql")
	read := ""
	for _, kind := range []string{"http", "postgres", "mysql"} {
		n := t.Get(kind)
		switch {
		case !n.Present():
		case read != "":
			n.Fault("keep one", "a job has one source: %s and %s are two", read, kind)
		default:
			read = kind
			kinds[kind](n)
		}
	}
	if read == "" {
		s.Fault("write http:, postgres: or mysql:", "the source is missing")
	}
}

// reject reads how much of a page may be wrong before the file or the source is.
func (l *loader) reject(s transform.Section) {
	l.file.rejects = defaultRejects
	if s.Present() {
		l.file.rejects = s.Number("reject", 0, 100)
	}
}

const defaultRejects = 50

// value reads a text, or {env: NAME}.
func (l *loader) value(s transform.Section, what string) string {
	if !s.Present() {
		return ""
	}
	if s.IsText() {
		return s.Text(what)
	}
	t := s.Table(what, "env")
	name := t.Need("env")
	if !name.Present() {
		return ""
	}
	return l.env(name)
}

// env looks a variable up.
func (l *loader) env(name transform.Section) string {
	variable := name.Text("env")
	if l.options.Env != nil {
		if value, ok := l.options.Env(variable); ok && value != "" {
			return value
		}
	}
	name.Fault("set it in the function's environment", "%s is not set", variable)
	return ""
}
