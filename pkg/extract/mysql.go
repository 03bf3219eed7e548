package extract

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/scf-etl/scf-etl/pkg/transform"
)

// connectionIdle is how long a connection to a database is kept without being used.
const connectionIdle = time.Minute

func (l *loader) mysql(s transform.Section) {
	f, dsn := l.database(s, kindMySQL)
	text := l.value(dsn, "dsn")
	if text == "" {
		return
	}
	config, err := mysql.ParseDSN(text)
	if err != nil {
		dsn.Fault("write user:password@tcp(host:3306)/database", "dsn cannot be read") // why: its text has the password
		return
	}
	if config.DBName == "" && len(f.table) < 2 {
		dsn.Fault("write user:password@tcp(host:3306)/database", "neither dsn nor table names a database")
	}
	host, _, _ := net.SplitHostPort(config.Addr)
	if config.Net == "unix" {
		host = ""
	}
	config.TLSConfig, config.TLS, config.AllowFallbackToPlaintext = "", f.tls.config(host), false
	config.AllowAllFiles, config.MultiStatements, config.AllowCleartextPasswords = false, false, false
	config.ParseTime, config.InterpolateParams, config.CheckConnLiveness = false, true, true
	config.Collation, config.Timeout = "utf8mb4_general_ci", 10*time.Second
	config.ReadTimeout = f.timeout + 5*time.Second
	config.Logger = log.New(io.Discard, "", 0) // its errors are told as they are returned
	l.file.open = func() (source, error) {
		connector, err := mysql.NewConnector(config)
		if err != nil {
			return nil, errors.New("mysql: dsn cannot be used: write user:password@tcp(host:3306)/database")
		}
		db := sql.OpenDB(connector)
		db.SetMaxOpenConns(1)
		db.SetConnMaxIdleTime(connectionIdle)
		return &databaseSource{databaseFile: f, dialect: mysqlDialect{}, db: db, retryFor: defaultRetryFor}, nil
	}
}

type mysqlDialect struct{}

func (mysqlDialect) quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func (mysqlDialect) setUp(f databaseFile) string {
	// why NO_BACKSLASH_ESCAPES is off: the driver escapes the cursor's values with backslashes
	return "SET time_zone = '" + f.zone + "', sql_mode = 'STRICT_ALL_TABLES'"
}

func (mysqlDialect) columns(ctx context.Context, tx *sql.Tx, f databaseFile) (map[string]column, error) {
	schema := "DATABASE()"
	arguments := []any{f.table[len(f.table)-1]}
	if len(f.table) == 2 {
		schema = "?"
		arguments = append(arguments, f.table[0])
	}
	rows, err := tx.QueryContext(ctx, `SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE = 'YES'
		FROM information_schema.COLUMNS WHERE TABLE_NAME = ? AND TABLE_SCHEMA = `+schema, arguments...)
	return readColumns(rows, err)
}

// mysqlOrder says how a value of a type is written in a cursor, and read back: a
// comparison with text would be one of floating point for numbers.
func mysqlOrder(c column) (text, mark string, ok bool) {
	switch strings.ToLower(c.kind) {
	case "tinyint", "smallint", "mediumint", "int", "bigint":
		if strings.Contains(strings.ToLower(c.full), "unsigned") {
			return "CAST(%s AS CHAR)", "CAST(? AS UNSIGNED)", true
		}
		return "CAST(%s AS CHAR)", "CAST(? AS SIGNED)", true
	case "decimal":
		digits, _, _ := strings.Cut(strings.TrimPrefix(strings.ToLower(c.full), "decimal"), " ") // without unsigned
		return "CAST(%s AS CHAR)", "CAST(? AS DECIMAL" + digits + ")", true
	case "datetime", "timestamp":
		return "CAST(%s AS CHAR)", "CAST(? AS DATETIME(6))", true
	case "date":
		return "CAST(%s AS CHAR)", "CAST(? AS DATE)", true
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext":
		return "%s", "?", true
	case "binary", "varbinary":
		return "HEX(%s)", "UNHEX(?)", true
	}
	return "", "", false
}

