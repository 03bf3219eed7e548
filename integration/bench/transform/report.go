package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/integration/bench/internal/page"
)

// report is what was measured.
type report struct {
	date    time.Time
	machine string
	load    string // of the machine when it began; empty where it does not say
	options
	results []result
}

func newReport(o options) *report {
	return &report{date: time.Now(), machine: page.Machine(), load: load(), options: o}
}

// load is how many processes wanted a processor, on average over the last minute. A core
// that is shared with others does less in a second of its time.
func load() string {
	text, _ := os.ReadFile("/proc/loadavg") // other systems have none
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

// write puts the report into a README, in the place of the last one.
func (r *report) write(path string) error {
	return page.Write(path, page.Transforms, r.render(true))
}

func (r *report) render(markdown bool) string {
	where := r.machine + ", on one of them"
	if r.load != "" {
		where += ", with a load of " + r.load + " before it began"
	}
	return fmt.Sprintf("%s, %s. Medians of %d rounds of %g s of the processor.\n\n",
		r.date.Format(time.DateOnly), where, r.rounds, r.spend.Seconds()) +
		r.table().Render(markdown) + "\n" + page.Bars(r.bars()).Render(markdown) + "\n"
}

// table shows each job and way in a line. The last column is how many times as fast
// as this way ours is.
func (r *report) table() page.Table {
	lines := page.Table{{"job", "way", "MiB/s CPU", "records/s CPU", "allocations/record", "ours is"}}
	for _, found := range r.results {
		for _, name := range found.ways {
			f := found.of(name)
			line := []string{
				found.name, name, fmt.Sprintf("%.1f", f.speed), page.Grouped(f.rate), fmt.Sprintf("%.1f", f.allocations), "",
			}
			if name != ours {
				line[5] = fmt.Sprintf("%.1fx", found.of(ours).speed/f.speed)
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// bars compare ours with what it has to reach, and with the fastest way of the peer.
func (r *report) bars() []page.Bar {
	var bars []page.Bar
	for _, found := range r.results {
		speed := found.of(ours).speed
		fastest, way := 0.0, ""
		for _, name := range found.ways {
			if f := found.of(name); name != ours && f.speed > fastest {
				fastest, way = f.speed, name
			}
		}
		bars = append(bars,
			page.Bar{
				Wanted:   fmt.Sprintf("%s: at least %g MiB/s a core", found.name, found.least),
				Measured: fmt.Sprintf("%.1f MiB/s", speed), Met: speed >= found.least,
			},
			page.Bar{
				Wanted:   fmt.Sprintf("%s: at least %gx the fastest way of benthos", found.name, found.times),
				Measured: fmt.Sprintf("%.1fx of %s", speed/fastest, strings.TrimPrefix(way, "benthos ")), Met: speed >= found.times*fastest,
			})
	}
	return bars
}

// figures are the medians of a way's rounds.
type figures struct {
	speed       float64 // MiB of input in a second of the processor
	rate        float64 // records in a second of the processor
	allocations float64 // a record
}

func (r *result) of(way string) figures {
	median := func(value func(measure) float64) float64 {
		var values []float64
		for _, m := range r.measures[way] {
			values = append(values, value(m))
		}
		return page.Median(values)
	}
	return figures{
		speed:       median(measure.speed),
		rate:        median(func(m measure) float64 { return float64(m.records) / m.spent.Seconds() }),
		allocations: median(func(m measure) float64 { return float64(m.allocations) / float64(m.records) }),
	}
}
