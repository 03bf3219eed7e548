package main

import (
	"fmt"

	"github.com/scf-etl/scf-etl/integration/bench/internal/page"
)

// The scenarios that bars are about, by their name.
const (
	fourNone = "4p 1KB none large"
	fourLZ4  = "4p 1KB lz4 large"
	fourZstd = "4p 1KB zstd large"
	oneNone  = "1p 1KB none large"

	fortyNone       = "40p 1KB none large"
	fortyZstd       = "40p 1KB zstd large"
	fourHundredNone = "400p 1KB none large"
)

// bars are those that this run has measured; a run of a few cases leaves out
// the others.
func (r *report) bars() []page.Bar {
	var found []page.Bar
	for _, name := range []string{fourNone, fourLZ4, fourZstd} {
		found = append(found, r.against(name, engine, mirrorMaker, 8, 0.05)...)
	}
	found = append(found, r.against(fourNone, engine, franz, 1.2, 0.7)...)
	found = append(found, r.against(fourZstd, engine, franz, 4, 0.1)...)
	for _, name := range []string{fortyNone, fortyZstd, fourHundredNone} {
		found = append(found, r.against(name, follower, mirrorMaker, 6, 0.0667)...)
	}
	for _, name := range []string{fourNone, fourLZ4, fourZstd} {
		found = append(found, r.limit(name)...)
	}
	found = append(found, r.memory(engine, 100)...)
	found = append(found, r.memory(follower, 150)...)
	found = append(found, r.verification()...)
	return append(found, r.local()...)
}

// against compares one of ours with a peer: at least so many times its records
// a second, at most that part of its processor time.
func (r *report) against(name, our, peer string, faster, cpu float64) []page.Bar {
	ours, theirs, ok := r.two(name, our, peer)
	if !ok {
		return nil
	}
	rate, part := ours.rate/theirs.rate, ours.cpu/theirs.cpu
	part2 := ""
	if theirs.working > 0 {
		part2 = fmt.Sprintf(" (%.3fx of its CPU after its start)", ours.cpu/theirs.working)
	}
	return []page.Bar{
		{
			Wanted:   fmt.Sprintf("%s: at least %gx the msg/s of %s", name, faster, peer),
			Measured: fmt.Sprintf("%.2fx", rate), Met: rate >= faster,
		},
		{
			Wanted:   fmt.Sprintf("%s: at most %gx the CPU of %s", name, cpu, peer),
			Measured: fmt.Sprintf("%.3fx%s", part, part2), Met: part <= cpu,
		},
	}
}

// two gives the figures of two copiers of a scenario.
func (r *report) two(name, one, other string) (a, b figures, ok bool) {
	for _, s := range r.Scenarios {
		if s.Name == name {
			a, first := s.of(one)
			b, second := s.of(other)
			return a, b, first && second
		}
	}
	return a, b, false
}

// limit compares the engine with the slower of its two halves.
func (r *report) limit(name string) []page.Bar {
	ours, fetch, fetched := r.two(name, engine, fetchOnly)
	_, produce, produced := r.two(name, engine, produceOnly)
	if !fetched || !produced {
		return nil
	}
	slower, half := produce, produceOnly
	if fetch.rate < produce.rate {
		slower, half = fetch, fetchOnly
	}
	times := slower.rate / ours.rate
	return []page.Bar{{
		Wanted:   fmt.Sprintf("%s: within 1.2x of the slower of fetch and produce", name),
		Measured: fmt.Sprintf("%.2fx of %s", times, half), Met: times <= 1.2,
	}}
}

// memory takes the worst of all scenarios.
func (r *report) memory(copier string, most float64) []page.Bar {
	var worst float64
	var name string
	for _, s := range r.Scenarios {
		if f, ok := s.of(copier); ok && f.rss > worst {
			worst, name = f.rss, s.Name
		}
	}
	if name == "" {
		return nil
	}
	return []page.Bar{{
		Wanted:   fmt.Sprintf("peak RSS of %s at most %.0f MB", copier, most),
		Measured: fmt.Sprintf("%.0f MB (%s)", worst, name), Met: worst <= most,
	}}
}

// verification are the bars of what proves a copy: comparing it, checking what
// was built anew, and keeping the offset map.
func (r *report) verification() []page.Bar {
	var found []page.Bar
	for _, s := range r.Scenarios {
		if f, ok := s.of(verify); ok {
			found = append(found, page.Bar{
				Wanted:   s.Name + ": verify at least 200,000 records/s",
				Measured: page.Grouped(f.rate), Met: f.rate >= 200_000,
			})
		}
		if f, ok := s.of(cleaner); ok {
			found = append(found, page.Bar{
				Wanted:   s.Name + ": cleaned through the platform at least 60,000 records/s",
				Measured: page.Grouped(f.rate), Met: f.rate >= 60_000,
			})
		}
		if ours, without, ok := r.two(s.Name, engine, unchecked); ok {
			cost := 1 - ours.rate/without.rate
			found = append(found, page.Bar{
				Wanted:   s.Name + ": checking batches that are built anew costs at most 30 % of msg/s",
				Measured: fmt.Sprintf("%.0f %%", 100*max(cost, 0)), Met: cost <= 0.3,
			})
		}
		if f, ok := s.of(follower); ok {
			found = append(found, page.Bar{
				Wanted:   s.Name + ": offset map below 1 byte a record",
				Measured: fmt.Sprintf("%.4f", f.mapBytes), Met: f.mapBytes < 1,
			})
		}
	}
	return found
}

// local are the bars of the local platform.
func (r *report) local() []page.Bar {
	var found []page.Bar
	for _, s := range r.Scenarios {
		if f, ok := s.of(platform); ok && s.Name == oneNone {
			found = append(found, page.Bar{
				Wanted:   oneNone + ": through the platform at least 50 MB/s a partition",
				Measured: fmt.Sprintf("%.0f MB/s", f.volume), Met: f.volume >= 50,
			})
		}
	}
	if l := r.Latency; l != nil {
		found = append(found,
			page.Bar{
				Wanted:   "platform: dispatch below 1 ms at the median",
				Measured: fmt.Sprintf("%.2f ms (p99 %.2f ms)", l.DispatchMedian, l.DispatchP99), Met: l.DispatchMedian < 1,
			},
			page.Bar{
				Wanted:   "platform: produce to handler p99 below 50 ms, maxMsgNum 1",
				Measured: fmt.Sprintf("%.1f ms (median %.1f ms)", l.ProduceToP99, l.ProduceToHandler), Met: l.ProduceToP99 < 50,
			})
	}
	return found
}
