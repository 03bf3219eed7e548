package extract

import (
	"context"
	"crypto/tls"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/go-sql-driver/mysql"
)

// databaseSource reads a table in the order of a key, or of a time and a key.
type databaseSource struct {
	databaseFile
	dialect  dialect
	db       *sql.DB
	reader   *tableReader // nil: the table has not been looked at in this run
	retryFor time.Duration
}

// dialect is what databases do in ways of their own.
type dialect interface {
	// quote makes a name of SQL.
	quote(name string) string
	// columns says what the table has.
	columns(ctx context.Context, tx *sql.Tx, f databaseFile) (map[string]column, error)
	// prepare makes the query of a page, once the types of its columns are known.
	prepare(f databaseFile, columns map[string]column) (*tableReader, error)
	// setUp is run at the beginning of each transaction.
	setUp(f databaseFile) string
	// passes says that an error is one that time mends.
	passes(err error) bool
}

// column is what a database says of one.
type column struct {
	kind     string // as SQL names it, such as bigint
	full     string // with length and the like
	nullable bool
}

// tableReader reads pages of a table whose types are known.
type tableReader struct {
	first, next string // of a page; next takes the cursor's values: time, where there is one, and key
	clock       string // its time, and whether that is before the one it takes; "": time is no time, but a number
	twice       bool   // next takes time two times
	row         func(*sql.Rows) (value []byte, at rowPlace, err error)
}

// arguments are the values that next takes.
func (r *tableReader) arguments(from rowPlace, timed bool) []any {
	switch {
	case !timed:
		return []any{from.Key}
	case r.twice:
		return []any{from.Time, from.Time, from.Key}
	}
	return []any{from.Time, from.Key}
}

// rowPlace is a row's place in the order.
type rowPlace struct {
	Time string `json:"time,omitempty"`
	Key  string `json:"key"`
}

func (s *databaseSource) kind() string {
	return fmt.Sprintf("%s %s by %s", s.databaseFile.kind, strings.Join(s.table, "."), s.order())
}

func (s *databaseSource) order() string {
	if s.time == "" {
		return s.key
	}
	return s.time + ", " + s.key
}

func (s *databaseSource) begin() { s.reader = nil }

func (s *databaseSource) close() { _ = s.db.Close() } // of reads alone

// page reads rows behind a state. It tries again where the database is away.
func (s *databaseSource) page(ctx context.Context, state json.RawMessage) (page, error) {
	var from *rowPlace
	if state != nil {
		if err := json.Unmarshal(state, &from); err != nil {
			return page{}, fmt.Errorf("%w: %w", ErrCursor, err)
		}
	}
	delays := backoff.NewExponentialBackOff()
	delays.InitialInterval, delays.MaxInterval = 200*time.Millisecond, 5*time.Second
	for since := time.Now(); ; {
		p, err := s.read(ctx, from)
		if err == nil {
			return p, nil
		}
		err = fmt.Errorf("table %s: %w", strings.Join(s.table, "."), err)
		delay := delays.NextBackOff()
		if ctx.Err() != nil || s.permanent(err) || time.Since(since)+delay > s.retryFor {
			return page{}, err
		}
		if pause(ctx, delay) != nil {
			return page{}, err
		}
	}
}

func (s *databaseSource) permanent(err error) bool {
	var final permanent
	for _, of := range []error{ErrSchema, ErrClock, ErrRepeated, ErrCursor} {
		if errors.Is(err, of) {
			return true
		}
	}
	return errors.As(err, &final) || refusedTLS(err) || !s.dialect.passes(err)
}

// refusedTLS says that a server has no TLS, or a certificate that is not to be trusted:
// time mends neither.
func refusedTLS(err error) bool {
	var certificate *tls.CertificateVerificationError
	return errors.As(err, &certificate) || errors.Is(err, mysql.ErrNoTLS) ||
		strings.Contains(err.Error(), "server refused TLS connection") // why: pgconn has no name for it
}

