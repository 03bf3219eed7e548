package matrix

import (
	"fmt"
	"slices"
	"strings"
)

// table is a table of README.md. Its rows are named by one column or more.
type table struct {
	names   []string // of the columns that name a row
	columns []string
	rows    []string // their names joined by nameSeparator
	cells   map[cell]string
}

type cell struct{ row, column string }

const nameSeparator = " | "

// parseTable reads what String wrote; other lines are no part of the table.
func parseTable(text string, names ...string) *table {
	t := &table{names: names, cells: map[cell]string{}}
	for line := range strings.Lines(text) {
		fields, ok := splitRow(line)
		switch {
		case !ok || strings.HasPrefix(fields[0], "---") || len(fields) <= len(names):
		case t.columns == nil:
			t.columns = fields[len(names):]
		default:
			row := strings.Join(fields[:len(names)], nameSeparator)
			for i, words := range fields[len(names):] {
				if i < len(t.columns) {
					t.set(row, t.columns[i], words)
				}
			}
		}
	}
	return t
}

func splitRow(line string) ([]string, bool) {
	line = strings.TrimSpace(line)
	if !strings.HasPrefix(line, "|") || !strings.HasSuffix(line, "|") || len(line) < 2 {
		return nil, false
	}
	fields := strings.Split(line[1:len(line)-1], "|")
	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}
	return fields, true
}

// set fills a cell in, with a row and a column for it where there is none yet.
func (t *table) set(row, column, words string) {
	if !slices.Contains(t.rows, row) {
		t.rows = append(t.rows, row)
		slices.SortStableFunc(t.rows, compareNames)
	}
	if !slices.Contains(t.columns, column) {
		t.columns = append(t.columns, column)
		slices.SortStableFunc(t.columns, compareNames)
	}
	t.cells[cell{row, column}] = words
}

// compareNames puts releases in order of age, then formats as they are listed;
// other names keep their order.
func compareNames(a, b string) int {
	releaseA, formatA, _ := strings.Cut(a, nameSeparator)
	releaseB, formatB, _ := strings.Cut(b, nameSeparator)
	if order := compareReleases(release(releaseA), release(releaseB)); order != 0 {
		return order
	}
	return formatIndex(formatA) - formatIndex(formatB)
}

func formatIndex(name string) int {
	return slices.IndexFunc(formats, func(f format) bool { return f.name == name })
}

// String is the table in Markdown.
func (t *table) String() string {
	var b strings.Builder
	header := slices.Concat(t.names, t.columns)
	fmt.Fprintf(&b, "| %s |\n|%s\n", strings.Join(header, " | "), strings.Repeat("---|", len(header)))
	for _, row := range t.rows {
		fmt.Fprintf(&b, "| %s |", row)
		for _, column := range t.columns {
			fmt.Fprintf(&b, " %s |", t.cells[cell{row, column}])
		}
		b.WriteString("\n")
	}
	return b.String()
}
