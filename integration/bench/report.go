package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
)

// report is what was measured.
type report struct {
	Date      time.Time        `json:"date"`
	Rounds    int              `json:"rounds"`
	Scenarios []scenarioReport `json:"scenarios"`
}

type scenarioReport struct {
	scenario
	Name        string               `json:"name"`
	StoredBytes int64                `json:"storedBytes"` // of the batches in the source
	Measures    map[string][]measure `json:"measures"`    // by copier, one a round
}

func newReport(o options) *report { return &report{Date: time.Now(), Rounds: o.rounds} }

// print writes the report in one of the formats of -o.
func (r *report) print(w io.Writer, format string) error {
	if format == "json" {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	_, err := fmt.Fprintln(w, r.table().render(format == "markdown"))
	return err
}

// figures are the medians of a copier's rounds.
type figures struct {
	rate   float64 // records a second
	volume float64 // MB a second, 1 MB being 1,000,000 bytes of key and value
	cpu    float64 // microseconds a record
	rss    float64 // MiB
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
		slices.Sort(values)
		return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
	}
	rate := median(func(m measure) float64 { return float64(m.Records) / m.Seconds })
	return figures{
		rate:   rate,
		volume: rate * float64(s.Size) / 1e6,
		cpu:    median(func(m measure) float64 { return m.CPUSeconds / float64(m.Records) * 1e6 }),
		rss:    median(func(m measure) float64 { return float64(m.RSSBytes) / (1 << 20) }),
	}, true
}
