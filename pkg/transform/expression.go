package transform

import (
	"errors"
	"fmt"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	language "github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"

	"github.com/scf-etl/scf-etl/pkg/yamlfile"
)

// expression is text of the language of github.com/expr-lang/expr, compiled. A
// name is a field, and user.email a member of an object or the field of that name,
// nil where it is not there; record.topic and the like are what [metaNames] has.
//
// The library runs a program over boxed values. Conditions of comparisons, and, or
// and not, which most are, have a second form in fast, which reads the bytes of the
// fields; both give the same result, by test.
type expression struct {
	pos     Position
	source  string
	program *vm.Program
	paths   []*operand
	fast    test     // nil: by the library
	direct  *operand // the expression is one field
}

// operand is what a name in an expression stands for.
type operand struct {
	name string
	path *path
	meta func(*state) value // instead of path: a property of the record
}

// condition compiles an expression that has to be true or false.
func (l *loader) condition(n *yamlfile.Node) *expression { return l.compile(n, true) }

// expression compiles an expression with any result.
func (l *loader) expression(n *yamlfile.Node) *expression { return l.compile(n, false) }

func (l *loader) compile(n *yamlfile.Node, condition bool) *expression {
	e := &expression{pos: n.Pos, source: l.Text(n, "an expression")}
	if n.Kind != yamlfile.Scalar {
		return e
	}
	tree, err := language.Parse(e.source)
	if err != nil {
		l.expressionFault(n, err)
		return e
	}
	names := &nameVisitor{local: locals(tree.Node)}
	ast.Walk(&tree.Node, names) // user.email is one name from here on
	e.paths = l.operands(n, names)
	known, unknown := types.Map{}, types.Map{}
	for _, o := range e.paths {
		known[o.name], unknown[o.name] = l.operandType(o), types.Any
	}
	for _, env := range []types.Map{known, unknown} {
		// The first is checked for its types; the second runs, because each field may be missing after all.
		options := []expr.Option{expr.Env(env), expr.Patch(&nameVisitor{local: names.local}), expr.Optimize(false)}
		for _, name := range unsteady() {
			options = append(options, expr.DisableBuiltin(name))
		}
		if condition {
			options = append(options, expr.AsBool())
		}
		if e.program, err = expr.Compile(e.source, options...); err != nil {
			l.expressionFault(n, err)
			return e
		}
	}
	e.fast = fastCondition(tree.Node, e.paths, true)
	if id, ok := tree.Node.(*ast.IdentifierNode); ok {
		e.direct = operandOf(e.paths, id.Value)
	}
	return e
}

// unsteady are the functions whose results differ from one time to the next: by the
// clock, or by the order of a map.
func unsteady() []string { return []string{"now", "keys", "values", "toPairs"} }

// expressionFault finds the place of a fault of the library in the rules file.
func (l *loader) expressionFault(n *yamlfile.Node, err error) {
	at, reason := *n, err.Error()
	var fault *file.Error
	if errors.As(err, &fault) {
		reason = fault.Message
		if n.Offset >= 0 {
			at.Pos.Column += n.Offset + fault.From
		}
	}
	l.Fault(&at, "", "the expression: %s", reason)
}

// operands looks up every name, and says which are unknown.
func (l *loader) operands(n *yamlfile.Node, names *nameVisitor) []*operand {
	var out []*operand
	for _, found := range names.found {
		if operandOf(out, found.name) != nil {
			continue
		}
		o := &operand{name: found.name}
		if name, meta := strings.CutPrefix(found.name, "record."); meta || found.name == "record" {
			o.meta = metaValue(name)
			if o.meta == nil {
				at := found.at(n)
				l.Fault(&at, yamlfile.Suggest(name, metaNames()), "a record has no %q", name)
			}
		} else {
			o.path = newPath(found.name)
			if _, ok := l.shape.find(o.path); !ok {
				at := found.at(n)
				l.Fault(&at, yamlfile.Suggest(found.name, sorted(l.shape.fields)), "there is no field %q at this point", found.name)
			}
		}
		out = append(out, o)
	}
	return out
}

func (l *loader) operandType(o *operand) types.Type {
	if o.path == nil {
		return types.Any
	}
	switch t, _ := l.shape.find(o.path); t {
	case stringType:
		return types.String
	case intType:
		return types.Int
	case floatType:
		return types.Float64
	case boolType:
		return types.Bool
	}
	return types.Any
}

func operandOf(operands []*operand, name string) *operand {
	for _, o := range operands {
		if o.name == name {
			return o
		}
	}
	return nil
}

// nameVisitor makes one name of user.email and of $env["odd name"], and notes all
// names that are not of the expression's own variables.
type nameVisitor struct {
	local map[string]bool
	found []foundName
}

type foundName struct {
	name string
	from int
}

func (f foundName) at(n *yamlfile.Node) yamlfile.Node {
	at := *n
	if n.Offset >= 0 {
		at.Pos.Column += n.Offset + f.from
	}
	return at
}

// Visit is called for the inner nodes first.
func (v *nameVisitor) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		if n.Value != "$env" && !v.local[n.Value] {
			v.found = append(v.found, foundName{n.Value, n.Location().From})
		}
	case *ast.MemberNode:
		id, ok := n.Node.(*ast.IdentifierNode)
		property, static := n.Property.(*ast.StringNode)
		if !ok || !static || v.local[id.Value] {
			return
		}
		name := id.Value + "." + property.Value
		if id.Value == "$env" {
			name = property.Value
		} else if len(v.found) > 0 { // the name that was found is only a part
			v.found = v.found[:len(v.found)-1]
		}
		v.found = append(v.found, foundName{name, id.Location().From})
		whole := &ast.IdentifierNode{Value: name}
		whole.SetLocation(id.Location())
		ast.Patch(node, whole)
	case *ast.ChainNode:
		if id, ok := n.Node.(*ast.IdentifierNode); ok {
			ast.Patch(node, id)
		}
	}
}

// localVisitor finds the variables that an expression declares.
type localVisitor map[string]bool

// Visit notes the name of a declaration.
func (v localVisitor) Visit(node *ast.Node) {
	if n, ok := (*node).(*ast.VariableDeclaratorNode); ok {
		v[n.Name] = true
	}
}

func locals(root ast.Node) map[string]bool {
	v := localVisitor{}
	ast.Walk(&root, v)
	return v
}

// failed is the error of an expression on a record.
func (e *expression) failed(err error) error {
	reason := err.Error()
	var fault *file.Error
	if errors.As(err, &fault) {
		reason = fault.Message
	}
	return &failure{err: fmt.Errorf("%w: %s in %s", ErrExpression, reason, e.source)}
}
