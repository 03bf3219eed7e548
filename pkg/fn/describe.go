package fn

import (
	"fmt"
	"reflect"
	"strings"
)

// Setting is one key of a function's configuration, for help texts and README tables.
type Setting struct {
	Key      string
	Type     string // what is allowed, in words
	Default  string
	Required bool
	Secret   bool
	Doc      string // struct tag doc
}

// Describe lists the settings of configuration struct C in the order of its fields. [Runtime] has those of every
// function.
//
// It panics if C is no struct of settings, which is a mistake in the code; Start reports it as a fault instead.
func Describe[C any]() []Setting {
	fields, err := fieldsOf(reflect.TypeFor[C]())
	if err != nil {
		panic(fmt.Sprintf("describe configuration: %v", err))
	}
	return settingsOf(fields)
}

func settingsOf(fields []field) []Setting {
	settings := make([]Setting, len(fields))
	for i, f := range fields {
		settings[i] = f.Setting
	}
	return settings
}

// Table renders settings as a Markdown table of key, default and meaning, for a README.
func Table(settings []Setting) string {
	var table strings.Builder
	table.WriteString("| Setting | Default | Meaning |\n|---|---|---|\n")
	for _, s := range settings {
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", s.Key, cell(s.defaultColumn()), cell(s.meaning()))
	}
	return table.String()
}

// cell is text that does not end the column of a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

func (s Setting) defaultColumn() string {
	switch {
	case s.Required:
		return "required"
	case s.Default == "":
		return ""
	default:
		return "`" + s.Default + "`"
	}
}

// meaning is the doc text, or what is allowed where there is none.
func (s Setting) meaning() string {
	text := s.Doc
	if text == "" && s.Type != wordText {
		text = s.Type
	}
	if s.Secret {
		text = strings.TrimPrefix(text+" (secret)", " ")
	}
	return text
}
