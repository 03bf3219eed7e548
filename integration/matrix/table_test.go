package matrix

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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

func TestTable(t *testing.T) {
	t.Parallel()

	t.Run("is read back as it was written", func(t *testing.T) {
		t.Parallel()
		want := sampleTable().String()
		if diff := cmp.Diff(want, parseTable("before\n\n"+want+"\n- after\n", "from", "stored as").String()); diff != "" {
			t.Errorf("table (-want +got):\n%s", diff)
		}
	})

	t.Run("has releases in order of age and formats as they are listed, whatever came first", func(t *testing.T) {
		t.Parallel()
		want := "| from | stored as | 1.1.1 | 4.2.0 |\n|---|---|---|---|\n" +
			"| 0.10.2.2 | magic 0 | rebuilt |  |\n" +
			"| 0.10.2.2 | magic 1 |  | rebuilt |\n" +
			"| 4.2.0 | magic 2, zstd | refused b |  |\n"
		if diff := cmp.Diff(want, sampleTable().String()); diff != "" {
			t.Errorf("table (-want +got):\n%s", diff)
		}
	})

	t.Run("keeps what was not looked at again", func(t *testing.T) {
		t.Parallel()
		old := sampleTable()
		old.set("0.10.2.2 | magic 0", "4.2.0", "rebuilt a")
		if got := old.cells[cell{"4.2.0 | magic 2, zstd", "1.1.1"}]; got != "refused b" {
			t.Errorf("the other cell is %q", got)
		}
	})

	t.Run("has notes for the marks that are in it and no others", func(t *testing.T) {
		t.Parallel()
		if got := notes(sampleTable()); !cmp.Equal(got[:5], "\n- b:") || len(got) > 400 {
			t.Errorf("notes are %q", got)
		}
	})
}

func sampleTable() *table {
	t := parseTable("", "from", "stored as")
	t.set("4.2.0 | magic 2, zstd", "1.1.1", "refused b")
	t.set("0.10.2.2 | magic 1", "4.2.0", "rebuilt")
	t.set("0.10.2.2 | magic 0", "1.1.1", "rebuilt")
	return t
}
