package extract

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/scf-etl/scf-etl/pkg/transform"
)

func (l *loader) postgres(s transform.Section) {
	f, dsn := l.database(s, kindPostgres)
	text := l.value(dsn, "dsn")
	if text == "" {
		return
	}
	config, err := pgx.ParseConfig(text)
	if err != nil {
		dsn.Fault("write postgres://user:password@host:5432/database", "dsn cannot be read") // why: its text has the password
		return
	}
	secure(config, f.tls)
	// why no prepared statements: poolers in front of a database do not keep them
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	config.RuntimeParams["application_name"] = "scf-etl"
	config.RuntimeParams["datestyle"] = "ISO, YMD"
	config.RuntimeParams["intervalstyle"] = "iso_8601"
	config.RuntimeParams["extra_float_digits"] = "1"
	config.RuntimeParams["statement_timeout"] = strconv.FormatInt(f.timeout.Milliseconds(), 10)
	l.file.open = func() (source, error) {
		db := stdlib.OpenDB(*config)
		db.SetMaxOpenConns(1)
		db.SetConnMaxIdleTime(connectionIdle)
		return &databaseSource{databaseFile: f, dialect: postgresDialect{}, db: db, retryFor: defaultRetryFor}, nil
	}
}

// secure replaces what the address says about TLS by what the file says, for each host.
func secure(config *pgx.ConnConfig, f tlsFile) {
	config.TLSConfig = f.config(config.Host)
	seen := map[string]bool{fmt.Sprint(config.Host, config.Port): true}
	config.Fallbacks = slices.DeleteFunc(config.Fallbacks, func(other *pgconn.FallbackConfig) bool {
		host := fmt.Sprint(other.Host, other.Port)
		twice := seen[host] // once with TLS and once without
		seen[host], other.TLSConfig = true, f.config(other.Host)
		return twice
	})
}

type postgresDialect struct{}

func (postgresDialect) quote(name string) string { return pgx.Identifier{name}.Sanitize() }

func (postgresDialect) setUp(f databaseFile) string {
	return "SET LOCAL TIME ZONE INTERVAL '" + f.zone + "' HOUR TO MINUTE"
}

func (postgresDialect) columns(ctx context.Context, tx *sql.Tx, f databaseFile) (map[string]column, error) {
	rows, err := tx.QueryContext(ctx, `SELECT a.attname::text, t.typname::text, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull
		FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
		WHERE a.attrelid = to_regclass($1::text) AND a.attnum > 0 AND NOT a.attisdropped`, pgx.Identifier(f.table).Sanitize())
	return readColumns(rows, err)
}

// readColumns reads name, type, full type and whether it can be NULL.
func readColumns(rows *sql.Rows, err error) (map[string]column, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[string]column{}
	for rows.Next() {
		var name string
		var c column
		if err := rows.Scan(&name, &c.kind, &c.full, &c.nullable); err != nil {
			return nil, err
		}
		all[name] = c
	}
	return all, rows.Err()
}

// postgresRow is the name of a row in queries: one that no column has.
const postgresRow = "etl_row_"

// prepare has the database make the object, which it does without losing a digit.
func (d postgresDialect) prepare(f databaseFile, columns map[string]column) (*tableReader, error) {
	of := func(name string) string { return postgresRow + "." + d.quote(name) }
	object := "row_to_json(" + postgresRow + ")"
	if f.columns != nil {
		names := make([]string, len(f.columns))
		for i, c := range f.columns {
			names[i] = of(c)
		}
		object = "row_to_json((SELECT x FROM (SELECT " + strings.Join(names, ", ") + ") x))"
	}
	key, order, marks := of(f.key), []string{of(f.key)}, []string{"$1::text::" + columns[f.key].full}
	at := "''"
	conditions := []string{key + " IS NOT NULL"}
	r := &tableReader{row: scanRow}
	if f.time != "" {
		kind := columns[f.time]
		at, order, marks = of(f.time)+"::text", []string{of(f.time), key}, []string{"$1::text::" + kind.full, "$2::text::" + columns[f.key].full}
		conditions = append(conditions, of(f.time)+" IS NOT NULL")
		switch kind.kind {
		case "timestamptz", "timestamp", "date":
			now := "now()::" + strings.Replace(kind.kind, "date", "timestamp", 1) // why: a day is one from its beginning to its end
			conditions = append(conditions, fmt.Sprintf("%s <= %s - INTERVAL '%d microseconds'", of(f.time), now, f.age(kind, 6).Microseconds()))
			r.clock = fmt.Sprintf("SELECT now()::%s::text, now()::%s < $1::text::%s", kind.kind, kind.kind, kind.full)
		default:
			if f.delay > 0 {
				return nil, fmt.Errorf("%w: delay needs a time, and the column %q is %s", ErrSchema, f.time, kind.full)
			}
		}
	}
	if f.where != "" {
		conditions = append(conditions, "("+f.where+")")
	}
	after := fmt.Sprintf("(%s) > (%s)", strings.Join(order, ", "), strings.Join(marks, ", "))
	query := func(conditions []string) string {
		return fmt.Sprintf("SELECT %s::text, %s, %s::text FROM %s %s WHERE %s ORDER BY %s LIMIT %d", object, at, key,
			pgx.Identifier(f.table).Sanitize(), postgresRow, strings.Join(conditions, " AND "), strings.Join(order, ", "), f.batch+1)
	}
	r.first, r.next = query(conditions), query(append(slices.Clone(conditions), after))
	return r, nil
}

// scanRow reads an object and its place.
func scanRow(rows *sql.Rows) (value []byte, at rowPlace, err error) {
	err = rows.Scan(&value, &at.Time, &at.Key)
	return value, at, err
}

// passes: connections (08), transactions that lose against others (40), resources (53),
// a server that goes down or comes up (57), as the first two digits of a code say
// (PostgreSQL, appendix A). What has no code is one of the network.
func (postgresDialect) passes(err error) bool {
	var of *pgconn.PgError
	if errors.As(err, &of) {
		return len(of.Code) == 5 && slices.Contains([]string{"08", "40", "53", "57"}, of.Code[:2])
	}
	return true
}
