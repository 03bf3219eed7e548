package report

import (
	"time"

	"github.com/scf-etl/scf-etl/pkg/dataset"
	"github.com/scf-etl/scf-etl/pkg/yamlfile"
)

// Spec is a checked report.yaml. It does not change: any number of goroutines may use it.
type Spec struct {
	Name, Title, Description string
	Language                 Language
	Time                     Time

	queries map[string]*query
	parts   []*part
	columns []mention // of the dataset, wherever the file names one
}

// Time says which rows a report is about.
type Time struct {
	Column string
	Zone   *time.Location
	period rule
}

// query is one of the queries, with what it needs of the dataset.
type query struct {
	dataset.Query                       // without the conditions of the period
	outputs       []string              // names of groups and measures, in their order
	groups        []string              // names of groups
	buckets       []bucket              // by group; zero where it has none
	ops           map[string]dataset.Op // by measure
}

type bucket struct {
	size time.Duration
	zone *time.Location
}

// mention is a place of the file that names a column of the dataset.
type mention struct {
	column string
	at     *yamlfile.Node
}

// part is one thing that a page shows.
type part struct {
	kind   string // number, line, bar, stacked, pie, donut, table
	title  string
	query  string
	format Format

	value   string            // number
	per     *share            // number: nil without
	better  string            // number: more, less, or empty
	x       string            // charts
	y       []string          // charts
	series  string            // charts: the group that makes series, or empty
	columns []string          // table
	formats map[string]Format // table: of single columns
	top     int
}

// share is what a number is divided by.
type share struct{ query, value string }

// The kinds of parts.
const (
	number  = "number"
	line    = "line"
	bar     = "bar"
	stacked = "stacked"
	pie     = "pie"
	donut   = "donut"
	table   = "table"
)
