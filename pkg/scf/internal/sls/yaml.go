package sls

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// parseYAML reads one YAML document. The library gives the syntax tree; what a scalar means is decided by [plainScalar],
// so that it is what the framework's own parser makes of it.
func parseYAML(file string, content []byte, b *budget) (v *Value, err error) {
	defer func() {
		// The parser has panicked on malformed input before; a broken file must not take the process with it.
		if r := recover(); r != nil {
			v, err = nil, &Error{Pos: Position{File: file}, Reason: fmt.Sprintf("is not YAML: %v", r)}
		}
	}()
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(content))
	if err := checkText(file, text); err != nil {
		return nil, err
	}
	if !strings.HasSuffix(text, "\n") {
		text += "\n" // without it the parser leaves the last line break out of a block of text
	}
	tokens := lexer.Tokenize(text)
	if err := checkTokens(file, tokens); err != nil {
		return nil, err
	}
	// Keys that stand twice are found below: the parser takes two merge keys for such a pair.
	doc, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, yamlError(file, err)
	}
	y := &yamlBuilder{file: file, anchors: map[string]*Value{}, budget: b}
	return y.document(doc)
}

func yamlError(file string, err error) error {
	fault := &Error{Pos: Position{File: file}, Reason: "is not YAML: " + err.Error()}
	var syntax *yaml.SyntaxError
	if errors.As(err, &syntax) {
		fault.Reason = "is not YAML: " + syntax.Message
		fault.Pos = tokenPosition(file, syntax.Token)
	}
	return fault
}

func tokenPosition(file string, t *token.Token) Position {
	if t == nil || t.Position == nil {
		return Position{File: file}
	}
	return Position{file, t.Position.Line, t.Position.Column}
}

// yamlBuilder turns a syntax tree into values.
type yamlBuilder struct {
	file    string
	anchors map[string]*Value
	budget  *budget
	depth   int
}

func (y *yamlBuilder) document(f *ast.File) (*Value, error) {
	var body ast.Node
	for _, d := range f.Docs {
		if d.Body == nil {
			continue
		}
		if _, directive := d.Body.(*ast.DirectiveNode); directive {
			continue
		}
		body = d.Body // checkTokens let no second one pass
	}
	if body == nil {
		return nil, &Error{Pos: Position{File: y.file}, Reason: "is empty"}
	}
	return y.node(body)
}

func (y *yamlBuilder) fault(n ast.Node, reason, fix string) error {
	return &Error{Pos: tokenPosition(y.file, startToken(n)), Reason: reason, Fix: fix}
}

func (y *yamlBuilder) node(n ast.Node) (*Value, error) {
	if y.depth++; y.depth > maxDepth {
		return nil, y.fault(n, fmt.Sprintf("is nested deeper than %d levels", maxDepth), "")
	}
	defer func() { y.depth-- }()
	v, err := y.content(n)
	if err != nil {
		return nil, err
	}
	if v.Pos.Line == 0 {
		v.Pos = tokenPosition(y.file, startToken(n))
	}
	return v, nil
}

// startToken is where a reader sees a node begin: for a block map that is its first key, not the colon after it.
func startToken(n ast.Node) *token.Token {
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return n.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		return n.Key.GetToken()
	}
	return n.GetToken()
}

func (y *yamlBuilder) content(n ast.Node) (*Value, error) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return y.mapping(n.Values)
	case *ast.MappingValueNode:
		return y.mapping([]*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		return y.sequence(n)
	case *ast.AnchorNode:
		return y.anchor(n)
	case *ast.AliasNode:
		return y.alias(n)
	case *ast.TagNode:
		return y.tagged(n)
	case *ast.LiteralNode:
		return y.text(n.Value.Value)
	case *ast.StringNode:
		if quoted(n.Token) {
			return y.text(n.Value)
		}
		return y.plain(n, n.Value)
	case *ast.NullNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return y.plain(n, n.GetToken().Value)
	case *ast.MergeKeyNode:
		return y.text(n.Token.Value)
	}
	return nil, y.fault(n, fmt.Sprintf("holds a %s, which a configuration cannot have here", strings.ToLower(n.Type().String())), "")
}

func quoted(t *token.Token) bool {
	return t.Type == token.SingleQuoteType || t.Type == token.DoubleQuoteType
}

func (y *yamlBuilder) text(s string) (*Value, error) {
	if err := y.budget.take(1, len(s)); err != nil {
		return nil, &Error{Pos: Position{File: y.file}, Reason: err.Error()}
	}
	return &Value{Kind: String, Text: s, Raw: s, Literal: true}, nil
}

func (y *yamlBuilder) plain(n ast.Node, s string) (*Value, error) {
	v, err := plainScalar(s)
	if err != nil {
		return nil, y.fault(n, err.Error(), "")
	}
	if err := y.budget.take(1, len(s)); err != nil {
		return nil, y.fault(n, err.Error(), "")
	}
	return &v, nil
}

func (y *yamlBuilder) sequence(n *ast.SequenceNode) (*Value, error) {
	list := &Value{Kind: List}
	for _, e := range n.Values {
		// The parser gives a dash without a value the next line, even one of the map around the list.
		if first := startToken(e); first.Prev != nil && first.Prev.Type == token.SequenceEntryType &&
			first.Prev.Position.Line < first.Position.Line && first.Prev.Position.Column >= first.Position.Column {
			return nil, y.fault(e, "a - without a value before it", "give it one, or write null")
		}
		v, err := y.node(e)
		if err != nil {
			return nil, err
		}
		list.List = append(list.List, v)
	}
	return list, nil
}
