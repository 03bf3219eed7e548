package transform

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/scf-etl/scf-etl/internal/rawjson"
)

// test is a condition that reads the bytes of the fields.
type test func(*state, *scratch) (bool, error)

// scratch is memory for what a test has to decode.
type scratch struct{ text []byte }

// fastCondition returns a test with the result of the library, or nil where the
// expression has more than comparisons of fields with constants. last says that the
// result is that of all: the library takes nothing for false there, and only there.
func fastCondition(n ast.Node, operands []*operand, last bool) test {
	switch n := n.(type) {
	case *ast.BoolNode:
		return func(*state, *scratch) (bool, error) { return n.Value, nil }
	case *ast.IdentifierNode:
		return truthOf(operandOf(operands, n.Value), last)
	case *ast.UnaryNode:
		if n.Operator != "not" && n.Operator != "!" {
			return nil
		}
		inner := fastCondition(n.Node, operands, false)
		if inner == nil {
			return nil
		}
		return func(s *state, b *scratch) (bool, error) {
			ok, err := inner(s, b)
			return !ok, err
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "and", "&&":
			return both(n, operands, false, last)
		case "or", "||":
			return both(n, operands, true, last)
		}
		return comparison(n, operands)
	}
	return nil
}

// truthOf is a field that is true or false itself.
func truthOf(o *operand, last bool) test {
	if o == nil {
		return nil
	}
	return func(s *state, _ *scratch) (bool, error) {
		v := o.get(s)
		if last && (v.kind == missing || v.kind == null) {
			return false, nil
		}
		if v.kind != boolean {
			return false, fmt.Errorf("%s is not true or false", o.name)
		}
		return v.raw[0] == 't', nil
	}
}

// both is and, or or: what decides alone ends it.
func both(n *ast.BinaryNode, operands []*operand, decides, last bool) test {
	left, right := fastCondition(n.Left, operands, false), fastCondition(n.Right, operands, last)
	if left == nil || right == nil {
		return nil
	}
	return func(s *state, b *scratch) (bool, error) {
		if ok, err := left(s, b); err != nil || ok == decides {
			return ok, err
		}
		return right(s, b)
	}
}

func comparison(n *ast.BinaryNode, operands []*operand) test {
	id, fieldFirst := n.Left.(*ast.IdentifierNode)
	other := n.Right
	operator := n.Operator
	if !fieldFirst {
		var ok bool
		if id, ok = n.Right.(*ast.IdentifierNode); !ok {
			return nil
		}
		if operator, ok = turned(operator); !ok {
			return nil
		}
		other = n.Left
	}
	o := operandOf(operands, id.Value)
	if o == nil {
		return nil
	}
	if operator == "in" {
		return membership(o, other)
	}
	c, ok := constantOf(other)
	if !ok {
		return nil
	}
	switch operator {
	case "==":
		return func(s *state, b *scratch) (bool, error) { return c.equals(o.get(s), b), nil }
	case "!=":
		return func(s *state, b *scratch) (bool, error) { return !c.equals(o.get(s), b), nil }
	case "<", "<=", ">", ">=":
		return order(o, c, operator)
	}
	return textTest(o, c, operator)
}

// turned is the operator for the operands the other way round.
func turned(operator string) (string, bool) {
	switch operator {
	case "==", "!=":
		return operator, true
	case "<":
		return ">", true
	case "<=":
		return ">=", true
	case ">":
		return "<", true
	case ">=":
		return "<=", true
	}
	return "", false
}

// constant is the value of a literal.
type constant struct {
	kind  kind // text, number, boolean or null
	text  string
	float float64
	int   int
	whole bool // the number is int
	truth bool
}

