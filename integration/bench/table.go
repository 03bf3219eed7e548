package main

import (
	"fmt"

	"github.com/scf-etl/scf-etl/integration/bench/internal/page"
)

// table shows each scenario and copier in a line. The last columns are how
// many times as many records a second the engine copies, and the part of the
// copier's processor time that it needs for one.
func (r *report) table() page.Table {
	lines := page.Table{{"case", "copier", "msg/s", "MB/s", "CPU us/record", "peak RSS MB", "msg/s: ours is", "CPU: ours is"}}
	for _, s := range r.Scenarios {
		ours, measured := s.of(engine)
		if !measured {
			ours, measured = s.of(follower)
		}
		for _, copier := range copierNames() {
			f, ok := s.of(copier)
			if !ok {
				continue
			}
			line := []string{
				s.Name, copier, page.Grouped(f.rate), fmt.Sprintf("%.0f", f.volume),
				fmt.Sprintf("%.2f", f.cpu), fmt.Sprintf("%.0f", f.rss), "", "",
			}
			if measured && copier != engine && copier != follower && copier != verify {
				line[6], line[7] = fmt.Sprintf("%.2fx", ours.rate/f.rate), fmt.Sprintf("%.3fx", ours.cpu/f.cpu)
			}
			lines = append(lines, line)
		}
	}
	return lines
}
