package main

import (
	"fmt"

	"github.com/scf-etl/scf-etl/integration/bench/internal/page"
)

// bars are those that this run has measured.
func (r *report) bars() (bars []page.Bar) {
	for _, one := range r.results {
		switch one.name {
		case oneNone, oneZstd:
			bars = append(bars, one.rates()...)
			bars = append(bars, one.memory()...)
		case fourNone:
			bars = append(bars, one.ratios()...)
		case hundredNone:
			bars = append(bars, one.memory()...)
		case idle:
			bars = append(bars, one.below(wayIdle, "a run over 400 partitions with nothing new below 1 s", nil))
		case moment:
			bars = append(bars, one.below(
				wayMoment, fmt.Sprintf("a moment found in a backup of %.0f GB below 1 s", float64(one.size)/1e9), one.requests()))
		}
	}
	return bars
}

// ratios compare with the raw ways.
func (r *result) ratios() (bars []page.Bar) {
	if part, ok := r.ratio(wayBackup, wayFetch); ok {
		bars = append(bars, page.Bar{
			Wanted: r.name + ": backup at least 0.8x of a raw fetch", Measured: fmt.Sprintf("%.2fx", part), Met: part >= 0.8,
		})
	}
	rate, _ := r.median(wayRestore, measure.rate)
	if part, ok := r.ratio(wayRestore, wayProduce); ok {
		bars = append(bars, page.Bar{
			Wanted:   r.name + ": restore at least 200 MB/s, or 0.8x of a raw produce",
			Measured: fmt.Sprintf("%.0f MB/s, %.2fx", rate, part), Met: rate >= 200 || part >= 0.8,
		})
	}
	return bars
}

func (r *result) rates() (bars []page.Bar) {
	if rate, ok := r.median(wayBackup, measure.rate); ok {
		cpu, _ := r.median(wayBackup, measure.cpuRate)
		bars = append(bars, page.Bar{
			Wanted:   r.name + ": backup at least 150 MB/s a partition",
			Measured: fmt.Sprintf("%.0f MB/s (%.0f MB/s CPU)", rate, cpu), Met: rate >= 150,
		})
	}
	return append(bars, r.ratios()...)
}

// memory is about the most that any of our ways has taken.
func (r *result) memory() []page.Bar {
	worst, by := 0.0, ""
	for _, way := range []string{wayBackup, wayCompress, wayRestore} {
		for _, m := range r.measures[way] {
			if rss := float64(m.RSSBytes) / 1e6; rss > worst {
				worst, by = rss, way
			}
		}
	}
	return []page.Bar{{
		Wanted:   r.name + ": peak RSS of backup and restore at most 150 MB",
		Measured: fmt.Sprintf("%.0f MB (%s)", worst, by), Met: worst <= 150,
	}}
}

// below is about a way that takes less than a second.
func (r *result) below(way, wanted string, more []string) page.Bar {
	seconds, _ := r.median(way, func(m measure) float64 { return m.Seconds })
	bar := page.Bar{Wanted: wanted, Measured: fmt.Sprintf("%.3f s", seconds), Met: seconds < 1}
	for _, text := range more {
		bar.Measured += ", " + text
	}
	return bar
}

// requests says how many a search for a moment takes, and how many objects there are.
func (r *result) requests() []string {
	most := 0.0
	for _, m := range r.measures[wayMoment] {
		most = max(most, float64(m.requests))
	}
	segments := largePartitions * largeRuns * segmentsPerRun
	return []string{fmt.Sprintf("%.0f requests of %d objects", most, segments+largeRuns+1)}
}
