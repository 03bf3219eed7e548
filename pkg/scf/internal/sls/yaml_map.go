package sls

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"
)

// mapping reads the pairs of a map. A key of a merge (<<) gives way to one that is written out, wherever that stands.
func (y *yamlBuilder) mapping(pairs []*ast.MappingValueNode) (*Value, error) {
	m := &Value{Kind: Map}
	merged := map[string]bool{}
	for _, pair := range pairs {
		if isMerge(pair.Key) {
			if err := y.merge(m, merged, pair); err != nil {
				return nil, err
			}
			continue
		}
		name, err := y.key(pair.Key)
		if err != nil {
			return nil, err
		}
		if m.Get(name) != nil && !merged[name] {
			return nil, y.fault(pair.Key, fmt.Sprintf("the key %q stands twice in this map", name), "keep one of them")
		}
		delete(merged, name)
		v, err := y.node(pair.Value)
		if err != nil {
			return nil, err
		}
		m.set(Field{name, tokenPosition(y.file, pair.Key.GetToken()), v})
	}
	return m, nil
}

func isMerge(key ast.MapKeyNode) bool {
	t := key.GetToken()
	return t != nil && !quoted(t) && t.Value == "<<"
}

// merge takes over the keys of a map, or of several with the first one winning.
func (y *yamlBuilder) merge(into *Value, merged map[string]bool, pair *ast.MappingValueNode) error {
	from, err := y.node(pair.Value)
	if err != nil {
		return err
	}
	sources := []*Value{from}
	if from.Kind == List {
		sources = from.List
	}
	for _, source := range sources {
		if source.Kind != Map {
			return y.fault(pair.Value, "<< merges "+source.Kind.String(), "merge a map, or a list of maps")
		}
		for _, f := range source.fields {
			if into.Get(f.Name) == nil {
				into.set(f)
				merged[f.Name] = true
			}
		}
	}
	return nil
}

// key gives the name that a key becomes: configuration keys are texts, whatever they look like.
func (y *yamlBuilder) key(n ast.MapKeyNode) (string, error) {
	v, err := y.node(n)
	if err != nil {
		return "", err
	}
	if v.Kind == Null {
		return "null", nil
	}
	if v.Kind == String && v.Text != v.Raw {
		return "", y.fault(n, "the key "+v.Raw+" is a date", "quote it")
	}
	if v.Kind == List || v.Kind == Map {
		return "", y.fault(n, "the key is "+v.Kind.String(), "use a text as the key")
	}
	name, _ := v.Scalar()
	return name, nil
}

func (y *yamlBuilder) anchor(n *ast.AnchorNode) (*Value, error) {
	v, err := y.node(n.Value)
	if err != nil {
		return nil, err
	}
	y.anchors[n.Name.GetToken().Value] = v
	return v, nil
}

// alias copies what the anchor holds: what follows treats each place on its own.
func (y *yamlBuilder) alias(n *ast.AliasNode) (*Value, error) {
	name := n.Value.GetToken().Value
	v, ok := y.anchors[name]
	if !ok {
		return nil, y.fault(n, "*"+name+" names no anchor that ends before it", "write &"+name+" at the value it stands for")
	}
	copied, err := v.clone(y.budget)
	if err != nil {
		return nil, y.fault(n, err.Error(), "")
	}
	return copied, nil
}

// tagged reads the tags of the core schema.
func (y *yamlBuilder) tagged(n *ast.TagNode) (*Value, error) {
	tag := n.Start.Value
	kinds := map[string]Kind{
		"!!str": String, "!!int": Number, "!!float": Number, "!!bool": Bool, "!!null": Null, "!!map": Map, "!!seq": List,
	}
	kind, known := kinds[tag]
	if !known {
		return nil, y.fault(n, "the tag "+tag+" has no meaning here", "write the value without it")
	}
	v, err := y.untagged(n, kind)
	if err != nil {
		return nil, err
	}
	if v.Kind != kind {
		return nil, y.fault(n, v.Kind.String()+" carries the tag "+tag, "write the value without it")
	}
	return v, nil
}

// untagged reads the value behind a tag: a quoted scalar counts as plain, unless the tag is !!str.
func (y *yamlBuilder) untagged(n *ast.TagNode, kind Kind) (*Value, error) {
	scalar, ok := n.Value.(ast.ScalarNode)
	if !ok {
		if n.Value == nil {
			return y.text("")
		}
		return y.node(n.Value)
	}
	text := scalar.GetToken().Value
	if literal, ok := n.Value.(*ast.LiteralNode); ok {
		text = literal.Value.Value
	}
	if kind == String {
		return y.text(text)
	}
	return y.plain(n, text)
}
