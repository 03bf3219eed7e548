package sls

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// parseJSON reads one JSON value, with the last of equal keys winning as in JavaScript.
func parseJSON(file string, content []byte, b *budget) (*Value, error) {
	j := &jsonBuilder{file: file, content: content, budget: b, dec: json.NewDecoder(bytes.NewReader(content))}
	j.dec.UseNumber()
	if !utf8.Valid(content) {
		return nil, &Error{Pos: Position{File: file}, Reason: "is not UTF-8 text"}
	}
	v, err := j.value()
	if err == nil {
		if _, extra := j.dec.Token(); !errors.Is(extra, io.EOF) {
			return nil, &Error{Pos: j.position(), Reason: "is not JSON: more follows after the value"}
		}
		return v, nil
	}
	var fault *Error
	if errors.As(err, &fault) {
		return nil, err
	}
	return nil, &Error{Pos: j.position(), Reason: "is not JSON: " + err.Error()}
}

type jsonBuilder struct {
	file    string
	content []byte
	budget  *budget
	dec     *json.Decoder
	depth   int
	counted Position // of the byte at offset done, so that positions cost one pass over the file
	done    int
}

// position is where the decoder stands, at the next byte that is not white space or a separator.
func (j *jsonBuilder) position() Position {
	at := int(j.dec.InputOffset())
	for at < len(j.content) && bytes.IndexByte([]byte(" \t\r\n,:"), j.content[at]) >= 0 {
		at++
	}
	if j.counted.Line == 0 {
		j.counted = Position{j.file, 1, 1}
	}
	for _, r := range string(j.content[j.done:max(at, j.done)]) {
		j.counted.Column++
		if r == '\n' {
			j.counted.Line, j.counted.Column = j.counted.Line+1, 1
		}
	}
	j.done = max(at, j.done)
	return j.counted
}

func (j *jsonBuilder) value() (*Value, error) {
	pos := j.position()
	t, err := j.dec.Token()
	if err != nil {
		return nil, err
	}
	v := &Value{Pos: pos, Literal: true}
	switch t := t.(type) {
	case json.Delim:
		return v, j.composite(v, t)
	case string:
		v.Kind, v.Text, v.Raw = String, t, t
	case bool:
		v.Kind, v.Bool = Bool, t
	case json.Number:
		if v.Number, err = t.Float64(); err != nil {
			return nil, &Error{Pos: pos, Value: t.String(), Reason: "is too large for a number"}
		}
		v.Kind, v.Raw = Number, t.String()
	}
	if err := j.budget.take(1, len(v.Text)); err != nil {
		return nil, &Error{Pos: pos, Reason: err.Error()}
	}
	return v, nil
}

func (j *jsonBuilder) composite(v *Value, open json.Delim) error {
	if j.depth++; j.depth > maxDepth {
		return &Error{Pos: v.Pos, Reason: fmt.Sprintf("is nested deeper than %d levels", maxDepth)}
	}
	defer func() { j.depth-- }()
	v.Kind = List
	if open == '{' {
		v.Kind = Map
	}
	for j.dec.More() {
		if err := j.member(v); err != nil {
			return err
		}
	}
	_, err := j.dec.Token()
	return err
}

func (j *jsonBuilder) member(v *Value) error {
	if v.Kind == List {
		e, err := j.value()
		v.List = append(v.List, e)
		return err
	}
	pos := j.position()
	t, err := j.dec.Token()
	if err != nil {
		return err
	}
	name, ok := t.(string)
	if !ok {
		return fmt.Errorf("a key must be a text")
	}
	e, err := j.value()
	if err != nil {
		return err
	}
	v.set(Field{name, pos, e})
	return nil
}
