package integration

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "copy the tables of other pages into README.md anew")

// copiedTable is a table of another page that README.md shows:
//
//	<!-- rows of integration/bench/README.md: ^case|^4p 1KB -->
//
// takes the lines of that page's tables whose text fits the expression, and
// the line below each head.
var copiedTable = regexp.MustCompile(`(?ms)^<!-- rows of (\S+): (.*?) -->\n\n(.*?)\n?^<!-- end of rows -->$`)

// tableRows gives the lines of a page's tables that fit.
func tableRows(t *testing.T, page, fits string) string {
	t.Helper()
	text, err := os.ReadFile("../" + page)
	if err != nil {
		t.Fatal(err)
	}
	wanted, err := regexp.Compile(fits)
	if err != nil {
		t.Fatal(err)
	}
	var rows strings.Builder
	taken := false
	for line := range strings.Lines(string(text)) {
		below := taken && strings.HasPrefix(line, "| --") || taken && strings.HasPrefix(line, "|--")
		row, isRow := strings.CutPrefix(line, "| ")
		taken = isRow && wanted.MatchString(row)
		if taken || below {
			rows.WriteString(line)
		}
	}
	return rows.String()
}

func TestReadmeTables(t *testing.T) {
	t.Parallel()
	t.Run("each table that README.md shows stands in the page that it comes from", func(t *testing.T) {
		t.Parallel()
		text, err := os.ReadFile("../README.md")
		if err != nil {
			t.Fatal(err)
		}
		if n := len(copiedTable.FindAll(text, -1)); n != 2 {
			t.Errorf("README.md shows %d tables of other pages, want those of the bench and of the matrix", n)
		}
		want := copiedTable.ReplaceAllStringFunc(string(text), func(block string) string {
			parts := copiedTable.FindStringSubmatch(block)
			rows := tableRows(t, parts[1], parts[2])
			if rows == "" {
				t.Errorf("%s has no rows that fit %q", parts[1], parts[2])
			}
			return "<!-- rows of " + parts[1] + ": " + parts[2] + " -->\n\n" + rows + "\n<!-- end of rows -->"
		})
		if *update {
			if err := os.WriteFile("../README.md", []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
		if string(text) != want {
			t.Error("README.md is out of date: run go test ./integration -run TestReadmeTables -update")
		}
	})
}
