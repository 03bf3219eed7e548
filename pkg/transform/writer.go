package transform

import (
	"fmt"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// writer makes the outputs of one record.
type writer struct {
	output  *output
	when    []evaluator
	key     evaluator
	buffer  []byte
	keys    []byte
	outputs []Output

	expressions []evaluator // of added headers, by their index
	kept        []batch.Header
	texts       []byte
}

func (o *output) start() *writer {
	w := &writer{output: o, key: o.key.start()}
	for _, r := range o.routes {
		w.when = append(w.when, r.when.start())
	}
	for _, h := range o.added {
		w.expressions = append(w.expressions, h.expr.start())
	}
	return w
}

func (w *writer) write(s *state) error {
	w.outputs = w.outputs[:0]
	value, err := w.value(s)
	if err != nil {
		return err
	}
	key, err := w.outputKey(s)
	if err != nil {
		return err
	}
	record := batch.Record{Offset: s.in.Offset, Timestamp: s.timestamp, Key: key, Value: value}
	if record.Headers, err = w.headers(s); err != nil {
		return err
	}
	for i := range w.output.routes {
		r := &w.output.routes[i]
		ok, err := w.when[i].truth(s)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		w.outputs = append(w.outputs, Output{Topic: r.topic, Record: record})
		if !r.more {
			return nil
		}
	}
	if len(w.outputs) == 0 {
		w.outputs = append(w.outputs, Output{Topic: w.output.topic, Record: record})
	}
	return nil
}

// tombstone passes a record without a value on as it is.
func (w *writer) tombstone(s *state) {
	record := s.in.Record
	if !w.output.headers {
		record.Headers = nil
	}
	w.outputs = append(w.outputs[:0], Output{Topic: w.output.topic, Record: record})
}

func (w *writer) outputKey(s *state) ([]byte, error) {
	var v value
	switch o := w.output; {
	case o.keepKey:
		return s.in.Key, nil
	case o.keyField != nil:
		if v = s.doc.get(o.keyField); v.kind == missing {
			return nil, &failure{field: o.keyField.text, err: ErrMissing}
		}
	case o.key != nil:
		var err error
		if v, err = w.key.value(s); err != nil {
			return nil, err
		}
	}
	if v.kind == null || v.kind == missing {
		return nil, nil
	}
	w.keys = append(w.keys[:0], s.doc.text(v)...)
	return w.keys, nil
}

// value returns the value to write; never nil, which would be a tombstone.
func (w *writer) value(s *state) ([]byte, error) {
	o := w.output
	switch o.format {
	case "raw":
		if o.field == nil {
			return s.in.Value, nil
		}
		v := s.doc.get(o.field)
		if v.kind == missing {
			return nil, &failure{field: o.field.text, err: ErrMissing}
		}
		w.buffer = append(w.buffer[:0], s.doc.text(v)...)
	case "logfmt":
		return w.logfmt(s)
	case "csv":
		return w.csv(s)
	default:
		return w.json(s)
	}
	if w.buffer == nil {
		w.buffer = []byte{}
	}
	return w.buffer, nil
}

// json writes the fields in their order. Members that stand side by side in the
// value as it came, and have not changed, are copied as one.
func (w *writer) json(s *state) ([]byte, error) {
	b := append(w.buffer[:0], '{')
	for i := 0; i < len(s.doc.fields); i++ {
		f := &s.doc.fields[i]
		if f.kind == missing {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		if f.within(s.in.Value) {
			end := f.end
			for i+1 < len(s.doc.fields) {
				next := &s.doc.fields[i+1]
				if next.begin != end+1 || s.in.Value[end] != ',' || !next.within(s.in.Value) {
					break
				}
				end = next.end
				i++
			}
			b = append(b, s.in.Value[f.begin:end]...)
			continue
		}
		b = s.doc.appendJSON(append(append(b, f.key...), ':'), f.value)
		if s.doc.lossy && !w.output.replace {
			w.buffer = b
			return nil, notText(f)
		}
	}
	w.buffer = append(b, '}')
	return w.buffer, nil
}

func notText(f *field) error {
	return &failure{field: string(f.name), value: f.raw,
		err: fmt.Errorf("%w: it is not UTF-8 text (invalid_utf8: replace writes U+FFFD instead)", ErrEncode)}
}
