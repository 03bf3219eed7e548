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
)

// bars are those that this run has measured; a run of a few cases leaves out
// the others.
func (r *report) bars() []bar {
	var found []bar
	for _, name := range []string{fourNone, fourLZ4, fourZstd} {
		found = append(found, r.against(name, mirrorMaker, 8, 0.05)...)
	}
	found = append(found, r.against(fourNone, franz, 1.2, 0.7)...)
	found = append(found, r.against(fourZstd, franz, 4, 0.1)...)
	for _, name := range []string{fourNone, fourLZ4, fourZstd} {
		found = append(found, r.limit(name)...)
	}
	found = append(found, r.memory()...)
	return append(found, r.local()...)
}

// against compares the engine with a peer: at least so many times its records
// a second, at most that part of its processor time.
func (r *report) against(name, peer string, faster, cpu float64) []bar {
	ours, theirs, ok := r.two(name, engine, peer)
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
func (r *report) memory() []bar {
	var worst float64
	var name string
	for _, s := range r.Scenarios {
		if f, ok := s.of(engine); ok && f.rss > worst {
			worst, name = f.rss, s.Name
		}
	}
	if name == "" {
		return nil
	}
	return []bar{{"peak RSS of the engine at most 100 MB", fmt.Sprintf("%.0f MB (%s)", worst, name), worst <= 100}}
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
