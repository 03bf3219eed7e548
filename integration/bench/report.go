package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/integration/bench/internal/page"
)

// report is what was measured.
type report struct {
	Date      time.Time        `json:"date"`
	Machine   string           `json:"machine"`
	Rounds    int              `json:"rounds"`
	Scale     float64          `json:"scale"` // part of each case's records that was copied
	Scenarios []scenarioReport `json:"scenarios"`
	Latency   *latencies       `json:"latency,omitempty"`
	Bars      []page.Bar       `json:"bars"`
	// Absent says which copiers could not be run, and why.
	Absent []string `json:"absent,omitempty"`
}

type scenarioReport struct {
	scenario
	Name        string               `json:"name"`
	StoredBytes int64                `json:"storedBytes"` // of the batches in the source
	Measures    map[string][]measure `json:"measures"`    // by copier, one a round
	Failures    []string             `json:"failures,omitempty"`
}

// failed is nil where every copier has copied all that it should.
func (r *report) failed() error {
	var faults []error
	for _, s := range r.Scenarios {
		for _, failure := range s.Failures {
			faults = append(faults, fmt.Errorf("%s: %s", s.Name, failure))
		}
	}
	return errors.Join(faults...)
}

func newReport(o options) *report {
	return &report{Date: time.Now(), Machine: page.Machine(), Rounds: o.rounds, Scale: o.scale}
}

// print writes the report in one of the formats of -o.
func (r *report) print(w io.Writer, format string) error {
	if format == "json" {
		r.Bars = r.bars()
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	markdown := format == "markdown"
	var out strings.Builder
	fmt.Fprintf(&out, "%s, %s. Medians of %d rounds, with %g of the records of each case.\n\n",
		r.Date.Format(time.DateOnly), r.Machine, r.Rounds, r.Scale)
	out.WriteString(r.table().Render(markdown) + "\n")
	for _, s := range r.Scenarios {
		if f, ok := s.of(mirrorMaker); ok {
			fmt.Fprintf(&out, "%s: %s needs %.2f us CPU a record after its start.\n\n", s.Name, mirrorMaker, f.working)
		}
	}
	if err := r.failed(); err != nil {
		fmt.Fprintf(&out, "FAILED:\n%v\n\n", err)
	}
	for _, absent := range r.Absent {
		out.WriteString(absent + "\n\n")
	}
	if bars := r.bars(); len(bars) > 0 {
		out.WriteString(page.Bars(bars).Render(markdown) + "\n")
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// write puts the report into a README, in the place of the last one.
func (r *report) write(path string) error {
	var out strings.Builder
	if err := r.print(&out, "markdown"); err != nil {
		return err
	}
	return page.Write(path, page.Copiers, out.String())
}

// figures are the medians of a copier's rounds.
type figures struct {
	rate   float64 // records a second
	volume float64 // MB a second, 1 MB being 1,000,000 bytes of key and value
	cpu    float64 // microseconds a record
	// working is cpu without the start of the process; 0 where not measured.
	working float64
	rss     float64 // MB
	// mapBytes is the size of the offset maps, in bytes a record.
	mapBytes float64
}

// of gives the figures of a copier; false where it was not measured.
func (s scenarioReport) of(copier string) (figures, bool) {
	all := s.Measures[copier]
	if len(all) == 0 {
		return figures{}, false
	}
	median := func(value func(measure) float64) float64 {
		values := make([]float64, len(all))
		for i, m := range all {
			values[i] = value(m)
		}
		return page.Median(values)
	}
	rate := median(func(m measure) float64 { return float64(m.Records) / m.Seconds })
	return figures{
		rate:    rate,
		volume:  rate * float64(s.Size) / 1e6,
		cpu:     median(func(m measure) float64 { return m.CPUSeconds / float64(m.Records) * 1e6 }),
		working: median(func(m measure) float64 { return m.WorkingCPUSeconds / float64(m.Records) * 1e6 }),
		rss:     median(func(m measure) float64 { return float64(m.RSSBytes) / 1e6 }),

		mapBytes: median(func(m measure) float64 { return float64(m.MapBytes) / float64(m.Records) }),
	}, true
}
