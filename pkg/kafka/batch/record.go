package batch

import "bytes"

// Record is one record of a partition. Nil and empty differ, in Key, in Value and in
// Header.Value: a nil Value is a tombstone, an empty one is data.
type Record struct {
	Offset    int64    // absolute offset in its partition; ignored when building
	Timestamp int64    // milliseconds since 1970; -1 where the record has none
	Key       []byte   // nil where there is no key
	Value     []byte   // nil for a tombstone
	Headers   []Header // in order, names may repeat; nil where there are none
}

// Header is one header of a record.
type Header struct {
	Key   string // as it came, which may be invalid UTF-8
	Value []byte // nil where the header has no value
}

// Clone returns a copy that shares no memory with r or with what r was decoded from.
func (r Record) Clone() Record {
	r.Key, r.Value = bytes.Clone(r.Key), bytes.Clone(r.Value)
	if r.Headers == nil {
		return r
	}
	headers := make([]Header, len(r.Headers))
	for i, h := range r.Headers {
		headers[i] = Header{Key: h.Key, Value: bytes.Clone(h.Value)}
	}
	r.Headers = headers
	return r
}
