package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/integration/bench/internal/page"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

// records of a case, and of a page of it.
const (
	caseRecords = 400_000
	pageRecords = 5_000
)

// cases are the formats of a page.
func cases() []string { return []string{"ndjson", "json", "csv"} }

// result is what a case has measured: medians.
type result struct {
	name                 string
	records              int
	bytes                float64 // of a record
	cpu, wall, megabytes float64 // records a second of each; the peak of memory
}

// measured is what a child says.
type measured struct {
	Records int64   `json:"records"`
	Bytes   int64   `json:"bytes"`
	CPU     float64 `json:"cpu"`
	Wall    float64 `json:"wall"`
	Peak    int64   `json:"peak"`
}

func bench(ctx context.Context, o page.Options) ([]result, error) {
	var results []result
	for _, name := range cases() {
		if !o.Cases.MatchString(name) {
			continue
		}
		r := result{name: name, records: int(caseRecords * o.Scale)}
		var cpu, wall, peak []float64
		for range o.Rounds {
			m, err := measure(ctx, name, r.records)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			cpu, wall = append(cpu, float64(m.Records)/m.CPU), append(wall, float64(m.Records)/m.Wall)
			peak = append(peak, float64(m.Peak)/(1<<20))
			r.bytes = float64(m.Bytes) / float64(m.Records)
		}
		r.cpu, r.wall, r.megabytes = page.Median(cpu), page.Median(wall), page.Median(peak)
		results = append(results, r)
	}
	return results, nil
}

// measure extracts from a source and into brokers of its own, in a child.
func measure(ctx context.Context, format string, records int) (m measured, err error) {
	brokers, err := localkafka.Start(localkafka.Config{})
	if err != nil {
		return m, err
	}
	defer brokers.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return m, err
	}
	server := &http.Server{Handler: source(format, records), ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // ends with Close
	defer server.Close()
	program, err := os.Executable()
	if err != nil {
		return m, err
	}
	command := exec.CommandContext(ctx, program, childCommand, format, "http://"+listener.Addr().String()+"/", strings.Join(brokers.Brokers(), ","))
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(out, &m); err != nil {
		return m, err
	}
	if m.Records != int64(records) {
		return m, fmt.Errorf("%d records were extracted, of %d", m.Records, records)
	}
	return m, nil
}

// source gives numbered pages, the same lines over and over with other ids.
func source(format string, records int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		number, _ := strconv.Atoi(r.URL.Query().Get("page"))
		var b bytes.Buffer
		if format == "csv" {
			b.WriteString("id,time,user,path,status,ms,agent\n")
		}
		if format == "json" {
			b.WriteByte('[')
		}
		for i := number * pageRecords; i < min((number+1)*pageRecords, records); i++ {
			switch {
			case format == "csv":
				fmt.Fprintf(&b, "%d,2026-11-27T09:00:00Z,user-%d,/api/orders/%d/items,200,%d,Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\n", i, i%977, i, i%300)
				continue
			case format == "json" && i > number*pageRecords:
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `{"id":%d,"time":"2026-11-27T09:00:00Z","user":"user-%d","path":"/api/orders/%d/items","status":200,"ms":%d,"agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"}`, i, i%977, i, i%300)
			if format == "ndjson" {
				b.WriteByte('\n')
			}
		}
		if format == "json" {
			b.WriteByte(']')
		}
		w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
		_, _ = w.Write(b.Bytes()) // the client says what is missing
	}
}

// wantedRecords is the bar: records a second of one core.
const wantedRecords = 20_000

func render(results []result, o page.Options, markdown bool) string {
	table := page.Table{{"source", "bytes/record", "records/s CPU", "records/s", "peak MiB"}}
	var bars []page.Bar
	for _, r := range results {
		table = append(table, []string{r.name, page.Grouped(r.bytes), page.Grouped(r.cpu), page.Grouped(r.wall), page.Grouped(r.megabytes)})
		if r.name == "ndjson" {
			bars = append(bars, page.Bar{
				Wanted:   fmt.Sprintf("%s: at least %s records/s a core", r.name, page.Grouped(wantedRecords)),
				Measured: page.Grouped(r.cpu), Met: r.cpu >= wantedRecords,
			})
		}
	}
	text := fmt.Sprintf("%s, %s, with a load of %s at the end. Medians of %d rounds of %s records.\n\n%s\n",
		time.Now().UTC().Format(time.DateOnly), page.Machine(), page.Load(), o.Rounds, page.Grouped(float64(results[0].records)), table.Render(markdown))
	if len(bars) > 0 {
		text += page.Bars(bars).Render(markdown) + "\n"
	}
	return text
}
