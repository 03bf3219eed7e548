package localcos

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
)

// maxPage is the most entries of one answer (COS, "GET Bucket").
const maxPage = 1000

type prefixEntry struct{ Prefix string }

// listObjects is GET Bucket.
func (c *call) listObjects() error {
	limit, err := c.number("max-keys", maxPage, 0, maxPage)
	if err != nil {
		return err
	}
	encodingType, encode, err := c.encoding()
	if err != nil {
		return err
	}
	prefix, delimiter, marker := c.query.Get("prefix"), c.query.Get("delimiter"), c.query.Get("marker")
	type entry struct {
		Key, LastModified, ETag string
		Size                    int64
		Owner                   owner
		StorageClass            string
	}
	answer := struct {
		XMLName        xml.Name `xml:"ListBucketResult"`
		Name           string
		EncodingType   string `xml:",omitempty"`
		Prefix         string
		Marker         string
		MaxKeys        int
		Delimiter      string `xml:",omitempty"`
		IsTruncated    bool
		NextMarker     string        `xml:",omitempty"`
		Contents       []entry       `xml:"Contents"`
		CommonPrefixes []prefixEntry `xml:"CommonPrefixes"`
	}{
		Name: c.bucketName, EncodingType: encodingType, Prefix: encode(prefix), Marker: encode(marker), MaxKeys: limit,
		Delimiter: encode(delimiter),
	}
	page := c.bucket.list(prefix, delimiter, marker, limit)
	for _, found := range page.entries {
		if found.object == nil {
			answer.CommonPrefixes = append(answer.CommonPrefixes, prefixEntry{encode(found.key)})
			continue
		}
		o := found.object
		answer.Contents = append(answer.Contents, entry{
			Key: encode(found.key), LastModified: iso(o.Modified), ETag: quote(o.ETag), Size: o.Size,
			Owner: ownerOf(c.bucketName), StorageClass: o.Class,
		})
	}
	if answer.IsTruncated = page.more; page.more {
		answer.NextMarker = encode(page.next)
	}
	c.xml(http.StatusOK, answer)
	return nil
}

// page is a part of a listing.
type page struct {
	entries []listed
	more    bool
	next    string // the last entry, from where the next page goes on
}

// listed is an object, or without one a common prefix.
type listed struct {
	key    string
	object *object
}

// list gives up to limit entries behind marker. It looks at as many keys as
// there are entries: those of a common prefix are skipped.
func (b *bucket) list(prefix, delimiter, marker string, limit int) page {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var p page
	at, found := slices.BinarySearch(b.keys, max(prefix, marker))
	if found && b.keys[at] == marker {
		at++
	}
	for at < len(b.keys) && strings.HasPrefix(b.keys[at], prefix) {
		key := b.keys[at]
		entry, next := listed{key, b.objects[key]}, at+1
		if common, ok := commonPrefix(key, prefix, delimiter); ok {
			entry = listed{key: common}
			length, _ := slices.BinarySearchFunc(b.keys[at:], common, func(key, common string) int {
				if strings.HasPrefix(key, common) {
					return -1
				}
				return strings.Compare(key, common)
			})
			next = at + length
		}
		at = next
		if entry.object == nil && entry.key <= marker { // listed on the page before
			continue
		}
		if len(p.entries) == limit {
			p.more = limit > 0
			return p
		}
		p.entries, p.next = append(p.entries, entry), entry.key
	}
	return p
}

// commonPrefix is a key up to the first delimiter behind the prefix.
func commonPrefix(key, prefix, delimiter string) (string, bool) {
	if delimiter == "" {
		return "", false
	}
	end := strings.Index(key[len(prefix):], delimiter)
	if end < 0 {
		return "", false
	}
	return key[:len(prefix)+end+len(delimiter)], true
}
