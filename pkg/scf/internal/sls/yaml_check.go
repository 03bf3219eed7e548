package sls

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/token"
)

// checkText refuses bytes that YAML forbids, before the parser sees them.
func checkText(file, text string) error {
	line, blank := 1, 0
	for rest := text; len(rest) > 0; {
		r, size := utf8.DecodeRuneInString(rest)
		rest = rest[size:]
		reason := ""
		switch {
		case r == '\n':
			line, blank = line+1, blank+1
			if blank > maxBlank {
				reason = fmt.Sprintf("more than %d blank lines in a row", maxBlank)
			}
		case r == ' ', r == '\t', r == '\r': // a line of them is blank
		case r == utf8.RuneError && size <= 1:
			reason = "is not UTF-8 text"
		case r < ' ', r >= 0x7f && r < 0xa0 && r != 0x85, r == 0xfffe, r == 0xffff:
			reason = fmt.Sprintf("holds the control character %U", r)
		default:
			blank = 0
		}
		if reason != "" {
			return &Error{Pos: Position{file, line, 1}, Reason: reason}
		}
	}
	return nil
}

// checkTokens refuses, between the two stages of the parser, what it would overflow its stack on and what it would read as
// something else than the framework's parser does.
func checkTokens(file string, tokens token.Tokens) error {
	if len(tokens) > maxTokens {
		return &Error{Pos: Position{File: file}, Reason: fmt.Sprintf("has more than %d YAML tokens", maxTokens)}
	}
	var c tokenCheck
	for _, t := range tokens {
		if reason, fix := c.next(t); reason != "" {
			return &Error{Pos: tokenPosition(file, t), Reason: reason, Fix: fix}
		}
	}
	return nil
}

// tokenCheck is what has been seen before a token.
type tokenCheck struct {
	flow     int // open [ and {
	line     int
	prefixes int // on this line: each makes the parser go deeper by one call
	content  bool
	ended    bool // by ...
	skip     int  // the line of a directive
}

func (c *tokenCheck) next(t *token.Token) (reason, fix string) {
	if t.Type == token.DirectiveType {
		c.skip = t.Position.Line
	}
	switch {
	case t.Type == token.CommentType, c.skip == t.Position.Line:
		return "", ""
	case c.ended, c.content && t.Type == token.DocumentHeaderType:
		return "a second YAML document", "keep one document in the file"
	case t.Type == token.DocumentHeaderType, t.Type == token.DocumentEndType:
		c.ended = t.Type == token.DocumentEndType
		return "", ""
	case t.Type == token.MappingKeyType:
		return "a key with ? before it", "write key: value"
	}
	c.content = true
	if c.tooDeep(t) {
		return fmt.Sprintf("is nested deeper than %d levels", maxDepth), ""
	}
	if plain(t) {
		reason, fix = inPlain(t)
	}
	if reason == "" && c.flow > 0 {
		reason, fix = inFlow(t)
	}
	return reason, fix
}

// tooDeep bounds what the parser, which has no bound of its own, recurses on.
func (c *tokenCheck) tooDeep(t *token.Token) bool {
	if t.Position != nil && t.Position.Line != c.line {
		c.line, c.prefixes = t.Position.Line, 0
	}
	switch t.Type {
	case token.SequenceStartType, token.MappingStartType:
		c.flow++
	case token.SequenceEndType, token.MappingEndType:
		c.flow--
	case token.SequenceEntryType, token.AnchorType, token.AliasType, token.TagType:
		c.prefixes++
	}
	return c.flow > maxDepth || c.prefixes > 4*maxDepth
}

// inPlain refuses what the parser lets stand in an unquoted text, so that a line with the wrong indentation becomes part of
// the text before it.
func inPlain(t *token.Token) (reason, fix string) {
	v := t.Value
	switch {
	case strings.Contains(t.Origin, "\t"):
		return "a tab", "use spaces, or put the text in quotes"
	case strings.Contains(v, ": "), strings.Contains(v, ":\n"), strings.HasSuffix(v, ":"):
		return "a colon inside an unquoted text", "mend the indentation, or put the text in quotes"
	case continuesAsList(t.Origin):
		return "a - that continues the unquoted text before it", "mend the indentation, or put the text in quotes"
	case v != "" && strings.IndexByte(",[]{}", v[0]) >= 0:
		return "an unquoted text that begins with " + v[:1], "put the text in quotes"
	}
	return "", ""
}

// continuesAsList says whether a line of an unquoted text, but not its first, looks like a member of a list.
func continuesAsList(origin string) bool {
	_, rest, _ := strings.Cut(strings.TrimSpace(origin), "\n")
	for line := range strings.Lines(rest) {
		if strings.HasPrefix(strings.TrimLeft(line, " "), "- ") {
			return true
		}
	}
	return false
}

// inFlow refuses what the parser reads otherwise inside [] and {}: a:1 as a key and a value, and brackets as text.
func inFlow(t *token.Token) (reason, fix string) {
	switch {
	case t.Type == token.SequenceEntryType:
		return "a - inside brackets", "separate by commas"
	case plain(t) && strings.ContainsAny(t.Value, "[]{}"):
		return "a bracket inside an unquoted text", "put the text in quotes"
	case t.Type == token.MappingValueType && t.Prev != nil && plain(t.Prev) && t.Next != nil && adjacent(t, t.Next):
		return "no space after the colon", "write key: value, or put a text that holds a colon in quotes"
	}
	return "", ""
}

func adjacent(a, b *token.Token) bool {
	if b.Type == token.CollectEntryType || b.Type == token.MappingEndType || b.Type == token.SequenceEndType {
		return false
	}
	return a.Position.Line == b.Position.Line && b.Position.Column == a.Position.Column+1
}

// plain says whether a token is an unquoted scalar.
func plain(t *token.Token) bool {
	switch t.Type {
	case token.StringType:
		return t.Prev == nil || t.Prev.Type != token.LiteralType && t.Prev.Type != token.FoldedType
	case token.NullType, token.BoolType, token.InfinityType, token.NanType, token.IntegerType, token.FloatType,
		token.BinaryIntegerType, token.OctetIntegerType, token.HexIntegerType:
		return true
	}
	return false
}