func (d mysqlDialect) prepare(f databaseFile, columns map[string]column) (*tableReader, error) {
	const row = "etl_row_"
	of := func(name string) string { return row + "." + d.quote(name) }
	for _, name := range []string{f.key, f.time} {
		if _, _, ok := mysqlOrder(columns[name]); name != "" && !ok {
			return nil, fmt.Errorf("%w: the column %q is %s: rows can be read in the order of numbers, decimals, dates, times, texts and binaries", ErrSchema, name, columns[name].full)
		}
	}
	object := row + ".*"
	if f.columns != nil {
		names := make([]string, len(f.columns))
		for i, c := range f.columns {
			names[i] = of(c)
		}
		object = strings.Join(names, ", ")
	}
	key := of(f.key)
	keyText, keyMark, _ := mysqlOrder(columns[f.key])
	at, order, after := "''", key, key+" > "+keyMark
	conditions := []string{key + " IS NOT NULL"}
	r := &tableReader{}
	if f.time != "" {
		time := of(f.time)
		timeText, timeMark, _ := mysqlOrder(columns[f.time])
		at, order = fmt.Sprintf(timeText, time), time+", "+key
		// The first condition is one that an index serves; the values are those of [tableReader.arguments].
		after = fmt.Sprintf("%s >= %s AND (%s > %s OR %s > %s)", time, timeMark, time, timeMark, key, keyMark)
		r.twice = true
		conditions = append(conditions, time+" IS NOT NULL")
		switch strings.ToLower(columns[f.time].kind) {
		case "datetime", "timestamp", "date":
			age := f.age(columns[f.time], 0)
			conditions = append(conditions, fmt.Sprintf("%s <= NOW(6) - INTERVAL %d MICROSECOND", time, age.Microseconds()))
			r.clock = "SELECT CAST(NOW(6) AS CHAR), NOW(6) < " + timeMark
		default:
			if f.delay > 0 {
				return nil, fmt.Errorf("%w: delay needs a time, and the column %q is %s", ErrSchema, f.time, columns[f.time].full)
			}
		}
	}
	if f.where != "" {
		conditions = append(conditions, "("+f.where+")")
	}
	table := make([]string, len(f.table))
	for i, part := range f.table {
		table[i] = d.quote(part)
	}
	query := func(conditions []string) string {
		return fmt.Sprintf("SELECT %s, %s, %s FROM %s %s WHERE %s ORDER BY %s LIMIT %d", at, fmt.Sprintf(keyText, key), object,
			strings.Join(table, "."), row, strings.Join(conditions, " AND "), order, f.batch+1)
	}
	r.first, r.next = query(conditions), query(append(slices.Clone(conditions), after))
	r.row = scanMySQL
	return r, nil
}

// scanMySQL makes an object of a row: numbers as numbers, JSON as it is, binaries in
// base64, everything else as text.
func scanMySQL(rows *sql.Rows) (value []byte, at rowPlace, err error) {
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, at, err
	}
	values := make([]sql.RawBytes, len(types))
	into := make([]any, len(types))
	for i := range values {
		into[i] = &values[i]
	}
	if err := rows.Scan(into...); err != nil {
		return nil, at, err
	}
	at = rowPlace{Time: string(values[0]), Key: string(values[1])}
	value = []byte{'{'}
	for i := 2; i < len(types); i++ {
		if i > 2 {
			value = append(value, ',')
		}
		value = append(appendText(value, types[i].Name()), ':')
		value = appendMySQL(value, types[i].DatabaseTypeName(), values[i])
	}
	return append(value, '}'), at, nil
}

func appendMySQL(to []byte, kind string, v sql.RawBytes) []byte {
	if v == nil {
		return append(to, "null"...)
	}
	switch strings.TrimPrefix(kind, "UNSIGNED ") {
	case "TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "JSON":
		return append(to, v...)
	case "YEAR", "DECIMAL":
		return append(to, number(v)...)
	case "BIT":
		n := uint64(0)
		for _, b := range v {
			n = n<<8 | uint64(b)
		}
		return strconv.AppendUint(to, n, 10)
	case "BINARY", "VARBINARY", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB", "GEOMETRY", "VECTOR":
		return append(base64.StdEncoding.AppendEncode(append(to, '"'), v), '"')
	}
	return appendText(to, string(v))
}

// number takes off the zeros of ZEROFILL, which JSON does not have.
func number(v []byte) []byte {
	for len(v) > 1 && v[0] == '0' && v[1] != '.' {
		v = v[1:]
	}
	return v
}

// passes: too many connections (1040, 1203), a server that goes down (1053, 1077, 1927),
// a lock that was waited for (1205) or lost (1213), a query that took too long (1969,
// 3024), or was ended (1317), by the numbers of MySQL and MariaDB. What has no number is
// one of the network.
func (mysqlDialect) passes(err error) bool {
	var of *mysql.MySQLError
	if errors.As(err, &of) {
		return slices.Contains([]uint16{1040, 1053, 1077, 1203, 1205, 1213, 1317, 1927, 1969, 3024}, of.Number)
	}
	return true
}
