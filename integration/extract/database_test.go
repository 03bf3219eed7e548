package extract

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/extract"
)

// databases runs a test on each kind.
func databases(t *testing.T, test func(t *testing.T, s *server)) {
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		test(t, servers.postgres.get(t, startPostgres))
	})
	t.Run("MariaDB", func(t *testing.T) {
		t.Parallel()
		test(t, servers.mariadb.get(t, startMariaDB))
	})
}

// table makes one of its own, and a job that reads it.
func (s *server) table(t *testing.T, name, definition, settings string) *job {
	t.Helper()
	s.exec(t, "CREATE TABLE "+name+" ("+definition+")")
	return s.job(t, name, settings)
}

func (s *server) job(t *testing.T, table, settings string) *job {
	t.Helper()
	kind := map[string]string{"postgres": "postgres", "mariadb": "mysql"}[s.kind]
	return &job{TB: t, target: embedded(t), job: "orders", env: map[string]string{"DSN": s.dsn}, file: fmt.Sprintf(`
source: {%s: {dsn: {env: DSN}, table: %s, %s}}
rules: [{parse: json}]
output: {topic: orders, key: {field: id}}
`, kind, table, settings)}
}

// rows inserts so many, with ids from first on, all of one time.
func (s *server) rows(t *testing.T, table string, first, count int, at string) {
	t.Helper()
	values := make([]string, count)
	for i := range values {
		values[i] = fmt.Sprintf("(%d, %s)", first+i, at)
	}
	s.exec(t, "INSERT INTO "+table+" (id, at) VALUES "+strings.Join(values, ", "))
}

func ids(first, end int) []string {
	var all []string
	for i := first; i < end; i++ {
		all = append(all, fmt.Sprint(i))
	}
	slices.Sort(all)
	return all
}

func TestATableByTimeAndKey(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts databases, left out by -short: make integration")
	}
	databases(t, func(t *testing.T, s *server) {
		t.Run("is read once, also where many rows have the same time and pages end between them", func(t *testing.T) {
			t.Parallel()
			j := s.table(t, "ties", "id BIGINT PRIMARY KEY, at TIMESTAMP(6) NOT NULL", "key: id, time: at, batch: 7")
			s.rows(t, "ties", 100, 50, "'2026-11-27 09:00:00.000001'")
			s.rows(t, "ties", 0, 50, "'2026-11-27 09:00:00.000002'")
			s.rows(t, "ties", 50, 50, "'2026-11-27 09:00:00.000002'")
			j.does(150, 150)
			j.does(0, 150)
			s.rows(t, "ties", 150, 30, "'2026-11-27 09:00:00.000002'") // of the last time
			s.rows(t, "ties", 180, 20, "'2026-11-27 09:00:01'")
			j.does(50, 200)
			if got := j.keys("orders"); !slices.Equal(got, ids(0, 200)) {
				t.Errorf("got %d keys: %v", len(got), got)
			}
			s.exec(t, "UPDATE ties SET at = '2026-11-27 09:00:02' WHERE id = 3")
			j.does(1, 201) // what changes comes again
		})
		t.Run("waits for the delay, and for times that have not come", func(t *testing.T) {
			t.Parallel()
			j := s.table(t, "late", "id BIGINT PRIMARY KEY, at TIMESTAMP(6) NOT NULL", "key: id, time: at, delay: 1h")
			s.rows(t, "late", 0, 1, "CURRENT_TIMESTAMP - INTERVAL '2' HOUR")
			s.rows(t, "late", 1, 1, "CURRENT_TIMESTAMP")
			s.rows(t, "late", 2, 1, "CURRENT_TIMESTAMP + INTERVAL '2' HOUR")
			j.does(1, 1)
			j.file = strings.Replace(j.file, "delay: 1h", "delay: 1ms", 1)
			j.does(1, 2)
		})
		t.Run("leaves a day alone before it is over, where the time is a date", func(t *testing.T) {
			t.Parallel()
			now := time.Now().UTC()
			zone := fmt.Sprintf("%+03d:00", 12-now.Hour()) // where it is about noon
			j := s.table(t, "days", "id BIGINT PRIMARY KEY, at DATE NOT NULL", "key: id, time: at, delay: 0, zone: '"+zone+"'")
			day := func(days int) string { return now.AddDate(0, 0, days).Format("'2006-01-02'") }
			s.rows(t, "days", 0, 2, day(-1))
			s.rows(t, "days", 2, 2, day(0))
			s.rows(t, "days", 4, 2, day(1))
			j.does(2, 2)
			j.does(0, 2)
		})
		t.Run("is an error where the database's clock was moved back behind what was taken", func(t *testing.T) {
			t.Parallel()
			naive := map[string]string{"postgres": "timestamp", "mariadb": "datetime(6)"}[s.kind]
			j := s.table(t, "clock", "id BIGINT PRIMARY KEY, at "+naive+" NOT NULL", "key: id, time: at, zone: '+08:00'")
			s.rows(t, "clock", 0, 3, "CURRENT_TIMESTAMP + INTERVAL '7' HOUR") // times without a zone, of UTC+8
			j.does(3, 3)
			j.file = strings.Replace(j.file, "+08:00", "+00:00", 1)
			if err := j.fails("the last row taken is of", "3 records in all"); !errors.Is(err, extract.ErrClock) {
				t.Error(err)
			}
		})
	})
}

