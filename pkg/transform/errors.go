package transform

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/scf-etl/scf-etl/pkg/transform/internal/sensitive"
	"github.com/scf-etl/scf-etl/pkg/yamlfile"
)

// What is behind an [Error], for errors.Is.
var (
	ErrParse      = errors.New("the value is not of the format")
	ErrMissing    = errors.New("the field is missing")
	ErrExpression = errors.New("the expression has no result")
	ErrTime       = errors.New("the time is of none of the layouts")
	ErrEncode     = errors.New("the output cannot hold the value")
	ErrTombstone  = errors.New("the record is a tombstone")
)

// Position is a place in a rules file.
type Position = yamlfile.Position

// Error says why one record cannot be transformed. It is permanent: the same
// record fails again under the same rules, so its place is the dead letter.
type Error struct {
	Rule    int      // index in rules, from 0; -1 for the output
	Kind    string   // the kind of the rule, such as parse
	Pos     Position // where the rule stands
	Field   string   // the field it is about, or empty
	Excerpt string   // the beginning of the value, with personal data covered, as a Go string literal
	Err     error    // why; wraps one of the errors above
}

// Error is one line with all of it.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", e.Pos, e.Kind)
	if e.Rule >= 0 {
		fmt.Fprintf(&b, " (rule %d)", e.Rule)
	}
	if e.Field != "" {
		fmt.Fprintf(&b, ": field %s", e.Field)
	}
	fmt.Fprintf(&b, ": %v", e.Err)
	if e.Excerpt != "" {
		fmt.Fprintf(&b, ": %s", e.Excerpt)
	}
	return b.String()
}

// Unwrap is the reason.
func (e *Error) Unwrap() error { return e.Err }

// failure is an [Error] on its way up, before it is known which rule it is of.
type failure struct {
	field string
	value []byte
	err   error
}

func (f *failure) Error() string { return f.err.Error() }

func (f *failure) Unwrap() error { return f.err }

// maxExcerpt is how much of a value an error shows, in bytes.
const maxExcerpt = 80

// excerpt is the beginning of value for an error: errors go to logs, which are
// no place for personal data.
func excerpt(value []byte) string {
	if value == nil {
		return ""
	}
	const every = sensitive.Email | sensitive.Phone | sensitive.IDCard | sensitive.BankCard | sensitive.IP
	// A number that the cut goes through would not be found: look at a little more.
	head := value[:min(len(value), 2*maxExcerpt)]
	if covered, found := (sensitive.Cover{}).All(nil, head, every); found {
		head = covered
	}
	if len(head) <= maxExcerpt {
		return strconv.QuoteToASCII(string(head))
	}
	head = head[:maxExcerpt]
	for len(head) > 0 && !utf8.RuneStart(head[len(head)-1]) {
		head = head[:len(head)-1]
	}
	return strconv.QuoteToASCII(string(head)) + fmt.Sprintf("... (%d bytes)", len(value))
}

// Fault is one mistake in a rules file.
type Fault = yamlfile.Fault

// RulesError is every mistake of a rules file at once, in the order of the file.
type RulesError = yamlfile.Error
