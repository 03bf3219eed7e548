package transform

import (
	"maps"
	"strings"

	"github.com/scf-etl/scf-etl/internal/rawjson"
	"github.com/scf-etl/scf-etl/pkg/yamlfile"
)

// path names a field: first the field of exactly that name, then, along the dots,
// a member of a JSON object.
type path struct {
	text  string
	parts []string
	name  []byte
	key   []byte // the name as JSON
}

func newPath(text string) *path {
	key, _ := rawjson.AppendString(nil, []byte(text))
	return &path{text: text, parts: strings.Split(text, "."), name: []byte(text), key: key}
}

// fieldType is what is known about the values of a field when rules are loaded.
type fieldType string

const (
	anyType    fieldType = "any"
	stringType fieldType = "string"
	intType    fieldType = "int"
	floatType  fieldType = "float"
	boolType   fieldType = "bool"
)

// shape is what is known about a record between two rules.
type shape struct {
	open   bool // there may be more fields
	fields map[string]fieldType
}

// find returns the type of a field, and whether there may be such a field.
func (s *shape) find(p *path) (fieldType, bool) {
	if t, ok := s.fields[p.text]; ok {
		return t, true
	}
	if t, ok := s.fields[p.parts[0]]; ok && len(p.parts) > 1 {
		return anyType, t == anyType
	}
	return anyType, s.open
}

func (s *shape) add(name string, t fieldType) {
	if old, ok := s.fields[name]; ok && old != t {
		t = anyType
	}
	s.fields[name] = t
}

// field reads the name of a field that has to be there.
func (l *loader) field(n *yamlfile.Node) *path {
	p := newPath(n.Text)
	if n.Kind != yamlfile.Scalar || n.Text == "" {
		l.Fault(n, "", "the name of a field has to be a text")
		return p
	}
	if _, ok := l.shape.find(p); !ok {
		l.Fault(n, yamlfile.Suggest(n.Text, sorted(l.shape.fields)), "there is no field %q at this point", n.Text)
	}
	return p
}

func (l *loader) fields(list []*yamlfile.Node) []*path {
	paths := make([]*path, len(list))
	for i, n := range list {
		paths[i] = l.field(n)
	}
	return paths
}

func (s *shape) clone() shape { return shape{open: s.open, fields: maps.Clone(s.fields)} }

// merge adds what there was before a rule that may not have run.
func (s *shape) merge(before shape) {
	s.open = s.open || before.open
	for name, t := range before.fields {
		s.add(name, t)
	}
}