// read asks once, in one transaction that writes nothing.
func (s *databaseSource) read(ctx context.Context, from *rowPlace) (page, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return page{}, fmt.Errorf("%w: %w", ErrSource, err)
	}
	defer func() { _ = tx.Rollback() }() // of reads alone
	if _, err := tx.ExecContext(ctx, s.dialect.setUp(s.databaseFile)); err != nil {
		return page{}, fmt.Errorf("%w: %w", ErrSource, err)
	}
	if s.reader == nil {
		if s.reader, err = s.look(ctx, tx); err != nil {
			return page{}, err
		}
	}
	if err := s.clock(ctx, tx, from); err != nil {
		return page{}, err
	}
	return s.rows(ctx, tx, from)
}

// look makes sure that the table has what the file names.
func (s *databaseSource) look(ctx context.Context, tx *sql.Tx) (*tableReader, error) {
	columns, err := s.dialect.columns(ctx, tx, s.databaseFile)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSource, err)
	}
	if len(columns) == 0 {
		return nil, refusal("there is no such table, or the user may not see it")
	}
	for _, name := range append([]string{s.key, s.time}, s.columns...) {
		c, ok := columns[name]
		switch {
		case name == "":
		case !ok:
			return nil, fmt.Errorf("%w: there is no column %q", ErrSchema, name)
		case (name == s.key || name == s.time) && c.nullable && !s.nulls:
			return nil, refusal("the column %q can be NULL, and rows where it is would never be read: make it NOT NULL, or write nulls: skip", name)
		}
	}
	return s.dialect.prepare(s.databaseFile, columns)
}

// clock makes sure that the database's clock is not behind what was taken: rows that are
// written then would be passed over.
func (s *databaseSource) clock(ctx context.Context, tx *sql.Tx, from *rowPlace) error {
	if s.reader.clock == "" || from == nil {
		return nil
	}
	var now string
	var back bool
	err := tx.QueryRowContext(ctx, s.reader.clock, from.Time).Scan(&now, &back)
	if err != nil {
		return fmt.Errorf("%w: its clock: %w", ErrSource, err)
	}
	if back {
		return fmt.Errorf("%w: it says %s, and the last row taken is of %s: what is written until then would be passed over", ErrClock, now, from.Time)
	}
	return nil
}

// fullPage is where a page of a table ends, however many rows it has.
const fullPage = 16 << 20

// rows reads a page.
func (s *databaseSource) rows(ctx context.Context, tx *sql.Tx, from *rowPlace) (page, error) {
	query, arguments := s.reader.first, []any(nil)
	if from != nil {
		query, arguments = s.reader.next, s.reader.arguments(*from, s.time != "")
	}
	rows, err := tx.QueryContext(ctx, query, arguments...)
	if err != nil {
		return page{}, fmt.Errorf("%w: %w", ErrSource, err)
	}
	defer rows.Close()
	p, last := page{name: "table " + strings.Join(s.table, "."), last: true}, from
	for rows.Next() {
		value, at, err := s.reader.row(rows)
		if err != nil {
			return page{}, fmt.Errorf("%w: %w", ErrSource, err)
		}
		if last != nil && at == *last {
			return page{}, refusal("two rows have the %s %s: name a key that is unique, or rows would be lost where a page ends between them", s.order(), s.position(at))
		}
		if len(p.items) == s.batch || p.bytes >= fullPage {
			p.last = false // this one is of the next page
			break
		}
		p.items = append(p.items, item{value: value, where: s.position(at)})
		p.bytes += int64(len(value))
		last = &at
	}
	if err := rows.Err(); err != nil {
		return page{}, fmt.Errorf("%w: after %d rows: %w", ErrSource, len(p.items), err)
	}
	if last == nil {
		return p, nil // the table is empty
	}
	p.state, err = json.Marshal(last)
	return p, err
}

// position names a row in errors and dead letters.
func (s *databaseSource) position(at rowPlace) string {
	if s.time == "" {
		return fmt.Sprintf("%s %.200s", s.key, at.Key)
	}
	return fmt.Sprintf("%s %.100s, %s %.200s", s.time, at.Time, s.key, at.Key)
}
