package extract_test

import (
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/extract"
)

func TestATimeOfATable(t *testing.T) {
	t.Parallel()
	const postgres = "postgres: {dsn: 'postgres://u@localhost/shop', "
	const mysql = "mysql: {dsn: 'u@tcp(localhost:3306)/shop', "
	query := func(t *testing.T, source, kind, full string) string {
		t.Helper()
		file, err := extract.Load("e.yaml", []byte("source: {"+source+"table: a, key: id, time: at}}\noutput: {format: raw, topic: t}\n"), extract.Options{})
		must(t, err)
		text, err := extract.QueryByTime(file, kind, full)
		must(t, err)
		return text
	}
	for _, c := range []struct{ source, kind, full, want string }{
		{mysql, "datetime", "datetime", "`at` <= NOW(6) - INTERVAL 11000000 MICROSECOND"},
		{mysql + "delay: 0, ", "datetime", "datetime", "`at` <= NOW(6) - INTERVAL 1000000 MICROSECOND"},
		{mysql + "delay: 0s, ", "timestamp", "timestamp(3)", "`at` <= NOW(6) - INTERVAL 1000 MICROSECOND"},
		{mysql + "delay: 5s, ", "datetime", "datetime(6)", "`at` <= NOW(6) - INTERVAL 5000001 MICROSECOND"},
		{mysql + "delay: 0, ", "date", "date", "`at` <= NOW(6) - INTERVAL 86400000000 MICROSECOND"},
		{postgres, "timestamptz", "timestamp with time zone", `"at" <= now()::timestamptz - INTERVAL '10000001 microseconds'`},
		{postgres + "delay: 0, ", "timestamp", "timestamp(0) without time zone", `"at" <= now()::timestamp - INTERVAL '1000000 microseconds'`},
		{postgres + "delay: 0, ", "date", "date", `"at" <= now()::timestamp - INTERVAL '86400000000 microseconds'`},
	} {
		t.Run("is not taken before no other row can get it: "+c.full+" by "+c.source, func(t *testing.T) {
			t.Parallel()
			if got := query(t, c.source, c.kind, c.full); !strings.Contains(got, c.want) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
	t.Run("that is a number has no delay", func(t *testing.T) {
		t.Parallel()
		for _, source := range []string{mysql, mysql + "delay: 0, ", postgres} {
			if got := strings.ToLower(query(t, source, "bigint", "bigint")); strings.Contains(got, "now(") {
				t.Error(got)
			}
		}
	})
}
