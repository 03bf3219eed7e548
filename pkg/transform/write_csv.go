package transform

// csv writes the columns as RFC 4180 does. What is not there is empty.
func (w *writer) csv(s *state) ([]byte, error) {
	b := w.buffer[:0]
	for i, p := range w.output.columns {
		if i > 0 {
			b = append(b, w.output.separator)
		}
		v := s.doc.get(p)
		if v.kind != missing && v.kind != null {
			b = w.column(b, s.doc.text(v))
		}
	}
	if b == nil {
		b = []byte{}
	}
	w.buffer = b
	return b, nil
}

func (w *writer) column(dst, text []byte) []byte {
	quote := false
	for _, c := range text {
		if c == '"' || c == w.output.separator || c == '\n' || c == '\r' {
			quote = true
		}
	}
	if !quote {
		return append(dst, text...)
	}
	dst = append(dst, '"')
	for _, c := range text {
		if c == '"' {
			dst = append(dst, '"')
		}
		dst = append(dst, c)
	}
	return append(dst, '"')
}
