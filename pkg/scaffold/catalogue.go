package scaffold

import (
	"fmt"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// The lines around the catalogue in functions/README.md.
const (
	catalogueBegin = "<!-- functions: "
	catalogueEnd   = "<!-- end of functions -->"
)

// Catalogue renders the functions of a service as a Markdown table: folder, kinds of
// trigger, description.
func Catalogue(s *scf.Service) string {
	var b strings.Builder
	b.WriteString("| Function | Trigger | What it does |\n|---|---|---|\n")
	for _, f := range s.Functions {
		var triggers []string
		for _, e := range f.Events {
			triggers = append(triggers, e.Kind())
		}
		fmt.Fprintf(&b, "| [%s](%s) | %s | %s |\n", f.Key, f.Key, strings.Join(triggers, ", "), strings.ReplaceAll(f.Description, "|", `\|`))
	}
	return b.String()
}

// WithCatalogue puts a catalogue into its place in a page: between a line that begins
// with "<!-- functions: " and the line "<!-- end of functions -->". It is false for a
// page without that place.
func WithCatalogue(page, catalogue string) (string, bool) {
	before, rest, found := strings.Cut(page, catalogueBegin)
	line, rest, ended := strings.Cut(rest, "\n")
	_, after, closed := strings.Cut(rest, catalogueEnd)
	if !found || !ended || !closed {
		return page, false
	}
	return before + catalogueBegin + line + "\n\n" + catalogue + "\n" + catalogueEnd + after, true
}
