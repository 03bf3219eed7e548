package transform

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

// Limits of a rules file: the parser recurses without a bound of its own, and an
// overflow of the stack cannot be caught.
const (
	maxFile  = 1 << 20
	maxLevel = 64
)

type nodeKind uint8

const (
	scalar nodeKind = iota
	sequence
	mapping
	nothing
)

// node is a value of a rules file with its place.
type node struct {
	pos    Position
	kind   nodeKind
	text   string
	plain  bool // a scalar without quotes, whose text may be a number or a boolean
	offset int  // columns from pos to where the text begins: 1 for quotes; -1 where columns do not match
	list   []*node
	keys   []*node
	values []*node
}

// parseYAML reads one document; what is wrong with it is a fault.
func parseYAML(file string, content []byte) (root *node, fault *Fault) {
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
	return (&yamlBuilder{file: file}).document(doc)
}

// document is the node of the one document of a file.
func (b *yamlBuilder) document(f *ast.File) (root *node, fault *Fault) {
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

type yamlBuilder struct {
	file  string
	fault *Fault
}

// fail notes the first fault, and stands for the node that it is in.
func (b *yamlBuilder) fail(n ast.Node, reason string) *node {
	out := &node{pos: b.position(n), kind: nothing}
	if b.fault == nil {
		b.fault = &Fault{Pos: out.pos, Reason: reason}
	}
	return out
}

func (b *yamlBuilder) position(n ast.Node) Position {
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

func (b *yamlBuilder) node(n ast.Node, level int) *node {
	if level > maxLevel {
		return b.fail(n, "is nested too deep")
	}
	out := &node{pos: b.position(n)}
	switch n := n.(type) {
	case *ast.MappingNode:
		return b.mapping(out, n.Values, level)
	case *ast.MappingValueNode:
		return b.mapping(out, []*ast.MappingValueNode{n}, level)
	case *ast.SequenceNode:
		out.kind = sequence
		for _, e := range n.Values {
			out.list = append(out.list, b.node(e, level+1))
		}
	case *ast.NullNode:
		out.kind = nothing
	case *ast.LiteralNode:
		out.text, out.offset = n.Value.Value, -1
	case *ast.StringNode:
		out.text = n.Value
		b.columns(out, n.Token)
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		out.text, out.plain = n.GetToken().Value, true
	default:
		return b.fail(n, fmt.Sprintf("a %s has no meaning in a rules file", strings.ToLower(n.Type().String())))
	}
	return out
}

// columns finds out whether a column of the text is one of the file.
func (b *yamlBuilder) columns(out *node, t *token.Token) {
	switch {
	case strings.Contains(strings.TrimSpace(t.Origin), "\n"):
		out.offset = -1
	case t.Type == token.SingleQuoteType && !strings.Contains(out.text, "'"),
		t.Type == token.DoubleQuoteType && !strings.ContainsAny(t.Origin, `\`):
		out.offset = 1
	case t.Type == token.SingleQuoteType || t.Type == token.DoubleQuoteType:
		out.offset = -1
	default:
		out.plain = true
	}
}

func (b *yamlBuilder) mapping(out *node, pairs []*ast.MappingValueNode, level int) *node {
	out.kind = mapping
	for _, pair := range pairs {
		key := b.node(pair.Key, level+1)
		if key.kind != scalar {
			b.fail(pair.Key, "a key that is no text")
			continue
		}
		out.keys = append(out.keys, key)
		out.values = append(out.values, b.node(pair.Value, level+1))
	}
	return out
}
