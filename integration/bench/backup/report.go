package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/integration/bench/internal/page"
)

// measure is one way, done once.
type measure struct {
	outcome
	requests int64   // to the COS server
	cosCPU   float64 // seconds of its processor time
}

// rate is MB of logs a second, 1 MB being 1,000,000 bytes.
func (m measure) rate() float64 { return float64(m.Bytes) / m.Seconds / 1e6 }

// cpuRate is MB of logs in a second of the processor.
func (m measure) cpuRate() float64 { return float64(m.Bytes) / m.CPUSeconds / 1e6 }

// result is what was measured of one topic.
type result struct {
	scenario
	size     int64 // of logs, of the backup that is made up
	measures map[string][]measure
}

// median is that of one figure of a way; false where it was not measured.
func (r *result) median(way string, of func(measure) float64) (float64, bool) {
	values := make([]float64, 0, len(r.measures[way]))
	for _, m := range r.measures[way] {
		values = append(values, of(m))
	}
	if len(values) == 0 {
		return 0, false
	}
	return page.Median(values), true
}

// ratio is the median of the ratios of two ways, each taken beside each other in a round.
func (r *result) ratio(ours, raw string) (float64, bool) {
	var values []float64
	for i, m := range r.measures[ours] {
		if i < len(r.measures[raw]) {
			values = append(values, m.rate()/r.measures[raw][i].rate())
		}
	}
	if len(values) == 0 {
		return 0, false
	}
	return page.Median(values), true
}

// report is what was measured.
type report struct {
	date    time.Time
	options page.Options
	load    string
	results []*result
}

func newReport(o page.Options) *report {
	return &report{date: time.Now(), options: o, load: page.Load()}
}

func (r *report) empty() bool { return r == nil || len(r.results) == 0 }

func (r *report) render(markdown bool) string {
	var out strings.Builder
	where := page.Machine()
	if r.load != "" {
		where += ", with a load of " + r.load + " before it began"
	}
	fmt.Fprintf(&out, "%s, %s. Medians of %d rounds, with %g of the bytes of each case.\n\n",
		r.date.Format(time.DateOnly), where, r.options.Rounds, r.options.Scale)
	lines := page.Table{{"case", "way", "MB/s", "of raw", "seconds", "MB/s CPU", "CPU of COS s", "peak RSS MB", "requests to COS"}}
	for _, one := range r.results {
		for _, way := range wayNames() {
			if len(one.measures[way]) > 0 {
				lines = append(lines, one.line(way))
			}
		}
	}
	out.WriteString(lines.Render(markdown) + "\n")
	out.WriteString(page.Bars(r.bars()).Render(markdown) + "\n")
	return out.String()
}

func (r *result) line(way string) []string {
	figure := func(format string, of func(measure) float64) string {
		value, _ := r.median(way, of)
		return fmt.Sprintf(format, value)
	}
	line := []string{
		r.name, way, "", "", figure("%.3f", func(m measure) float64 { return m.Seconds }), "",
		figure("%.2f", func(m measure) float64 { return m.cosCPU }),
		figure("%.0f", func(m measure) float64 { return float64(m.RSSBytes) / 1e6 }),
		figure("%.0f", func(m measure) float64 { return float64(m.requests) }),
	}
	if way == wayIdle || way == wayMoment {
		return line
	}
	line[2], line[5] = figure("%.0f", measure.rate), figure("%.0f", measure.cpuRate)
	raw := map[string]string{wayBackup: wayFetch, wayCompress: wayFetch, wayRestore: wayProduce}[way]
	if part, ok := r.ratio(way, raw); ok {
		line[3] = fmt.Sprintf("%.2fx", part)
	}
	return line
}
