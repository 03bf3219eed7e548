package localcos

import (
	"encoding/xml"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// source finds the object that x-cos-copy-source names, and checks the
// conditions of a copy. Call done.
func (c *call) source() (b *bucket, o *object, done func(), err error) {
	host, path, ok := strings.Cut(c.r.Header.Get(copySource), "/")
	path, _, _ = strings.Cut(path, "?") // a version
	key, err := url.PathUnescape(path)
	if !ok || err != nil || key == "" {
		return nil, nil, nil, invalidArgument("x-cos-copy-source must be BUCKET.cos.REGION.myqcloud.com/KEY, escaped.")
	}
	if b, err = c.s.bucket(splitHost(host)); err != nil {
		return nil, nil, nil, err
	}
	if o, done, err = b.acquire(key); err != nil {
		return nil, nil, nil, err
	}
	if err := conditions(o, c.r.Header.Get, copySource+"-"); err != nil {
		done()
		return nil, nil, nil, err
	}
	return b, o, done, nil
}

// maxCopy is what one request copies: 5 GB (COS, "PUT Object - Copy").
const maxCopy = 5 << 30

// copy is PUT Object - Copy.
func (c *call) copy() error {
	b, from, done, err := c.source()
	if err != nil {
		return err
	}
	defer done()
	if from.Size > maxCopy {
		return refuse(http.StatusBadRequest, "InvalidRequest", "The copy source is larger than the maximum allowable size.")
	}
	o, err := c.newObject(c.r.Header)
	if err != nil {
		return err
	}
	replaced := strings.EqualFold(c.r.Header.Get("X-Cos-Metadata-Directive"), "Replaced")
	switch {
	case replaced:
	case b == c.bucket && from.key() == c.key && c.r.Header.Get("X-Cos-Storage-Class") == "":
		return refuse(http.StatusBadRequest, "InvalidRequest",
			"This copy request is illegal because it is trying to copy an object to itself without "+
				"changing the object's metadata, storage class or encryption attributes.")
	default:
		o.Headers = maps.Clone(from.Headers)
	}
	if c.r.Header.Get("X-Cos-Tagging") == "" {
		o.Tags = from.Tags
	}
	o.Size, o.CRC, o.ETag, o.Segments = from.Size, from.CRC, from.ETag, from.Segments
	if b != c.bucket {
		content := b.reader(from.Segments, 0, from.Size)
		stored, err := c.bucket.store(content)
		if err = errors.Join(err, content.Close()); err != nil {
			return err
		}
		defer c.bucket.letGo(stored.segments)
		o.Segments = stored.segments
	}
	if err := c.bucket.publish(c.key, o, c.mayReplace); err != nil {
		return err
	}
	c.s.notify(c, createdCopy, c.key, o)
	c.wrote(o)
	c.xml(http.StatusOK, copied("CopyObjectResult", o.ETag, o.CRC, iso(o.Modified)))
	return nil
}

type copyResult struct {
	XMLName      xml.Name
	ETag         string
	CRC64        string
	LastModified string
}

func copied(name, etag string, crc uint64, modified string) copyResult {
	return copyResult{xml.Name{Local: name}, quote(etag), strconv.FormatUint(crc, 10), modified}
}
