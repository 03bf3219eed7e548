package localcos

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// get is GET Object and HEAD Object.
func (c *call) get() error {
	o, done, err := c.bucket.acquire(c.key)
	if err != nil {
		return err
	}
	defer done()
	if err := conditions(o, c.r.Header.Get, ""); err != nil {
		c.w.Header().Set("Etag", quote(o.ETag))
		return err
	}
	from, to, partial, err := span(c.r.Header.Get("Range"), o.Size)
	if err != nil {
		c.w.Header().Set("Content-Range", fmt.Sprintf("bytes */%d", o.Size))
		return err
	}
	c.describe(o)
	status := http.StatusOK
	if partial {
		status = http.StatusPartialContent
		c.w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, o.Size))
	}
	c.w.Header().Set("Content-Length", strconv.FormatInt(to-from, 10))
	c.w.WriteHeader(status)
	if c.r.Method == http.MethodHead {
		return nil
	}
	if err := c.bucket.send(c.w, o.Segments, from, to); err != nil {
		// why: too late for another answer, and the client must not take it for whole
		panic(http.ErrAbortHandler)
	}
	return nil
}

// describe sets the headers of an object.
func (c *call) describe(o *object) {
	h := c.w.Header()
	for name, value := range o.Headers {
		h.Set(name, value)
	}
	for name, values := range c.query { // response-content-type and the like
		if name, ok := strings.CutPrefix(name, "response-"); ok {
			for _, known := range kept() {
				if strings.EqualFold(name, known) && len(values) > 0 {
					h.Set(known, values[0])
				}
			}
		}
	}
	c.wrote(o)
	h.Set("Last-Modified", o.Modified.UTC().Format(http.TimeFormat))
	h.Set("Accept-Ranges", "bytes")
	h.Set("X-Cos-Object-Type", "normal")
	if o.Appendable {
		h.Set("X-Cos-Object-Type", "appendable")
		h.Set("X-Cos-Next-Append-Position", strconv.FormatInt(o.Size, 10))
	}
	if o.Class != "STANDARD" { // as the service: not for the default
		h.Set("X-Cos-Storage-Class", o.Class)
	}
	if len(o.Tags) > 0 {
		h.Set("X-Cos-Tagging-Count", strconv.Itoa(len(o.Tags)))
	}
}

// conditions checks If-Match and its kin, with a prefix those of a copy source
// (RFC 9110, 13.2.2).
func conditions(o *object, header func(string) string, prefix string) error {
	failed := error(errPrecondition)
	if prefix == "" {
		failed = errNotModified
	}
	if want := header(prefix + "If-Match"); want != "" {
		if !matches(want, o.ETag) {
			return errPrecondition
		}
	} else if at, err := http.ParseTime(header(prefix + "If-Unmodified-Since")); err == nil && o.Modified.After(at) {
		return errPrecondition
	}
	if want := header(prefix + "If-None-Match"); want != "" {
		if matches(want, o.ETag) {
			return failed
		}
	} else if at, err := http.ParseTime(header(prefix + "If-Modified-Since")); err == nil && !o.Modified.After(at) {
		return failed
	}
	return nil
}

func matches(list, etag string) bool {
	for want := range strings.SplitSeq(list, ",") {
		want = strings.TrimSpace(want)
		if want == "*" || strings.Trim(strings.TrimPrefix(want, "W/"), `"`) == etag {
			return true
		}
	}
	return false
}

// span reads a Range header: bytes [from, to) of size. What is no range of
// bytes, or several, is all of it (RFC 9110, 14.2).
func span(text string, size int64) (from, to int64, partial bool, err error) {
	bytes, ok := strings.CutPrefix(text, "bytes=")
	first, last, dash := strings.Cut(strings.TrimSpace(bytes), "-")
	if !ok || !dash || strings.Contains(bytes, ",") {
		return 0, size, false, nil
	}
	number := func(text string) (int64, bool) {
		n, err := strconv.ParseUint(text, 10, 63)
		return int64(n), err == nil && text[0] != '+'
	}
	begin, ok1 := number(first)
	end, ok2 := number(last)
	outside := refuse(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable")
	switch {
	case first == "" && ok2: // the last bytes
		if end == 0 || size == 0 {
			return 0, 0, false, outside
		}
		return max(0, size-end), size, true, nil
	case !ok1 || last != "" && (!ok2 || end < begin):
		return 0, size, false, nil
	case begin >= size:
		return 0, 0, false, outside
	case last == "" || end >= size:
		return begin, size, true, nil
	}
	return begin, end + 1, true, nil
}
