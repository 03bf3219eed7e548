package sample

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// AccessLog is n lines of a web server in the combined format, of people, robots and
// worse: the same for the same seed.
func AccessLog(n int, seed uint64) []string {
	r := rand.New(rand.NewPCG(seed, 2))
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

// JSONLog is n lines of the log of a service: the same for the same seed.
func JSONLog(n int, seed uint64) []string {
	r := rand.New(rand.NewPCG(seed, 4))
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

// Syslog is messages of RFC 3164 and RFC 5424, of their examples among others.
func Syslog() []string {
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

// BrokenLines are such as logs have beside good ones: empty, binary, cut short, of
// another encoding, two in one, with quotes and brackets that nothing closes. The long
// ones have about so many bytes.
func BrokenLines(long int) []string {
	return []string{
		"", " ", "\x00\x01\x02\xff\xfe", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", `{"a":`, `{"a":1}{"b":2}`,
		"{\"a\":\"\xb2\xe2\xca\xd4\"}",
		`1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "GET / HT`, `<34>1 2003-10-11T22:14:15.003Z host app - ID47 [a b="c`, `<999>x`, `a="b`, `"a,b`,
		strings.Repeat("x", long), `{"a":"` + strings.Repeat("y", long) + `"}`, strings.Repeat("[", long), strings.Repeat("a=1 ", long/4),
		strings.Repeat(`"`, 1<<16), "1.2.3.4 - - [x] \"" + strings.Repeat(`\`, 1<<16), strings.Repeat("1.2.3.4 - - ", 1<<14),
	}
}
