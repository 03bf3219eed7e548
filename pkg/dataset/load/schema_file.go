package load

import (
	"fmt"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/dataset"
	"github.com/scf-etl/scf-etl/pkg/yamlfile"
)

// ParseSchema reads a schema file, in YAML or JSON:
//
//	time: at
//	partition: [region]
//	columns:
//	  - {name: at, type: timestamp, required: true}
//	  - {name: region, type: string, from: user.region}
//
// What is wrong is an error that names it, with its line. from may be a list, for names with a dot.
func ParseSchema(name string, content []byte) (Schema, error) {
	root, err := yamlfile.Parse(name, content)
	if err != nil {
		return Schema{}, err
	}
	r := &yamlfile.Reader{}
	var s Schema
	file := r.Table(root, "the schema", "time", "partition", "columns")
	if file == nil {
		return s, r.Err()
	}
	s.Time = file.Text("time", "")
	for _, n := range r.Texts(file.Get("partition"), "partition") {
		s.Partition = append(s.Partition, n.Text)
	}
	for _, n := range r.List(file.Need("columns")) {
		t := r.Table(n, "a column", "name", "type", "from", "required", "unit")
		if t == nil {
			continue
		}
		f := Field{
			Name: t.Text(
				"name",
				"",
			), Type: dataset.Type(t.Text("type", "")), Required: t.Boolean("required"), Unit: t.Text("unit", ""),
		}
		switch from := t.Get("from"); {
		case from == nil:
		case from.Kind == yamlfile.Scalar:
			f.From = strings.Split(from.Text, ".")
		default:
			for _, n := range r.Texts(from, "from") {
				f.From = append(f.From, n.Text)
			}
		}
		s.Columns = append(s.Columns, f)
	}
	if err := r.Err(); err != nil {
		return Schema{}, err
	}
	if err := s.Check(); err != nil {
		return Schema{}, fmt.Errorf("schema %s: %w", name, err)
	}
	return s, nil
}
