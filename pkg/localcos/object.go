package localcos

import (
	"fmt"
	"net/url"
	"time"
)

// object is one version of an object. It is not changed once it is published.
type object struct {
	Key        string            `json:"key"` // escaped, for it may be no UTF-8
	Size       int64             `json:"size"`
	CRC        uint64            `json:"crc64"`
	ETag       string            `json:"etag"`
	Modified   time.Time         `json:"modified"`
	Headers    map[string]string `json:"headers,omitempty"` // canonical names
	Class      string            `json:"class"`
	Appendable bool              `json:"appendable,omitempty"`
	Tags       []tag             `json:"tags,omitempty"`
	Segments   []segment         `json:"segments,omitempty"`
}

// segment is a run of bytes of a body: all of a file.
type segment struct {
	File string `json:"file"`
	Size int64  `json:"size"`
}

func (o *object) key() string {
	key, err := url.PathUnescape(o.Key)
	if err != nil { // check has read it
		return o.Key
	}
	return key
}

// check says what is wrong with what was read from the disk.
func (o *object) check(file string) error {
	key, err := url.PathUnescape(o.Key)
	if err != nil || key == "" || hashOf(key)+".json" != file {
		return fmt.Errorf("its key %.100q is not that of its name", o.Key)
	}
	return checkSegments(o.Segments, o.Size)
}

func checkSegments(segments []segment, size int64) error {
	var total int64
	for _, s := range segments {
		if !fileName.MatchString(s.File) || s.Size <= 0 || s.Size > size {
			return fmt.Errorf("part %.100q of %d bytes", s.File, s.Size)
		}
		total += s.Size
	}
	if total != size {
		return fmt.Errorf("its parts have %d bytes, it %d", total, size)
	}
	return nil
}
