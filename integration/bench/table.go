package main

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// table is lines of cells, the first of which is the head.
type table [][]string

// table shows each scenario and copier in a line. The last columns are how
// many times as many records a second the engine copies, and the part of the
// copier's processor time that it needs for one.
func (r *report) table() table {
	lines := table{{"case", "copier", "msg/s", "MB/s", "CPU us/record", "peak RSS MB", "msg/s: ours is", "CPU: ours is"}}
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
				s.Name, copier, grouped(f.rate), fmt.Sprintf("%.0f", f.volume),
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

// grouped writes a whole number with a comma before each three digits.
func grouped(f float64) string {
	digits := fmt.Sprintf("%.0f", f)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// render aligns the columns, numbers to the right; as markdown with a line
// below the head.
func (t table) render(markdown bool) string {
	widths, text := make([]int, len(t[0])), make([]bool, len(t[0]))
	for n, line := range t {
		for i, cell := range line {
			text[i] = text[i] || n > 0 && strings.Trim(cell, "0123456789.,x") != ""
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var out strings.Builder
	for n, line := range t {
		cells := make([]string, len(line))
		rule := make([]string, len(line))
		for i, cell := range line {
			if text[i] {
				cells[i], rule[i] = fmt.Sprintf("%-*s", widths[i], cell), strings.Repeat("-", max(widths[i], 2))
			} else {
				cells[i], rule[i] = fmt.Sprintf("%*s", widths[i], cell), strings.Repeat("-", max(widths[i]-1, 1))+":"
			}
		}
		if !markdown {
			out.WriteString(strings.TrimRight(strings.Join(cells, "  "), " ") + "\n")
			continue
		}
		out.WriteString("| " + strings.Join(cells, " | ") + " |\n")
		if n == 0 {
			out.WriteString("| " + strings.Join(rule, " | ") + " |\n")
		}
	}
	return out.String()
}
