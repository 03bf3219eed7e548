package yamlfile

import (
	"fmt"
	"slices"
	"strings"
)

// Position is a place in a file. Line and Column count from 1.
type Position struct {
	File         string
	Line, Column int
}

// String is file:line:column, as editors take it.
func (p Position) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// Fault is one mistake in a file.
type Fault struct {
	Pos    Position
	Reason string // what is wrong
	Fix    string // what to write instead, or empty
}

// String is one line with all of it.
func (f Fault) String() string {
	text := f.Pos.String() + ": " + f.Reason
	if f.Fix != "" {
		text += ": " + f.Fix
	}
	return text
}

// Error is every mistake of a file at once, in the order of the file.
type Error struct{ Faults []Fault }

// Error is one line a fault.
func (e *Error) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

const thereAre = "there are: "

// Suggest says which of known is meant by text, or which there are.
func Suggest(text string, known []string) string {
	best, least := "", 1+len(text)/2
	for _, k := range known {
		if d := distance(strings.ToLower(text), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	switch {
	case best != "":
		return fmt.Sprintf("did you mean %q?", best)
	case len(known) == 0:
		return "there is none"
	}
	return thereAre + strings.Join(known, ", ")
}

// distance is the number of characters to add, remove or replace, by Levenshtein.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost++
			}
			before = row[j+1]
			row[j+1] = min(cost, row[j]+1, before+1)
		}
	}
	return row[len(b)]
}

// inOrder sorts faults as they stand in the file.
func inOrder(faults []Fault) []Fault {
	slices.SortStableFunc(faults, func(a, b Fault) int {
		if a.Pos.Line != b.Pos.Line {
			return a.Pos.Line - b.Pos.Line
		}
		return a.Pos.Column - b.Pos.Column
	})
	return faults
}
