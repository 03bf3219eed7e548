package main

import "fmt"

// bar is what the project wants to reach, and what this run has measured.
type bar struct {
	Wanted   string `json:"wanted"`
	Measured string `json:"measured"`
	Met      bool   `json:"met"`
}

// verdict is the bar's last column.
func (b bar) verdict() string {
	if b.Met {
		return "met"
	}
	return "NOT MET"
}

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
func (r *report) bars() []bar {
	var found []bar
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
func (r *report) against(name, our, peer string, faster, cpu float64) []bar {
	ours, theirs, ok := r.two(name, our, peer)
	if !ok {
		return nil
	}
	rate, part := ours.rate/theirs.rate, ours.cpu/theirs.cpu
	part2 := ""
	if theirs.working > 0 {
		part2 = fmt.Sprintf(" (%.3fx of its CPU after its start)", ours.cpu/theirs.working)
	}
	return []bar{
		{fmt.Sprintf("%s: at least %gx the msg/s of %s", name, faster, peer), fmt.Sprintf("%.2fx", rate), rate >= faster},
		{fmt.Sprintf("%s: at most %gx the CPU of %s", name, cpu, peer), fmt.Sprintf("%.3fx%s", part, part2), part <= cpu},
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
func (r *report) limit(name string) []bar {
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
	return []bar{{
		fmt.Sprintf("%s: within 1.2x of the slower of fetch and produce", name),
		fmt.Sprintf("%.2fx of %s", times, half), times <= 1.2,
	}}
}

// memory takes the worst of all scenarios.
func (r *report) memory(copier string, most float64) []bar {
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
	return []bar{{fmt.Sprintf("peak RSS of %s at most %.0f MB", copier, most), fmt.Sprintf("%.0f MB (%s)", worst, name), worst <= most}}
}

// verification are the bars of what proves a copy: comparing it, checking what
// was built anew, and keeping the offset map.
func (r *report) verification() []bar {
	var found []bar
	for _, s := range r.Scenarios {
		if f, ok := s.of(verify); ok {
			found = append(found, bar{s.Name + ": verify at least 200,000 records/s", grouped(f.rate), f.rate >= 200_000})
		}
		if f, ok := s.of(cleaner); ok {
			found = append(found, bar{s.Name + ": cleaned through the platform at least 60,000 records/s", grouped(f.rate), f.rate >= 60_000})
		}
		if ours, without, ok := r.two(s.Name, engine, unchecked); ok {
			cost := 1 - ours.rate/without.rate
			found = append(found, bar{s.Name + ": checking batches that are built anew costs at most 30 % of msg/s",
				fmt.Sprintf("%.0f %%", 100*max(cost, 0)), cost <= 0.3})
		}
		if f, ok := s.of(follower); ok {
			found = append(found, bar{s.Name + ": offset map below 1 byte a record", fmt.Sprintf("%.4f", f.mapBytes), f.mapBytes < 1})
		}
	}
	return found
}

// local are the bars of the local platform.
func (r *report) local() []bar {
	var found []bar
	for _, s := range r.Scenarios {
		if f, ok := s.of(platform); ok && s.Name == oneNone {
			found = append(found, bar{oneNone + ": through the platform at least 50 MB/s a partition",
				fmt.Sprintf("%.0f MB/s", f.volume), f.volume >= 50})
		}
	}
	if l := r.Latency; l != nil {
		found = append(found,
			bar{"platform: dispatch below 1 ms at the median",
				fmt.Sprintf("%.2f ms (p99 %.2f ms)", l.DispatchMedian, l.DispatchP99), l.DispatchMedian < 1},
			bar{"platform: produce to handler p99 below 50 ms, maxMsgNum 1",
				fmt.Sprintf("%.1f ms (median %.1f ms)", l.ProduceToP99, l.ProduceToHandler), l.ProduceToP99 < 50})
	}
	return found
}

// barTable shows the bars in lines.
func (r *report) barTable() table {
	lines := table{{"bar", "measured", ""}}
	for _, b := range r.bars() {
		lines = append(lines, []string{b.Wanted, b.Measured, b.verdict()})
	}
	return lines
}
