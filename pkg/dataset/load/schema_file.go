package load

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

const (
	maxSchemaFile = 256 << 10
	maxNesting    = 32
)

// ParseSchema reads a schema file, in YAML or JSON:
//
//	time: at
//	partition: [region]
//	columns:
//	  - {name: at, type: timestamp, required: true}
//	  - {name: region, type: string, from: user.region}
//
// What is wrong is an error that names it.
func ParseSchema(name string, content []byte) (s Schema, err error) {
	defer func() {
		// why: the parser has panicked on malformed input before; a broken file must not take the process with it
		if p := recover(); p != nil {
			err = fmt.Errorf("is not YAML: %v", p)
		}
		if err != nil {
			s, err = Schema{}, fmt.Errorf("schema %s: %w", name, err)
		}
	}()
	if len(content) > maxSchemaFile || !utf8.Valid(content) {
		return s, fmt.Errorf("it is larger than %d bytes, or no UTF-8", maxSchemaFile)
	}
	text, err := plainYAML(content)
	if err != nil {
		return s, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&s); err != nil {
		return s, err
	}
	if s.Version != 0 {
		return s, fmt.Errorf("version is counted by the dataset: leave it out")
	}
	return s, s.Check()
}

// plainYAML gives the JSON of a document. References are refused, so that it is not larger than its text, and what is
// nested deep, because the parser recurses without a bound.
func plainYAML(content []byte) ([]byte, error) {
	flow, most := 0, 0
	for _, t := range lexer.Tokenize(string(content)) {
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType, token.TagType:
			return nil, fmt.Errorf("line %d: anchors, aliases and tags have no meaning here", t.Position.Line)
		case token.SequenceStartType, token.MappingStartType, token.SequenceEntryType, token.MappingKeyType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow--
		}
		if t.Type == token.SequenceEntryType {
			flow-- // it has no end of its own
			most = max(most, t.Position.Column/2)
		}
		if most = max(most, flow, t.Position.Column/4); most > maxNesting && nests(t) {
			return nil, fmt.Errorf("line %d: it is nested too deep", t.Position.Line)
		}
	}
	return yaml.YAMLToJSON(content)
}

// nests says that a token can begin a level.
func nests(t *token.Token) bool {
	switch t.Type {
	case token.SequenceStartType, token.MappingStartType, token.SequenceEntryType, token.MappingKeyType, token.MappingValueType:
		return true
	}
	return false
}
