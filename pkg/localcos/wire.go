package localcos

import (
	"io"
	"net/http"
	"strings"
)

// wireWriter writes the names of headers as the service does: x-cos-* in small
// letters, and ETag. Programs in other languages look for them so.
type wireWriter struct{ http.ResponseWriter }

// WriteHeader sends the status and the headers.
func (w *wireWriter) WriteHeader(status int) {
	h := w.Header()
	for name, values := range h {
		wire := name
		if strings.HasPrefix(name, "X-Cos-") {
			wire = strings.ToLower(name)
		} else if name == "Etag" {
			wire = "ETag"
		}
		if wire != name {
			delete(h, name)
			h[wire] = values
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// ReadFrom lets a file go to the connection without a copy.
func (w *wireWriter) ReadFrom(r io.Reader) (int64, error) { return io.Copy(w.ResponseWriter, r) }

// Flush sends what is there.
func (w *wireWriter) Flush() {
	if flusher, ok := w.ResponseWriter.(http.Flusher); ok {
		flusher.Flush()
	}
}
