package load

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/scf-etl/scf-etl/pkg/dataset"
)

// Columns that every row has: where its record is in the source. By them anybody can see that none is there twice.
const (
	TopicColumn     = "_topic"
	PartitionColumn = "_partition"
	OffsetColumn    = "_offset"
	TimestampColumn = "_timestamp" // of the record; null where it has none
)

// Schema says what the rows of a dataset have beside those columns. The zero value has nothing.
type Schema struct {
	// Version counts from 1. A schema file has none.
	Version int `json:"version,omitempty"`
	// Time is the column whose value is the event time: a timestamp. Without one, and where it is null, it is the
	// record's timestamp.
	Time string `json:"time,omitempty"`
	// Partition are columns that make folders below date and hour: strings, ints or bools of few values.
	Partition []string `json:"partition,omitempty"`
	Columns   []Field  `json:"columns"`
}

// Field is one column, and where its value is in a record.
type Field struct {
	Name string       `json:"name"`
	Type dataset.Type `json:"type"`
	// From is the path of the value: the names of members from the record's down. Without it, it is the name.
	From Path `json:"from,omitempty"`
	// Required refuses a record without it.
	Required bool `json:"required,omitempty"`
	// Unit is that of a timestamp which is a number: s, ms (where it is empty), us or ns. A text is one of RFC 3339.
	Unit string `json:"unit,omitempty"`
}

// Path is the names of members, from the record's down.
type Path []string

const (
	maxColumns   = 1000
	maxNameBytes = 200
	maxPath      = 16
)

// reserved are names that no column of a schema can have.
func reserved(name string) bool {
	switch strings.ToLower(name) {
	case TopicColumn, PartitionColumn, OffsetColumn, TimestampColumn, dataset.DateFolder, dataset.HourFolder:
		return true
	}
	return false
}

// units are the milliseconds' share in each unit: how many of it are one, or how many one is.
func knownUnit(unit string) bool {
	switch unit {
	case "", "s", "ms", "us", "ns":
		return true
	}
	return false
}

// Check names every fault of a schema.
func (s Schema) Check() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if len(s.Columns) == 0 || len(s.Columns) > maxColumns {
		fault("%d columns: want 1 to %d", len(s.Columns), maxColumns)
	}
	names := map[string]bool{}
	for _, f := range s.Columns {
		name := strings.ToLower(f.Name)
		switch {
		case f.Name == "" || len(f.Name) > maxNameBytes || !utf8.ValidString(f.Name) || strings.ContainsAny(f.Name, "/=\x00"):
			fault("column %.100q: want a name of at most %d bytes without '/' and '='", f.Name, maxNameBytes)
		case reserved(f.Name):
			fault("column %s: the name is taken; name it otherwise, with from: %s", f.Name, f.Name)
		case names[name]:
			fault("column %s is there twice; readers of Parquet do not tell capital letters apart", f.Name)
		}
		names[name] = true
		switch f.Type {
		case dataset.Bool, dataset.Int, dataset.Float, dataset.String, dataset.Bytes, dataset.Timestamp:
		default:
			fault("column %s: there is no type %.40q; want bool, int, float, string, bytes or timestamp", f.Name, string(f.Type))
		}
		if !knownUnit(f.Unit) || f.Unit != "" && f.Type != dataset.Timestamp {
			fault("column %s: unit %.40q: want s, ms, us or ns, of a timestamp", f.Name, f.Unit)
		}
		if len(f.From) > maxPath || slices.Contains(f.From, "") {
			fault("column %s: from has %d names, or an empty one: want at most %d", f.Name, len(f.From), maxPath)
		}
	}
	if s.Time != "" {
		if f := s.field(s.Time); f == nil || f.Type != dataset.Timestamp {
			fault("time: %.100q is no column of type timestamp", s.Time)
		}
	}
	for i, name := range s.Partition {
		f := s.field(name)
		switch {
		case f == nil:
			fault("partition: there is no column %.100q", name)
		case f.Type != dataset.String && f.Type != dataset.Int && f.Type != dataset.Bool:
			fault("partition: column %s is %s: want a string, an int or a bool", name, f.Type)
		case strings.HasPrefix(name, "_") || strings.HasPrefix(name, "."):
			fault(
				"partition: readers take a folder that begins with '_' or '.' for none of theirs: name column %s otherwise",
				name,
			)
		case slices.Contains(s.Partition[:i], name):
			fault("partition: %s is there twice", name)
		case name == s.Time:
			fault("partition: %s is the time, whose folders are there already", name)
		}
	}
	if len(s.Partition) > 4 {
		fault("partition: %d columns: want at most 4", len(s.Partition))
	}
	return errors.Join(faults...)
}

func (s Schema) field(name string) *Field {
	for i := range s.Columns {
		if s.Columns[i].Name == name {
			return &s.Columns[i]
		}
	}
	return nil
}

// path is where a field's value is.
func (f Field) path() Path {
	if len(f.From) == 0 {
		return Path{f.Name}
	}
	return f.From
}

// columns are those of the rows: the schema's, and behind them where the record is.
func (s Schema) columns() []dataset.Column {
	var columns []dataset.Column
	for _, f := range s.Columns {
		columns = append(columns, dataset.Column{Name: f.Name, Type: f.Type})
	}
	return append(columns,
		dataset.Column{Name: TopicColumn, Type: dataset.String}, dataset.Column{Name: PartitionColumn, Type: dataset.Int},
		dataset.Column{Name: OffsetColumn, Type: dataset.Int}, dataset.Column{Name: TimestampColumn, Type: dataset.Timestamp})
}

// merged is a schema of a dataset with what a schema file asks for: columns that are new are added. What cannot be
// changed is an error.
func (s Schema) merged(file Schema) (Schema, bool, error) {
	var faults []error
	if s.Time != file.Time {
		faults = append(faults, fmt.Errorf("its time is %q, in the file %q", s.Time, file.Time))
	}
	if !slices.Equal(s.Partition, file.Partition) {
		faults = append(faults, fmt.Errorf("it has folders of %q, the file of %q", s.Partition, file.Partition))
	}
	out := s
	out.Columns = slices.Clone(s.Columns)
	changed := false
	for _, f := range file.Columns {
		i := slices.IndexFunc(out.Columns, func(c Field) bool { return strings.EqualFold(c.Name, f.Name) })
		switch {
		case i < 0:
			out.Columns, changed = append(out.Columns, f), true
		case out.Columns[i].Name != f.Name || out.Columns[i].Type != f.Type:
			faults = append(
				faults,
				fmt.Errorf("its column %s is %s, in the file %s is %s", out.Columns[i].Name, out.Columns[i].Type, f.Name, f.Type),
			)
		default:
			old := out.Columns[i]
			if !slices.Equal(old.path(), f.path()) || old.Required != f.Required || old.Unit != f.Unit {
				out.Columns[i], changed = f, true
			}
		}
	}
	if len(faults) > 0 {
		return s, false, fmt.Errorf(
			"the dataset has another schema; load into another prefix, or correct the file: %w",
			errors.Join(faults...),
		)
	}
	return out, changed, nil
}
