package backup

import (
	"encoding/json"
	"io"
	"unicode/utf8"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// line is one record of a file. Of a key, a value or a header's value one of two members
// is there: the text, null for none, or where it is no UTF-8 its base64.
type line struct {
	Offset    int64        `json:"offset"`
	Timestamp int64        `json:"timestamp"` // milliseconds since 1970, -1 for none
	Key       any          `json:"key,omitempty"`
	KeyBytes  []byte       `json:"key_base64,omitempty"`
	Value     any          `json:"value,omitempty"`
	ValueByte []byte       `json:"value_base64,omitempty"`
	Headers   []headerLine `json:"headers,omitempty"`
}

type headerLine struct {
	Name      string `json:"name"`
	Value     any    `json:"value,omitempty"`
	ValueByte []byte `json:"value_base64,omitempty"`
}

// lines writes records as lines of JSON.
type lines struct{ encoder *json.Encoder }

// JSONLines is a line of JSON a record. Text stands as it is, and what is no UTF-8 as base64
// in a member of another name.
func JSONLines() FileFormat {
	return FileFormat{Extension: "jsonl", New: func(w io.Writer, _ string, _ int32) RecordWriter {
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		return lines{encoder}
	}}
}

// Write writes a line.
func (l lines) Write(r FileRecord) error { return l.encoder.Encode(lineOf(r.Record)) }

// Close does nothing: the last line is whole.
func (l lines) Close() error { return nil }

func lineOf(r batch.Record) line {
	l := line{Offset: r.Offset, Timestamp: r.Timestamp}
	l.Key, l.KeyBytes = text(r.Key)
	l.Value, l.ValueByte = text(r.Value)
	for _, h := range r.Headers {
		header := headerLine{Name: h.Key}
		header.Value, header.ValueByte = text(h.Value)
		l.Headers = append(l.Headers, header)
	}
	return l
}

// text gives what of two members holds bytes. A null is written as one.
func text(p []byte) (asText any, asBytes []byte) {
	switch {
	case p == nil:
		return json.RawMessage("null"), nil
	case utf8.Valid(p):
		return string(p), nil
	}
	return nil, p
}
