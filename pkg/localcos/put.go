package localcos

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxMetadata is what all of an object's user metadata may have (COS, "PUT
// Object").
const maxMetadata = 2 << 10

// put is PUT Object, and PUT Object - Copy where a source is named.
func (c *call) put() error {
	if c.r.Header.Get(copySource) != "" {
		return c.copy()
	}
	o, err := c.newObject(c.r.Header)
	if err != nil {
		return err
	}
	stored, err := c.storeBody()
	if err != nil {
		return err
	}
	defer c.bucket.letGo(stored.segments)
	o.Size, o.CRC, o.ETag, o.Segments = stored.size, stored.crc, stored.etag(), stored.segments
	if err := c.bucket.publish(c.key, o, c.mayReplace); err != nil {
		return err
	}
	c.s.notify(c, createdPut, c.key, o)
	c.wrote(o)
	c.w.WriteHeader(http.StatusOK)
	return nil
}

// wrote sets the headers that say what an object has become.
func (c *call) wrote(o *object) {
	c.w.Header().Set("Etag", quote(o.ETag))
	c.w.Header().Set(crcHeader, strconv.FormatUint(o.CRC, 10))
}

func quote(etag string) string { return `"` + etag + `"` }

// mayReplace is x-cos-forbid-overwrite, which does nothing in a bucket with versions (COS,
// "PUT Object").
func (c *call) mayReplace(old *object) error {
	if old != nil && !c.versioned() && strings.EqualFold(c.r.Header.Get("X-Cos-Forbid-Overwrite"), "true") {
		return errFileExists
	}
	return nil
}

// kept are the headers that come back with an object.
func kept() []string {
	return []string{
		"Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Type", "Expires",
	}
}

// newObject takes from a request what an object has beside its content.
func (c *call) newObject(h http.Header) (*object, error) {
	o := &object{
		Modified: c.s.config.Now().UTC().Truncate(time.Second), Headers: map[string]string{},
		Class: h.Get("X-Cos-Storage-Class"),
	}
	if o.Class == "" {
		o.Class = "STANDARD"
	}
	for _, name := range kept() {
		if value := h.Get(name); value != "" {
			o.Headers[name] = value
		}
	}
	if o.Headers["Content-Type"] == "" {
		o.Headers["Content-Type"] = "application/octet-stream"
	}
	size := 0
	for name, values := range h {
		if strings.HasPrefix(name, metaPrefix) {
			o.Headers[name] = strings.Join(values, ",")
			size += len(name) - len(metaPrefix) + len(o.Headers[name])
		}
	}
	if size > maxMetadata {
		return nil, refuse(http.StatusBadRequest, "MetadataTooLarge",
			"Your metadata headers exceed the maximum allowed metadata size.")
	}
	var err error
	o.Tags, err = tagsOf(h.Get("X-Cos-Tagging"))
	return o, err
}

// tagsOf reads "a=b&c=d".
func tagsOf(text string) ([]tag, error) {
	if text == "" {
		return nil, nil
	}
	var tags []tag
	for pair := range strings.SplitSeq(text, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		value, err2 := url.QueryUnescape(value)
		if err != nil || err2 != nil {
			return nil, errInvalidTag
		}
		tags = append(tags, tag{name, value})
	}
	return tags, checkTags(tags)
}
