package yamlfile

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	yamlparser "github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of a file: the parser recurses without a bound of its own, and an
// overflow of the stack cannot be caught.
const (
	maxFile  = 1 << 20
	maxLevel = 64
)

// Kind is what a node is.
type Kind uint8

// The kinds of nodes.
const (
	Scalar Kind = iota
	Sequence
	Mapping
	Nothing // null
)

// Node is a value of a file with its place.
type Node struct {
	Pos    Position
	Kind   Kind
	Text   string  // of a scalar
	Plain  bool    // a scalar without quotes, whose text may be a number or a boolean
	Offset int     // columns from Pos to where the text begins: 1 for quotes; -1 where columns do not match
	List   []*Node // of a sequence
	Keys   []*Node // of a mapping, all scalars
	Values []*Node // one for each key
}

// Parse reads the one document of a file. name is what positions begin with. What is no YAML, or too much of it, is an
// *[Error].
func Parse(name string, content []byte) (*Node, error) {
	root, fault := parse(name, content)
	if fault != nil {
		return nil, &Error{[]Fault{*fault}}
	}
	return root, nil
}

func parse(file string, content []byte) (root *Node, fault *Fault) {
	at := func(t *token.Token, reason string) *Fault { return &Fault{Pos: positionOf(file, t), Reason: reason} }
	defer func() {
		// The parser has panicked on malformed input before; a broken file must not take the process with it.
		if r := recover(); r != nil {
			root, fault = nil, at(nil, fmt.Sprintf("is not YAML: %v", r))
		}
	}()
	switch {
	case len(content) > maxFile:
		return nil, at(nil, fmt.Sprintf("is larger than %d bytes", maxFile))
	case !utf8.Valid(content):
		return nil, at(nil, "is not UTF-8 text")
	}
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(content))
	tokens := lexer.Tokenize(text)
	if t := tooDeep(tokens); t != nil {
		return nil, at(t, fmt.Sprintf("is nested deeper than %d levels", maxLevel))
	}
	doc, err := yamlparser.Parse(tokens, 0, yamlparser.AllowDuplicateMapKey())
	var syntax *yaml.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return nil, at(syntax.Token, "is not YAML: "+syntax.Message)
	case err != nil:
		return nil, at(nil, "is not YAML: "+err.Error())
	}
	return (&builder{file: file}).document(doc)
}

// document is the node of the one document of a file.
func (b *builder) document(f *ast.File) (root *Node, fault *Fault) {
	for _, d := range f.Docs {
		if d.Body == nil {
			continue
		}
		if root != nil {
			b.fail(d.Body, "a second YAML document: keep one in the file")
			break
		}
		root = b.node(d.Body, 0)
	}
	if root == nil && b.fault == nil {
		b.fault = &Fault{Pos: Position{b.file, 1, 1}, Reason: "is empty"}
	}
	return root, b.fault
}

func positionOf(file string, t *token.Token) Position {
	if t == nil || t.Position == nil {
		return Position{File: file, Line: 1, Column: 1}
	}
	return Position{file, t.Position.Line, t.Position.Column}
}

// tooDeep returns the first token on which the parser would go deeper than allowed.
func tooDeep(tokens token.Tokens) *token.Token {
	flow, line, prefixes, blocks := 0, 0, 0, []int{}
	for _, t := range tokens {
		if t.Position != nil && t.Position.Line != line {
			line, prefixes = t.Position.Line, 0
			for len(blocks) > 0 && blocks[len(blocks)-1] >= t.Position.Column {
				blocks = blocks[:len(blocks)-1]
			}
			blocks = append(blocks, t.Position.Column)
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow--
		case token.SequenceEntryType, token.AnchorType, token.AliasType, token.TagType, token.MappingKeyType:
			prefixes++
		}
		if flow+prefixes+len(blocks) > maxLevel {
			return t
		}
	}
	return nil
}

type builder struct {
	file  string
	fault *Fault
}

// fail notes the first fault, and stands for the node that it is in.
func (b *builder) fail(n ast.Node, reason string) *Node {
	out := &Node{Pos: b.position(n), Kind: Nothing}
	if b.fault == nil {
		b.fault = &Fault{Pos: out.Pos, Reason: reason}
	}
	return out
}

func (b *builder) position(n ast.Node) Position {
	t := n.GetToken()
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			t = n.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		t = n.Key.GetToken()
	}
	return positionOf(b.file, t)
}

func (b *builder) node(n ast.Node, level int) *Node {
	if level > maxLevel {
		return b.fail(n, "is nested too deep")
	}
	out := &Node{Pos: b.position(n)}
	switch n := n.(type) {
	case *ast.MappingNode:
		return b.mapping(out, n.Values, level)
	case *ast.MappingValueNode:
		return b.mapping(out, []*ast.MappingValueNode{n}, level)
	case *ast.SequenceNode:
		out.Kind = Sequence
		for _, e := range n.Values {
			out.List = append(out.List, b.node(e, level+1))
		}
	case *ast.NullNode:
		out.Kind = Nothing
	case *ast.LiteralNode:
		out.Text, out.Offset = n.Value.Value, -1
	case *ast.StringNode:
		out.Text = n.Value
		b.columns(out, n.Token)
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		out.Text, out.Plain = n.GetToken().Value, true
	default:
		return b.fail(n, fmt.Sprintf("a %s has no meaning here", strings.ToLower(n.Type().String())))
	}
	return out
}

// columns finds out whether a column of the text is one of the file.
func (b *builder) columns(out *Node, t *token.Token) {
	switch {
	case strings.Contains(strings.TrimSpace(t.Origin), "\n"):
		out.Offset = -1
	case t.Type == token.SingleQuoteType && !strings.Contains(out.Text, "'"),
		t.Type == token.DoubleQuoteType && !strings.ContainsAny(t.Origin, `\`):
		out.Offset = 1
	case t.Type == token.SingleQuoteType || t.Type == token.DoubleQuoteType:
		out.Offset = -1
	default:
		out.Plain = true
	}
}

func (b *builder) mapping(out *Node, pairs []*ast.MappingValueNode, level int) *Node {
	out.Kind = Mapping
	for _, pair := range pairs {
		key := b.node(pair.Key, level+1)
		if key.Kind != Scalar {
			b.fail(pair.Key, "a key that is no text")
			continue
		}
		out.Keys = append(out.Keys, key)
		out.Values = append(out.Values, b.node(pair.Value, level+1))
	}
	return out
}
