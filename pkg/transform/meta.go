package transform

import (
	"strconv"
	"strings"
)

// metaNames are what record. has in expressions, and from: in a set rule, besides
// headers.NAME.
func metaNames() []string {
	return []string{"topic", "partition", "offset", "timestamp", "key", "value", "headers."}
}

// metaValue returns how to read a property of a record, or nil. timestamp is the
// event time as the rules before have set it, in milliseconds since 1970. A key,
// value or header that is not there is missing. Of headers with one name the last
// counts.
func metaValue(name string) func(*state) value {
	switch name {
	case "topic":
		return func(s *state) value {
			return value{text, s.doc.keep(func(dst []byte) []byte { return append(dst, s.in.Topic...) })}
		}
	case "partition":
		return func(s *state) value { return s.doc.integral(int64(s.in.Partition)) }
	case "offset":
		return func(s *state) value { return s.doc.integral(s.in.Offset) }
	case "timestamp":
		return func(s *state) value {
			if s.timestamp < 0 {
				return value{}
			}
			return s.doc.integral(s.timestamp)
		}
	case "key":
		return func(s *state) value { return given(s.in.Key) }
	case "value":
		return func(s *state) value { return given(s.in.Value) }
	}
	header, ok := strings.CutPrefix(name, "headers.")
	if !ok || header == "" {
		return nil
	}
	return func(s *state) (v value) {
		for _, h := range s.in.Headers {
			if h.Key == header {
				v = given(h.Value)
			}
		}
		return v
	}
}

func given(raw []byte) value {
	if raw == nil {
		return value{}
	}
	return value{text, raw}
}

func (d *document) integral(n int64) value {
	return value{number, d.keep(func(dst []byte) []byte { return strconv.AppendInt(dst, n, 10) })}
}