func constantOf(n ast.Node) (constant, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return constant{kind: text, text: n.Value}, true
	case *ast.IntegerNode:
		return constant{kind: number, int: n.Value, float: float64(n.Value), whole: true}, true
	case *ast.FloatNode:
		return constant{kind: number, float: n.Value}, true
	case *ast.BoolNode:
		return constant{kind: boolean, truth: n.Value}, true
	case *ast.NilNode:
		return constant{kind: null}, true
	case *ast.UnaryNode:
		c, ok := constantOf(n.Node)
		if !ok || n.Operator != "-" || c.kind != number {
			return c, false
		}
		c.int, c.float = -c.int, -c.float
		return c, true
	}
	return constant{}, false
}

// plain returns the text of a value, decoded into the scratch where it has to be.
func (b *scratch) plain(v value) []byte {
	if v.kind != quoted {
		return v.raw
	}
	if bytes.IndexByte(v.raw, '\\') < 0 {
		return v.raw[1 : len(v.raw)-1]
	}
	b.text = rawjson.Decode(b.text[:0], v.raw)
	return b.text
}

func (c *constant) equals(v value, b *scratch) bool {
	switch v.kind {
	case text, quoted:
		return c.kind == text && string(b.plain(v)) == c.text
	case number:
		return c.kind == number && c.compare(v.raw) == 0
	case boolean:
		return c.kind == boolean && (v.raw[0] == 't') == c.truth
	case null, missing:
		return c.kind == null
	}
	return false
}

// compare is negative where the number is less than the constant. Whole numbers
// are compared as such, others as float64, like the library does.
func (c *constant) compare(raw []byte) int {
	n, ok := whole(raw)
	if ok && c.whole {
		switch {
		case n < c.int:
			return -1
		case n > c.int:
			return 1
		}
		return 0
	}
	f := float64(n)
	if !ok {
		f = fraction(raw)
	}
	switch {
	case f < c.float:
		return -1
	case f > c.float:
		return 1
	}
	return 0
}

func order(o *operand, c constant, operator string) test {
	if c.kind != text && c.kind != number {
		return nil
	}
	holds := map[string]func(int) bool{
		"<": func(d int) bool { return d < 0 }, "<=": func(d int) bool { return d <= 0 },
		">": func(d int) bool { return d > 0 }, ">=": func(d int) bool { return d >= 0 },
	}[operator]
	limit := []byte(c.text)
	return func(s *state, b *scratch) (bool, error) {
		v := o.get(s)
		switch {
		case v.kind == number && c.kind == number:
			return holds(c.compare(v.raw)), nil
		case (v.kind == text || v.kind == quoted) && c.kind == text:
			return holds(bytes.Compare(b.plain(v), limit)), nil
		}
		return false, fmt.Errorf("%s cannot be compared by %s", o.name, operator)
	}
}

func membership(o *operand, list ast.Node) test {
	a, ok := list.(*ast.ArrayNode)
	if !ok {
		return nil
	}
	constants := make([]constant, len(a.Nodes))
	for i, n := range a.Nodes {
		if constants[i], ok = constantOf(n); !ok {
			return nil
		}
	}
	return func(s *state, b *scratch) (bool, error) {
		v := o.get(s)
		return slices.ContainsFunc(constants, func(c constant) bool { return c.equals(v, b) }), nil
	}
}

// textTest is contains, startsWith, endsWith and matches: false for nothing.
func textTest(o *operand, c constant, operator string) test {
	if c.kind != text {
		return nil
	}
	part := []byte(c.text)
	var holds func([]byte) bool
	switch operator {
	case "contains":
		holds = func(t []byte) bool { return bytes.Contains(t, part) }
	case "startsWith":
		holds = func(t []byte) bool { return bytes.HasPrefix(t, part) }
	case "endsWith":
		holds = func(t []byte) bool { return bytes.HasSuffix(t, part) }
	case "matches":
		compiled, err := regexp.Compile(c.text)
		if err != nil {
			return nil
		}
		holds = compiled.Match
	default:
		return nil
	}
	return func(s *state, b *scratch) (bool, error) {
		v := o.get(s)
		switch v.kind {
		case text, quoted:
			return holds(b.plain(v)), nil
		case null, missing:
			return false, nil
		}
		return false, fmt.Errorf("%s is no text", o.name)
	}
}