func TestATableByKey(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts databases, left out by -short: make integration")
	}
	databases(t, func(t *testing.T, s *server) {
		t.Run("is read in the order of numbers beyond what floating point can tell apart", func(t *testing.T) {
			t.Parallel()
			j := s.table(t, "large", "id BIGINT PRIMARY KEY", "key: id, batch: 2")
			const first = 9007199254740992 // 2^53
			var want []string
			for i := range 9 {
				s.exec(t, fmt.Sprintf("INSERT INTO large VALUES (%d)", first+i))
				want = append(want, fmt.Sprint(first+i))
			}
			j.does(9, 9)
			if got := j.keys("orders"); !slices.Equal(got, want) {
				t.Errorf("got %v", got)
			}
		})
		t.Run("is read in the order of texts and decimals, and of a part of the rows", func(t *testing.T) {
			t.Parallel()
			j := s.table(t, "codes", "id VARCHAR(20) PRIMARY KEY, n DECIMAL(30,10) NOT NULL UNIQUE", `key: id, batch: 2, where: "id <> 'c'", columns: [id]`)
			s.exec(t, `INSERT INTO codes VALUES ('a', 1.1), ('b''/', 12345678901234567890.0000000001), ('c', 3), ('é', 12345678901234567890.0000000002), ('z"', -5)`)
			j.does(4, 4)
			j.does(0, 4)
			j.job, j.file = "other", strings.Replace(strings.Replace(j.file, "key: id", "key: n", 1), "topic: orders", "topic: others", 1)
			j.does(4, 4)
			if got := j.keys("others"); !slices.Equal(got, []string{"a", `b'/`, `z"`, "é"}) {
				t.Errorf("got %q", got)
			}
		})
		t.Run("gives each row as an object, without losing a digit", func(t *testing.T) {
			t.Parallel()
			of := map[string][3]string{
				"postgres": {
					"id BIGINT PRIMARY KEY, d NUMERIC, f DOUBLE PRECISION, s TEXT, b BYTEA, t TIMESTAMPTZ, j JSON, u UUID, o BOOLEAN, n INT",
					`(9223372036854775807, 0.10000000000000000000000001, 0.1, 'a"\é' || chr(10), '\x00ff', '2026-11-27 09:00:00.123456+08', '{"a": [1]}', '0b2d6a54-7f0e-4a3a-9f8e-0d8c3a2d7c11', true, NULL)`,
					`{"id":9223372036854775807,"d":0.10000000000000000000000001,"f":0.1,"s":"a\"\\é\n","b":"\\x00ff","t":"2026-11-27T01:00:00.123456+00:00","j":{"a": [1]},"u":"0b2d6a54-7f0e-4a3a-9f8e-0d8c3a2d7c11","o":true,"n":null}`,
				},
				"mariadb": {
					"id BIGINT UNSIGNED PRIMARY KEY, d DECIMAL(40,26), f DOUBLE, s TEXT, b VARBINARY(9), t DATETIME(6), y YEAR, i BIT(9), e ENUM('x'), n INT",
					`(18446744073709551615, 0.10000000000000000000000001, 0.1, 'a"\\é\n', X'00ff', '2026-11-27 09:00:00.123456', 2026, 257, 'x', NULL)`,
					`{"id":18446744073709551615,"d":0.10000000000000000000000001,"f":0.1,"s":"a\"\\é\n","b":"AP8=","t":"2026-11-27 09:00:00.123456","y":2026,"i":257,"e":"x","n":null}`,
				},
			}[s.kind]
			j := s.table(t, "kinds", of[0], "key: id")
			s.exec(t, "INSERT INTO kinds VALUES "+of[1])
			j.does(1, 1)
			if got := string(records(t, j.target, "orders")[0].Value); got != of[2] {
				t.Errorf("got  %s\nwant %s", got, of[2])
			}
		})
		t.Run("that is not as the file says is an error with what is wrong", func(t *testing.T) {
			t.Parallel()
			s.exec(t, "CREATE TABLE loose (id BIGINT, at TIMESTAMP NULL, more INT NOT NULL)")
			s.exec(t, "INSERT INTO loose VALUES (1, '2026-11-27 09:00:00', 5), (1, '2026-11-27 09:00:00', 6), (NULL, NULL, 7)")
			for settings, want := range map[string]string{
				"key: id":                                     "can be NULL",
				"key: nr":                                     `there is no column "nr"`,
				"key: more, columns: [id, x]":                 `there is no column "x"`,
				"key: id, nulls: skip, time: at":              "two rows have the at, id",
				"key: id, nulls: skip, batch: 1":              "two rows have the id id 1",
				"key: more, where: 'syntax error here )'":     "syntax",
				"key: id, nulls: skip, time: more, delay: 1s": "delay needs a time",
			} {
				j := s.job(t, "loose", settings)
				j.fails(want, "table loose", "0 records in all")
			}
			s.job(t, "nowhere", "key: id").fails("there is no such table")
		})
		t.Run("whose columns change in the middle goes on with what is there, or says what is gone", func(t *testing.T) {
			t.Parallel()
			j := s.table(t, "changing", "id BIGINT PRIMARY KEY, a INT", "key: id, batch: 2")
			s.exec(t, "INSERT INTO changing VALUES (1, 1), (2, 2), (3, 3)")
			j.does(3, 3)
			s.exec(t, "ALTER TABLE changing ADD COLUMN b INT", "INSERT INTO changing VALUES (4, 4, 4)")
			j.does(1, 4)
			s.exec(t, "ALTER TABLE changing RENAME COLUMN id TO number", "INSERT INTO changing VALUES (5, 5, 5)")
			if err := j.fails(`no column "id"`, "4 records in all"); !errors.Is(err, extract.ErrSchema) {
				t.Error(err)
			}
		})
		t.Run("is not read over a connection that is not verified, where that is asked for", func(t *testing.T) {
			t.Parallel()
			j := s.table(t, "private", "id BIGINT PRIMARY KEY", "key: id, timeout: 2s, tls: verify")
			if err := j.fails("TLS"); !errors.Is(err, extract.ErrSource) {
				t.Error(err)
			}
		})
	})
}
