// Package page is how the commands of the bench show what they have measured: tables,
// bars, where it was, and the place for it in a README.
package page

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Table is lines of cells, the first of which is the head.
type Table [][]string

// Render aligns the columns, numbers to the right; as markdown with a line
// below the head.
func (t Table) Render(markdown bool) string {
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

// Grouped writes a whole number with a comma before each three digits.
func Grouped(f float64) string {
	digits := fmt.Sprintf("%.0f", f)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Median is the middle of the values, which it sorts, or the mean of the two that are
// there. There has to be one.
func Median(values []float64) float64 {
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}
