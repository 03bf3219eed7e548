package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/integration/bench/internal/page"
)

// measured is one way of a case.
type measured struct {
	name, way string
	rounds    []outcome
}

func (m *measured) median(of func(outcome) float64) float64 {
	var values []float64
	for _, o := range m.rounds {
		values = append(values, of(o))
	}
	return page.Median(values)
}

func cpu(o outcome) float64  { return o.CPUSeconds }
func wall(o outcome) float64 { return o.Seconds }
func rss(o outcome) float64  { return float64(o.RSSBytes) / 1e6 }

// report is what was measured.
type report struct {
	date    time.Time
	options page.Options
	before  string // the load of the machine
	all     []*measured
}

func newReport(o page.Options) *report {
	return &report{date: time.Now(), options: o, before: page.Load()}
}

func (r *report) empty() bool { return r == nil || len(r.all) == 0 }

func (r *report) add(name, way string, o outcome) {
	m := r.find(name, way)
	if m == nil {
		m = &measured{name: name, way: way}
		r.all = append(r.all, m)
	}
	m.rounds = append(m.rounds, o)
}

func (r *report) find(name, way string) *measured {
	for _, m := range r.all {
		if m.name == name && m.way == way {
			return m
		}
	}
	return nil
}

func (r *report) render(markdown bool) string {
	var out strings.Builder
	where := page.Machine()
	if r.before != "" {
		where += ", with a load of " + r.before + " before it began"
	}
	fmt.Fprintf(&out, "%s, %s. Medians of %d rounds, with %g of the rows of each case.\n\n",
		r.date.Format(time.DateOnly), where, r.options.Rounds, r.options.Scale)
	lines := page.Table{{"case", "way", "seconds", "seconds CPU", "MB/s CPU", "peak RSS MB"}}
	for _, m := range r.all {
		rate := ""
		if m.name == caseLoad {
			rate = fmt.Sprintf("%.0f", m.rate())
		}
		lines = append(
			lines,
			[]string{m.name, m.way, fmt.Sprintf("%.3f", m.median(wall)), fmt.Sprintf("%.3f", m.median(cpu)), rate,
				fmt.Sprintf("%.0f", m.median(rss))},
		)
	}
	out.WriteString(lines.Render(markdown) + "\n")
	out.WriteString(page.Bars(r.bars()).Render(markdown) + "\n")
	return out.String()
}

// rate is MB of JSON lines in a second of the processor.
func (m *measured) rate() float64 {
	return m.median(func(o outcome) float64 { return float64(o.Bytes) / 1e6 / o.CPUSeconds })
}

func (r *report) bars() (bars []page.Bar) {
	if m := r.find(caseLoad, wayOurs); m != nil {
		bars = append(
			bars,
			page.Bar{
				Wanted:   "load: at least 100 MB/s of JSON lines a core",
				Measured: fmt.Sprintf("%.0f MB/s", m.rate()),
				Met:      m.rate() >= 100,
			},
			page.Bar{
				Wanted:   "load: at most 256 MB of memory",
				Measured: fmt.Sprintf("%.0f MB", m.median(rss)),
				Met:      m.median(rss) <= 256,
			},
		)
	}
	for _, q := range questions() {
		ours, theirs := r.find(q.name, wayOurs), r.find(q.name, wayDuckDB)
		if ours == nil || theirs == nil {
			continue
		}
		byCPU, byWall := ours.median(cpu)/theirs.median(cpu), ours.median(wall)/theirs.median(wall)
		bars = append(bars, page.Bar{
			Wanted:   q.name + ": at most 3x of DuckDB on one thread",
			Measured: fmt.Sprintf("%.2fx of its processor time, %.2fx of its time", byCPU, byWall), Met: byCPU <= 3,
		})
	}
	return bars
}
