package transform

import "github.com/scf-etl/scf-etl/pkg/kafka/batch"

// addedHeader is a header that output gives every record, behind those that it came
// with.
type addedHeader struct {
	name     string
	constant []byte // nil: by field or expr
	field    *path
	expr     *expression
}

// outputHeaders reads keep, drop, or a mapping of headers to add: a text, {field: f} or
// {expr: e}.
func (l *loader) outputHeaders(o *output, t *table) {
	n := t.get("headers")
	if n == nil || n.kind != mapping {
		o.headers = t.choice("headers", "keep", "drop") == "keep"
		return
	}
	o.headers = true
	for i, key := range n.keys {
		h, v := addedHeader{name: key.text}, n.values[i]
		if key.text == "" {
			l.fault(key, "", "the name of a header is empty")
		}
		if v.kind == scalar {
			h.constant = []byte(v.text)
			o.added = append(o.added, h)
			continue
		}
		of := l.table(v, "a header", "field", "expr")
		f, e := of.get("field"), of.get("expr")
		switch {
		case (f == nil) == (e == nil):
			l.fault(v, "write {field: name}, {expr: ...} or a text", "a header needs one of field and expr")
			continue
		case f != nil:
			h.field = l.field(f)
		default:
			h.expr = l.expression(e)
		}
		o.added = append(o.added, h)
	}
}

// headers gives the headers of an output, in memory of the writer. One whose field is
// not there, or null, is left out.
func (w *writer) headers(s *state) ([]batch.Header, error) {
	o := w.output
	if !o.headers {
		return nil, nil
	}
	if len(o.added) == 0 {
		return s.in.Headers, nil
	}
	w.kept, w.texts = append(w.kept[:0], s.in.Headers...), w.texts[:0]
	for i, h := range o.added {
		text := h.constant
		if text == nil {
			v, err := w.header(s, i)
			if err != nil {
				return nil, err
			}
			if v.kind == missing || v.kind == null {
				continue
			}
			from := len(w.texts)
			w.texts = append(w.texts, s.doc.text(v)...)
			text = w.texts[from:len(w.texts):len(w.texts)]
		}
		w.kept = append(w.kept, batch.Header{Key: h.name, Value: text})
	}
	return w.kept, nil
}

func (w *writer) header(s *state, i int) (value, error) {
	if h := w.output.added[i]; h.field != nil {
		return s.doc.get(h.field), nil
	}
	return w.expressions[i].value(s)
}
