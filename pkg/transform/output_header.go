package transform

import (
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/yamlfile"
)

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
func (l *loader) outputHeaders(o *output, t *yamlfile.Table) {
	n := t.Get("headers")
	if n == nil || n.Kind != yamlfile.Mapping {
		o.headers = t.Choice("headers", "keep", "drop") == "keep"
		return
	}
	o.headers = true
	for i, key := range n.Keys {
		h, v := addedHeader{name: key.Text}, n.Values[i]
		if key.Text == "" {
			l.Fault(key, "", "the name of a header is empty")
		}
		if v.Kind == yamlfile.Scalar {
			h.constant = []byte(v.Text)
			o.added = append(o.added, h)
			continue
		}
		of := l.Table(v, "a header", "field", "expr")
		f, e := of.Get("field"), of.Get("expr")
		switch {
		case (f == nil) == (e == nil):
			l.Fault(v, "write {field: name}, {expr: ...} or a text", "a header needs one of field and expr")
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
