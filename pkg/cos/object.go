package cos

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Object is what the service says about an object.
type Object struct {
	// Key is the object's name in the bucket.
	Key string
	// Prefix says that Key is no object but what several have in common, up to the
	// delimiter of a listing.
	Prefix bool
	// ETag names the version of the content, without quotes.
	ETag string
	// Size is in bytes, of the whole object where a range was read.
	Size int64
	// CRC64 is the CRC-64/ECMA of the content. A listing does not have it.
	CRC64 uint64
	// HasCRC64 says that the service gave a CRC64. Only objects from before the
	// service computed them have none.
	HasCRC64 bool
	// Modified is when the object was created, in UTC to the second. Put does not
	// have it.
	Modified time.Time
	// ContentType is the media type. A listing does not have it.
	ContentType string
	// Metadata is the user metadata (x-cos-meta-*), names in small letters. A
	// listing does not have it.
	Metadata map[string]string

	write string // the id of the writer, where it has one
}

const (
	metaPrefix = "X-Cos-Meta-"
	crcHeader  = "X-Cos-Hash-Crc64ecma"
	// writeID is the metadata by which a writer knows its own object.
	writeID = "etl-write"
)

// object reads an object's headers. Size is the length of the body, or of the
// whole where the answer is a range.
func object(key string, answer *http.Response) (Object, error) {
	h := answer.Header
	o := Object{Key: key, ETag: unquote(h.Get("Etag")), ContentType: h.Get("Content-Type"), Size: answer.ContentLength}
	if text := h.Get(crcHeader); text != "" {
		crc, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return o, fmt.Errorf("%w: checksum %.40q is not a decimal number", ErrAnswer, text)
		}
		o.CRC64, o.HasCRC64 = crc, true
	}
	if text := h.Get("Last-Modified"); text != "" {
		at, err := http.ParseTime(text)
		if err != nil {
			return o, fmt.Errorf("%w: Last-Modified %.40q is not a time", ErrAnswer, text)
		}
		o.Modified = at.UTC()
	}
	for name, values := range h {
		if name, is := strings.CutPrefix(name, metaPrefix); is && len(values) > 0 {
			if name = strings.ToLower(name); name == writeID {
				o.write = values[0]
				continue
			}
			if o.Metadata == nil {
				o.Metadata = map[string]string{}
			}
			o.Metadata[name] = values[0]
		}
	}
	return o, nil
}

func unquote(etag string) string { return strings.Trim(etag, `"`) }
