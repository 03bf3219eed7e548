package transform_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/transform"
)

// key is a key for pseudonyms.
const key = "0123456789abcdef0123456789abcdef"

func options() transform.Options {
	return transform.Options{Secret: func(env string) (string, bool) { return key, env == "ETL_KEY" }}
}

func load(t testing.TB, rules string) *transform.Rules {
	t.Helper()
	r, err := transform.Load("rules.yaml", []byte(rules), options())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// record is the first of topic in, partition 3, offset 40.
func record(value string) transform.Record {
	return transform.Record{Topic: "in", Partition: 3, Record: batch.Record{
		Offset: 40, Timestamp: 1_700_000_000_000, Key: []byte("k"), Value: []byte(value),
		Headers: []batch.Header{{Key: "trace", Value: []byte("t1")}},
	}}
}

// outcome is what one record became.
func outcome(t testing.TB, rules string, in transform.Record) ([]transform.Output, error) {
	t.Helper()
	tr := load(t, rules).New()
	var out []transform.Output
	err := tr.Transform(in, func(o transform.Output) error {
		o.Record = o.Clone()
		out = append(out, o)
		return nil
	})
	checkSum(t, tr.Counters())
	return out, err
}

func checkSum(t testing.TB, c transform.Counters) {
	t.Helper()
	if c.In != c.Passed+c.Filtered+c.Duplicate+c.Failed || c.Out < c.Passed {
		t.Errorf("the counters do not add up: %+v", c)
	}
}

// value is the one value that a record became.
func value(t testing.TB, rules, in string) string {
	t.Helper()
	out, err := outcome(t, rules, record(in))
	if err != nil {
		t.Fatal(err)
	}
	if len(out) != 1 {
		t.Fatalf("%d records came out of %s", len(out), in)
	}
	return string(out[0].Value)
}

func combinedLines(n int) []string { return sample.AccessLog(n, 1) }

func jsonLines(n int) []string { return sample.JSONLog(n, 3) }

func syslogLines() []string { return sample.Syslog() }

// broken are records that no format promises anything about.
func broken() []string {
	if testing.Short() {
		return sample.BrokenLines(1 << 17)
	}
	return sample.BrokenLines(1 << 20)
}

// pseudonym is what a mask rule makes of a value, by another way.
func pseudonym(value string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(value))
	return strings.NewReplacer("0", "a", "1", "b", "2", "c", "3", "d", "4", "e", "5", "f", "6", "g", "7", "h", "8", "i", "9", "j",
		"a", "k", "b", "l", "c", "m", "d", "n", "e", "o", "f", "p").Replace(hex.EncodeToString(mac.Sum(nil)[:16]))
}
