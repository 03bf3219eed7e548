package transform_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/transform"
)

func combinedRules(parse string) string {
	return "rules:\n- parse: " + parse + "\n- mask: {fields: [client], find: [ip]}\n"
}

const jsonRules = `
rules:
- parse: json
- filter: level != "debug" && status < 500
- mask: {fields: [client, user.email], find: [ip, email]}
`

// regexpLog is what people write for combined.
const regexpLog = `'^(?P<client>\S+) (?P<identity>\S+) (?P<user>\S+) \[(?P<time>[^\]]+)\] "(?P<method>[A-Z]+) (?P<path>\S+) ` +
	`(?P<protocol>[^"]+)" (?P<status>\d{3}) (?P<size>\d+|-) "(?P<referer>[^"]*)" "(?P<agent>(?:[^"\\]|\\.)*)"$'`

const grokLog = `'%{IPORHOST:client} %{NOTSPACE:identity} %{NOTSPACE:user} \[%{HTTPDATE:time}\] "%{WORD:method} %{NOTSPACE:path} ` +
	`HTTP/%{NUMBER:version}" %{INT:status:int} %{INT:size:int} %{QS:referer} %{QS:agent}'`

// BenchmarkTransform measures by the time of the processor, because others share
// the machine: cpu-MiB/s is the figure for one core.
func BenchmarkTransform(b *testing.B) {
	for _, c := range []struct {
		name, rules string
		lines       []string
	}{
		{"combined", combinedRules("combined"), combinedLines(1000)},
		{"regexp", combinedRules("{format: regexp, pattern: " + regexpLog + "}"), combinedLines(1000)},
		{"grok", combinedRules("{format: grok, pattern: " + grokLog + "}"), combinedLines(1000)},
		{"grok_library", "rules:\n- parse: {format: grok, pattern: '%{COMBINEDAPACHELOG}'}\n" +
			"- mask: {fields: [source.address], find: [ip]}\n", combinedLines(1000)},
		{"json", jsonRules, jsonLines(1000)},
		{"json_all", "rules:\n- parse: json\n- mask: {fields: all, find: [email, phone, id_card, bank_card, ip]}\n", jsonLines(1000)},
		{"json_pseudonym", "rules:\n- parse: json\n- mask: {fields: [user.email], hash: ETL_KEY}\n", jsonLines(1000)},
		{"json_library_expression", "rules:\n- parse: json\n- filter: status + 1 < 500\n", jsonLines(1000)},
		{"json_deduplicate", "rules:\n- parse: json\n- deduplicate: {by: [trace_id], records: 10000}\n", jsonLines(1000)},
	} {
		b.Run(c.name, func(b *testing.B) { benchmark(b, c.rules, c.lines) })
	}
}

// BenchmarkParse measures the other formats, from text to JSON.
func BenchmarkParse(b *testing.B) {
	for _, c := range []struct{ name, parse, line string }{
		{"rfc5424", "rfc5424", `<165>1 2003-10-11T22:14:15.003Z host evntslog - ID47 [exampleSDID@32473 iut="3" eventSource="App"] ` +
			`an event of some length, with words`},
		{"rfc3164", "rfc3164", `<30>Jan 12 06:30:00 web-1 nginx[4242]: upstream timed out while reading response header from upstream, client`},
		{"logfmt", "logfmt", `time=2026-01-02T15:04:05Z level=info msg="order placed by someone" order=4812 took=1.5ms user=alice status=200`},
		{"keyvalue", "{format: keyvalue, separator: ';'}", `time=2026-01-02T15:04:05Z;level=info;msg="order placed by someone";order=4812;user=alice`},
		{"csv", "{format: csv, columns: [a, b, c, d, e]}", `2026-01-02T15:04:05Z,info,"order placed, by someone",4812,alice`},
	} {
		b.Run(c.name, func(b *testing.B) { benchmark(b, "rules: [{parse: "+c.parse+"}]", []string{c.line}) })
	}
}

func benchmark(b *testing.B, rules string, lines []string) {
	records := make([]transform.Record, len(lines))
	size := 0
	for i, line := range lines {
		records[i] = record(line)
		records[i].Offset = int64(i)
		size += len(line)
	}
	t := load(b, rules).New()
	emit := func(transform.Output) error { return nil }
	for _, r := range records { // warm
		if err := t.Transform(r, emit); err != nil {
			_ = err // a malformed line is part of the load
		}
	}
	b.ReportAllocs()
	b.SetBytes(int64(size / len(lines)))
	i, begin := 0, processor()
	for b.Loop() {
		_ = t.Transform(records[i], emit)
		if i++; i == len(records) {
			i = 0
		}
	}
	spent := processor() - begin
	b.ReportMetric(float64(size/len(lines))*float64(b.N)/(1<<20)/spent.Seconds(), "cpu-MiB/s")
}

func processor() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
