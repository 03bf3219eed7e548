package transform_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
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

// combinedLines are lines of a web server as they come, of people, robots and worse.
func combinedLines(n int) []string {
	r := rand.New(rand.NewPCG(1, 2))
	paths := []string{"/", "/api/v1/orders/48213?expand=items", "/static/app.9f2c1.js", "/search?q=%E6%B5%8B%E8%AF%95&page=2", "/login"}
	agents := []string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
		"curl/8.5.0", "Googlebot/2.1 (+http://www.google.com/bot.html)", `odd \"agent\"`,
	}
	lines := make([]string, n)
	at := time.Date(2026, 1, 2, 15, 4, 5, 0, time.FixedZone("", 8*3600))
	for i := range lines {
		at = at.Add(time.Duration(r.IntN(2000)) * time.Millisecond)
		lines[i] = fmt.Sprintf(`%d.%d.%d.%d - %s [%s] "%s %s HTTP/1.1" %d %d "%s" "%s"`, 1+r.IntN(223), r.IntN(256), r.IntN(256), r.IntN(256),
			[]string{"-", "-", "alice", "bob"}[r.IntN(4)], at.Format("02/Jan/2006:15:04:05 -0700"), []string{"GET", "GET", "POST"}[r.IntN(3)],
			paths[r.IntN(len(paths))], []int{200, 200, 200, 304, 404, 500}[r.IntN(6)], r.IntN(100_000),
			[]string{"-", "https://shop.example.com/cart"}[r.IntN(2)], agents[r.IntN(len(agents))])
	}
	return lines
}

// jsonLines are the log of a service.
func jsonLines(n int) []string {
	r := rand.New(rand.NewPCG(3, 4))
	lines := make([]string, n)
	at := time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)
	for i := range lines {
		at = at.Add(time.Duration(r.IntN(2000)) * time.Millisecond)
		lines[i] = fmt.Sprintf(`{"time":"%s","level":"%s","service":"checkout","trace_id":"%016x%016x","user":{"id":%d,"email":"use`+
			`r%d@example.com"},`+
			`"client":"10.%d.%d.%d","message":"order %d placed, 订单已提交","latency_ms":%.3f,"status":%d,"ok":true,"tags":["a","b"],"detai`+
			`l":null}`,
			at.Format("2006-01-02T15:04:05.000Z07:00"), []string{"info", "info", "info", "debug", "error"}[r.IntN(5)], r.Uint64(), r.Uint64(),
			r.IntN(1_000_000), r.IntN(1000), r.IntN(256), r.IntN(256), r.IntN(256), r.IntN(1_000_000), r.Float64()*100, 200+r.IntN(300))
	}
	return lines
}

// broken are records that no format promises anything about.
func broken() []string {
	long := 1 << 20
	if testing.Short() {
		long = 1 << 17
	}
	return []string{
		"", " ", "\x00\x01\x02\xff\xfe", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", `{"a":`, `{"a":1}{"b":2}`,
		"{\"a\":\"\xb2\xe2\xca\xd4\"}",
		`1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "GET / HT`, `<34>1 2003-10-11T22:14:15.003Z host app - ID47 [a b="c`, `<999>x`, `a="b`, `"a,b`,
		strings.Repeat("x", long), `{"a":"` + strings.Repeat("y", long) + `"}`, strings.Repeat("[", long), strings.Repeat("a=1 ", long/4),
		strings.Repeat(`"`, 1<<16), "1.2.3.4 - - [x] \"" + strings.Repeat(`\`, 1<<16), strings.Repeat("1.2.3.4 - - ", 1<<14),
	}
}

// syslogLines are messages of both RFCs, of their examples among others.
func syslogLines() []string {
	return []string{
		`<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8`,
		`<13>Feb  5 17:32:18 10.0.0.99 Use the BFG!`,
		`<30>Jan 12 06:30:00 web-1 nginx[4242]: upstream timed out`,
		`<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - ` + "\xef\xbb\xbf" + `'su root' failed`,
		`<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time to make the do-nuts.`,
		`<165>1 2003-10-11T22:14:15.003Z host evntslog - ID47 [exampleSDID@32473 iut="3" eventSource="App \"x\\\]"][p@1 class="高"] event`,
		`<0>1 - - - - - -`,
	}
}

// pseudonym is what a mask rule makes of a value, by another way.
func pseudonym(value string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(value))
	return strings.NewReplacer("0", "a", "1", "b", "2", "c", "3", "d", "4", "e", "5", "f", "6", "g", "7", "h", "8", "i", "9", "j",
		"a", "k", "b", "l", "c", "m", "d", "n", "e", "o", "f", "p").Replace(hex.EncodeToString(mac.Sum(nil)[:16]))
}
