package sls

import "strconv"

// Kind says which fields of a [Value] hold.
type Kind uint8

// The kinds of JSON, which is what a configuration consists of once read.
const (
	Null Kind = iota
	Bool
	Number
	String
	List
	Map
)

// String names the kind as a reader of YAML would.
func (k Kind) String() string {
	return [...]string{"nothing", "a boolean", "a number", "a text", "a list", "a map"}[k]
}

// Value is one value of a configuration and where it stands.
type Value struct {
	Kind   Kind
	Bool   bool
	Number float64
	Text   string // of a String
	List   []*Value
	Pos    Position

	// Raw is a scalar as the file spells it: 1.10 for the number 1.1. Empty where the value does not come from a file.
	Raw string
	// Literal says that the text stands in a file, be it as the default of a variable; false where the environment or
	// an option gave it.
	Literal bool

	fields []Field
	index  map[string]int
}

// Field is one key of a Map.
type Field struct {
	Name  string
	Pos   Position // of the key
	Value *Value
}

// Fields gives the keys of a Map in the order of the file. The slice is not to be changed.
func (v *Value) Fields() []Field {
	if v == nil {
		return nil
	}
	return v.fields
}

// Get gives the value under a key of a Map or under a decimal index of a List; nil where there is none, and on a nil
// receiver.
func (v *Value) Get(name string) *Value {
	if v == nil {
		return nil
	}
	switch v.Kind {
	case Map:
		if i, ok := v.index[name]; ok {
			return v.fields[i].Value
		}
	case List:
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(v.List) && strconv.Itoa(i) == name {
			return v.List[i]
		}
	}
	return nil
}

// At follows keys down from v; nil where the path ends early.
func (v *Value) At(path ...string) *Value {
	for _, name := range path {
		v = v.Get(name)
	}
	return v
}

// IsNull says whether there is no value: a nil receiver or null.
func (v *Value) IsNull() bool { return v == nil || v.Kind == Null }

// set puts a value under a key, in the place of an earlier one of the same name.
func (v *Value) set(f Field) {
	if i, ok := v.index[f.Name]; ok {
		v.fields[i] = f
		return
	}
	if v.index == nil {
		v.index = map[string]int{}
	}
	v.index[f.Name] = len(v.fields)
	v.fields = append(v.fields, f)
}

// become takes the content of another value and keeps its own place.
func (v *Value) become(other *Value) {
	pos := v.Pos
	*v = *other
	v.Pos = pos
}

// clone copies a tree within the budget.
func (v *Value) clone(b *budget) (*Value, error) {
	if err := b.take(1, len(v.Text)); err != nil {
		return nil, err
	}
	c := *v
	c.List, c.fields, c.index = nil, nil, nil
	for _, e := range v.List {
		copied, err := e.clone(b)
		if err != nil {
			return nil, err
		}
		c.List = append(c.List, copied)
	}
	for _, f := range v.fields {
		copied, err := f.Value.clone(b)
		if err != nil {
			return nil, err
		}
		c.set(Field{f.Name, f.Pos, copied})
	}
	return &c, nil
}
