package extract

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/transform"
)

// databaseFile is source: postgres or source: mysql, checked.
type databaseFile struct {
	kind    string
	table   []string // schema, where there is one, and name
	columns []string // nil: all
	key     string
	time    string        // "": there is none
	delay   time.Duration // or delayUnsaid
	where   string
	batch   int
	timeout time.Duration
	zone    string // of times without one, as +08:00
	nulls   bool   // rows without key or time are left out
	tls     tlsFile
}

// tlsFile says how a connection to a database is protected.
type tlsFile struct {
	mode        string // verify, off, or "": verify unless the host is this machine
	authorities *x509.CertPool
}

const (
	tlsVerify = "verify"
	tlsOff    = "off"
)

// config is for a host; nil: a connection without TLS.
func (f tlsFile) config(host string) *tls.Config {
	local := host == "" || strings.HasPrefix(host, "/") || host == "localhost"
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		local = true
	}
	if f.mode == tlsOff || f.mode == "" && local {
		return nil
	}
	return &tls.Config{ServerName: host, RootCAs: f.authorities, MinVersion: tls.VersionTLS12}
}

const (
	kindPostgres = "postgres"
	kindMySQL    = "mysql"

	defaultBatch = 1000
	mostBatch    = 100_000
)

// database reads what both kinds have, and gives the address to connect to.
func (l *loader) database(s transform.Section, kind string) (databaseFile, transform.Section) {
	t := s.Table(kind, "dsn", "table", "columns", "key", "time", "delay", "where", "batch", "timeout", "zone", "nulls", "tls", "tls_ca_file")
	f := databaseFile{
		kind: kind, table: tableName(t.Need("table")), key: columnName(t.Need("key")), time: columnName(t.Get("time")),
		where: t.Text("where", ""), batch: t.Number("batch", defaultBatch, 1, mostBatch), timeout: t.Duration("timeout", defaultTimeout),
		zone: t.Text("zone", "+00:00"), nulls: t.Choice("nulls", "fail", "skip") == "skip",
		delay: readDelay(t),
	}
	if f.tls.authorities = authorities(t.Get("tls_ca_file")); t.Get("tls").Present() {
		f.tls.mode = t.Choice("tls", tlsVerify, tlsOff)
	}
	for _, c := range t.Texts("columns") {
		if name := columnName(c); slices.Contains(f.columns, name) {
			c.Fault("keep one", "the column %q is there twice", name)
		} else {
			f.columns = append(f.columns, name)
		}
	}
	if z := t.Get("zone"); z.Present() && !regexp.MustCompile(`^[+-](0\d|1[0-4]):[0-5]\d$`).MatchString(f.zone) {
		z.Fault("write +08:00 or the like", "zone is no distance from UTC")
	}
	if d := t.Get("delay"); d.Present() && (f.time == "" || f.delay > longestDelay) {
		d.Fault("name the column with time", "delay needs a time, and is at most %v", longestDelay)
	}
	if f.time != "" && f.time == f.key {
		t.Get("time").Fault("leave time out, where the key grows with each row", "time and key are the same column")
	}
	return f, t.Need("dsn")
}

func columnName(s transform.Section) string {
	if !s.Present() {
		return ""
	}
	name := s.Text("a column")
	if name == "" || len(name) > 128 || strings.ContainsAny(name, "\x00") {
		s.Fault("", "%.130q is no name of a column", name)
	}
	return name
}

func tableName(s transform.Section) []string {
	if !s.Present() {
		return nil
	}
	parts := strings.Split(s.Text("table"), ".")
	if len(parts) > 2 || slices.ContainsFunc(parts, func(p string) bool { return p == "" || len(p) > 128 || strings.Contains(p, "\x00") }) {
		s.Fault("write table, or schema.table", "%.130q is no name of a table", s.Text("table"))
	}
	return parts
}
