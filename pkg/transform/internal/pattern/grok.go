package pattern

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"github.com/elastic/go-grok/patterns"
)

// Grok is a grok pattern as an expression of regexp's syntax.
type Grok struct {
	Expr  string
	Types map[string]string // the types that fields are given as %{NAME:field:type}
}

// maxExpr bounds what a grok pattern unfolds to, in bytes; the largest of the
// library, all of a firewall's lines, takes a tenth of it.
const maxExpr = 1 << 20

// dot stands for a dot in the name of a group, as in go-grok.
const dot = "___"

// Definitions are the patterns that github.com/elastic/go-grok has, by name,
// with what it calls the complete set, and with own on top.
func Definitions(own map[string]string) map[string]string {
	all := map[string]string{}
	for _, set := range []map[string]string{
		patterns.Default, patterns.AWS, patterns.Bind9, patterns.Bro, patterns.Exim, patterns.HAProxy, patterns.Httpd,
		patterns.Firewalls, patterns.Java, patterns.Junos, patterns.Maven, patterns.MCollective, patterns.MongoDB,
		patterns.PostgreSQL, patterns.Rails, patterns.Redis, patterns.Ruby, patterns.Squid, patterns.Syslog, own,
	} {
		maps.Copy(all, set)
	}
	return all
}

// Expand unfolds a grok pattern by definitions as go-grok does with named
// captures only: %{NAME:field} is a group with the name of the field, %{NAME} one
// without. An error names the pattern that is unknown or goes in a circle.
func Expand(text string, definitions map[string]string) (Grok, error) {
	e := &expander{definitions: definitions, reference: regexp.MustCompile(`%{(\w+)(?::([\w+.]+)(?::(\w+))?)?}`),
		types: map[string]string{}}
	expr, err := e.expand(text, 0)
	if err != nil {
		return Grok{}, err
	}
	return Grok{Expr: expr, Types: e.types}, nil
}

// FieldName is the field that a group of an unfolded grok pattern stands for.
func FieldName(group string) string { return strings.ReplaceAll(group, dot, ".") }

// UnknownError says that a grok pattern refers to one that is not defined.
type UnknownError struct{ Name string }

// Error names the pattern.
func (e *UnknownError) Error() string { return fmt.Sprintf("the grok pattern %s is unknown", e.Name) }

type expander struct {
	definitions map[string]string
	reference   *regexp.Regexp
	types       map[string]string
}

func (e *expander) expand(text string, depth int) (string, error) {
	if depth > 50 {
		return "", errors.New("a grok pattern refers to itself")
	}
	var out strings.Builder
	for {
		at := e.reference.FindStringSubmatchIndex(text)
		if at == nil {
			break
		}
		group := func(i int) string {
			if at[2*i] < 0 {
				return ""
			}
			return text[at[2*i]:at[2*i+1]]
		}
		definition, known := e.definitions[group(1)]
		if !known {
			return "", &UnknownError{group(1)}
		}
		inner, err := e.expand(definition, depth+1)
		if err != nil {
			return "", err
		}
		out.WriteString(text[:at[0]])
		out.WriteString(e.open(group(2), group(3)))
		out.WriteString(inner)
		out.WriteByte(')')
		text = text[at[1]:]
		if out.Len() > maxExpr {
			return "", fmt.Errorf("unfolds to more than %d bytes", maxExpr)
		}
	}
	out.WriteString(text)
	return out.String(), nil
}

func (e *expander) open(field, kind string) string {
	if field == "" {
		return "(?:"
	}
	if kind != "" {
		e.types[field] = kind
	}
	return "(?P<" + strings.ReplaceAll(field, ".", dot) + ">"
}
