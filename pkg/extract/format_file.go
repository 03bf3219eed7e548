package extract

import (
	"slices"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/transform"
)

// Formats of a page.
const (
	formatJSON   = "json"
	formatNDJSON = "ndjson"
	formatCSV    = "csv"
)

// formatFile is how a page is read.
type formatFile struct {
	kind      string
	records   jsonPath // json: of the list; nil: the whole is the list
	separator rune     // csv
	columns   []string // csv: that have to be there; nil: the header of the first page
}

func (l *loader) format(t transform.Table) formatFile {
	f := formatFile{kind: t.Choice("format", formatJSON, formatNDJSON, formatCSV), separator: ','}
	f.records = readPath(t.Get("records"), "records")
	if s := t.Get("separator"); s.Present() {
		f.separator = readSeparator(s)
	}
	for _, c := range t.Texts("columns") {
		if name := c.Text("columns"); slices.Contains(f.columns, name) {
			c.Fault("keep one", "the column %q is there twice", name)
		} else {
			f.columns = append(f.columns, name)
		}
	}
	for setting, of := range map[string]string{"records": formatJSON, "separator": formatCSV, "columns": formatCSV} {
		if s := t.Get(setting); s.Present() && f.kind != of {
			s.Fault("write format: "+of, "%s is a setting of the format %s only", setting, of)
		}
	}
	return f
}

func readSeparator(s transform.Section) rune {
	text := s.Text("separator")
	if text == `\t` {
		text = "\t"
	}
	if len(text) != 1 || text[0] >= 0x80 || strings.Contains("\"\r\n", text) {
		s.Fault(`write "," or "\t"`, "separator has to be one ASCII character, and no quote or line break")
		return ','
	}
	return rune(text[0])
}

// jsonPath names a member of a member of a JSON object.
type jsonPath []string

// String is the path as it is written.
func (p jsonPath) String() string { return strings.Join(p, ".") }

func readPath(s transform.Section, what string) jsonPath {
	if !s.Present() {
		return nil
	}
	path := jsonPath(strings.Split(s.Text(what), "."))
	if slices.Contains(path, "") {
		s.Fault("write data.items or the like", "%s is no path", what)
		return nil
	}
	return path
}
