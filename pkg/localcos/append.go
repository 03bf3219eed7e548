package localcos

import (
	"crypto/md5"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"

	"github.com/scf-etl/scf-etl/pkg/cos"
)

// appendObject is APPEND Object: at the end of an appendable object, which the
// first call creates.
func (c *call) appendObject() error {
	position, err := strconv.ParseInt(c.query.Get("position"), 10, 64)
	if err != nil || position < 0 {
		return invalidArgument("position must be a number of at least 0.")
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
	o.Appendable = true
	err = c.bucket.publish(c.key, o, func(old *object) error { return o.grow(old, stored, position) })
	if err != nil {
		return err
	}
	c.s.notify(c, createdAppend, c.key, o)
	c.wrote(o)
	c.w.Header().Set("X-Cos-Next-Append-Position", strconv.FormatInt(o.Size, 10))
	c.w.WriteHeader(http.StatusOK)
	return nil
}

// grow makes o what old and stored are together.
func (o *object) grow(old *object, stored *body, position int64) error {
	if old == nil {
		old = &object{Appendable: true, Headers: o.Headers, Class: o.Class, Tags: o.Tags}
	}
	switch {
	case !old.Appendable:
		return refuse(http.StatusConflict, "ObjectNotAppendable", "The object is not appendable.")
	case position != old.Size:
		return refuse(http.StatusConflict, "PositionNotEqualToLength",
			"The value of position does not match the length of the object.")
	}
	o.Headers, o.Class, o.Tags = old.Headers, old.Class, old.Tags
	o.Size = old.Size + stored.size
	o.CRC = cos.CombineCRC64(old.CRC, stored.crc, stored.size)
	sum := md5.Sum(append([]byte(old.ETag), stored.md5...))
	o.ETag = hex.EncodeToString(sum[:])
	o.Segments = slices.Concat(old.Segments, stored.segments)
	return nil
}
