package transform

import (
	"maps"
	"slices"

	"github.com/scf-etl/scf-etl/pkg/yamlfile"
)

// loader reads a rules file and collects everything that is wrong with it.
type loader struct {
	yamlfile.Reader
	options  Options
	root     *yamlfile.Node
	shape    shape             // the fields that there are at this point
	patterns map[string]string // grok patterns by name
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
