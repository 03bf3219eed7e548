package event

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"unicode/utf8"
)

// HTTP is the event of one request to a function URL (SCF manual, 583/96099):
//
//	{"body":"...","headers":{"accept":"*/*"},"httpMethod":"POST","path":"/","queryString":{"a":"1"}}
//
// The event of an API Gateway trigger, of which this shape is a part, decodes too.
type HTTP struct {
	// Method is never empty after decoding.
	Method string
	// Path is the path of the request, without the query.
	Path string
	// Query holds the parameters of the query; one without a value has "".
	Query url.Values
	// Header holds the request's headers under canonical names.
	Header http.Header
	// Body is the request's body; nil where there is none. A body marked isBase64Encoded, which API Gateway
	// sends, is decoded.
	Body []byte
}

// RemoteAddr is the client's IP address as the platform saw it, or "" where it did not say.
func (h HTTP) RemoteAddr() string { return h.Header.Get("X-Scf-Remote-Addr") }

// UnmarshalJSON decodes a request to a function URL. A payload that is not one is a *[DecodeError]: it has
// no httpMethod.
func (h *HTTP) UnmarshalJSON(payload []byte) error {
	out := HTTP{Query: url.Values{}, Header: http.Header{}}
	var body bodyReader
	s := newScanner(KindHTTP, payload)
	err := s.document(func() error {
		return s.members(
			s.stringMember("httpMethod", &out.Method),
			s.stringMember("path", &out.Path),
			s.stringsMember("queryString", out.Query.Add),
			s.stringsMember("headers", out.Header.Add),
			body.text(&s), body.flag(&s),
		)
	})
	if err != nil {
		return err
	}
	if out.Method == "" {
		s.field = "httpMethod"
		return s.fail(0, "it is missing: this is not the event of a function URL")
	}
	if out.Body, err = body.bytes(&s); err != nil {
		return err
	}
	*h = out
	return nil
}

// MarshalJSON encodes the event as the platform sends it. Of a header or parameter with several values it
// sends a list. The event is text: bytes of the body that are not UTF-8 become U+FFFD. It never fails.
func (h HTTP) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Body    string         `json:"body"`
		Headers map[string]any `json:"headers"`
		Method  string         `json:"httpMethod"`
		Path    string         `json:"path"`
		Query   map[string]any `json:"queryString"`
	}{string(h.Body), oneOrMany(h.Header), h.Method, h.Path, oneOrMany(h.Query)})
}

// LogAttrs describes the request for the log line of its invocation: method, path and size of the body.
// Query and headers are not part of it: they may hold secrets.
func (h HTTP) LogAttrs() []slog.Attr {
	return []slog.Attr{
		slog.String("method", h.Method), slog.String("path", h.Path), slog.Int("bytes", len(h.Body)),
	}
}

// HTTPResponse is what a function answers to a request to its URL.
type HTTPResponse struct {
	// StatusCode is the HTTP status; 0 is sent as 200.
	StatusCode int
	// Header holds the response's headers.
	Header http.Header
	// Body is the response's body. One that is not UTF-8 is sent in base64 and marked as such, which the
	// platform knows from API Gateway.
	Body []byte
}

// MarshalJSON encodes the response as the platform reads it. It never fails.
func (r HTTPResponse) MarshalJSON() ([]byte, error) {
	wire := struct {
		Base64  bool           `json:"isBase64Encoded"`
		Status  int            `json:"statusCode"`
		Headers map[string]any `json:"headers"`
		Body    string         `json:"body"`
	}{Status: r.StatusCode, Headers: oneOrMany(r.Header), Body: string(r.Body)}
	if wire.Status == 0 {
		wire.Status = http.StatusOK
	}
	if !utf8.Valid(r.Body) {
		wire.Base64, wire.Body = true, base64.StdEncoding.EncodeToString(r.Body)
	}
	return json.Marshal(wire)
}

// UnmarshalJSON reads a function's answer as the platform does: JSON without a statusCode is itself the
// body, with status 200 and content type application/json (583/96099). An answer that is not JSON, or has
// a field of the wrong type or an impossible statusCode, is a *[DecodeError].
func (r *HTTPResponse) UnmarshalJSON(payload []byte) error {
	var status int64
	s := newScanner(KindHTTP, payload)
	first := s
	err := first.document(func() error {
		if first.peek() != '{' {
			return first.skip()
		}
		return first.members(first.intMember("statusCode", &status))
	})
	if err != nil {
		return err
	}
	if status == 0 {
		*r = HTTPResponse{
			StatusCode: http.StatusOK,
			Header:     http.Header{"Content-Type": {"application/json"}},
			Body:       bytes.Clone(payload),
		}
		return nil
	}
	if status < 100 || status > 999 { // net/http, and so the local platform, can send no other
		s.field = "statusCode"
		return s.fail(0, "want a number from 100 to 999")
	}
	out := HTTPResponse{StatusCode: int(status), Header: http.Header{}}
	var body bodyReader
	err = s.document(func() error {
		return s.members(s.stringsMember("headers", out.Header.Add), body.text(&s), body.flag(&s))
	})
	if err != nil {
		return err
	}
	if out.Body, err = body.bytes(&s); err != nil {
		return err
	}
	*r = out
	return nil
}

// LogAttrs describes the response for the log line of its invocation.
func (r HTTPResponse) LogAttrs() []slog.Attr {
	return []slog.Attr{slog.Int("status", r.StatusCode), slog.Int("response_bytes", len(r.Body))}
}

// bodyReader reads a body that a second field may mark as base64, before or after it.
type bodyReader struct {
	content []byte
	start   int
	encoded bool
}

func (b *bodyReader) text(s *scanner) member {
	return member{"body", func() error {
		b.start = s.i
		text, err := s.optionalText()
		if text != nil {
			b.content = append([]byte{}, text...)
		}
		return err
	}}
}

func (b *bodyReader) flag(s *scanner) member {
	return member{"isBase64Encoded", func() error {
		switch s.peek() {
		case 't':
			b.encoded = true
		case 'f':
			b.encoded = false
		case 'n':
		default:
			return s.mismatch("a bool")
		}
		return s.skip()
	}}
}

func (b *bodyReader) bytes(s *scanner) ([]byte, error) {
	if !b.encoded {
		return b.content, nil
	}
	out, err := base64.StdEncoding.AppendDecode(nil, b.content)
	if err != nil {
		s.field = "body"
		return nil, s.fail(b.start, "it is marked isBase64Encoded and is not base64")
	}
	return out, nil
}

// oneOrMany writes a name with one value as a string and one with several as a list.
func oneOrMany[M ~map[string][]string](values M) map[string]any {
	out := make(map[string]any, len(values))
	for name, list := range values {
		if len(list) == 1 {
			out[name] = list[0]
		} else {
			out[name] = list
		}
	}
	return out
}
