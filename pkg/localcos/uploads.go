package localcos

import (
	"cmp"
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
)

// listUploads is List Multipart Uploads: by key, then by id.
func (c *call) listUploads() error {
	limit, err := c.number("max-uploads", maxPage, 1, maxPage)
	if err != nil {
		return err
	}
	encodingType, encode, err := c.encoding()
	if err != nil {
		return err
	}
	type entry struct {
		Key, UploadId    string
		StorageClass     string
		Initiator, Owner owner
		Initiated        string
	}
	prefix, delimiter := c.query.Get("prefix"), c.query.Get("delimiter")
	keyMarker, idMarker := c.query.Get("key-marker"), c.query.Get("upload-id-marker")
	answer := struct {
		XMLName            xml.Name `xml:"ListMultipartUploadsResult"`
		Bucket             string
		EncodingType       string `xml:"Encoding-Type,omitempty"`
		KeyMarker          string
		UploadIdMarker     string
		NextKeyMarker      string `xml:",omitempty"`
		NextUploadIdMarker string `xml:",omitempty"`
		MaxUploads         int
		IsTruncated        bool
		Prefix             string
		Delimiter          string        `xml:",omitempty"`
		Upload             []entry       `xml:"Upload"`
		CommonPrefixes     []prefixEntry `xml:"CommonPrefixes"`
	}{
		Bucket: c.bucketName, EncodingType: encodingType, KeyMarker: encode(keyMarker), UploadIdMarker: idMarker,
		MaxUploads: limit, Prefix: encode(prefix), Delimiter: encode(delimiter),
	}
	common := ""
	for _, u := range c.bucket.sortedUploads() {
		key := u.key()
		order := cmp.Or(strings.Compare(key, keyMarker), strings.Compare(u.ID, idMarker))
		if !strings.HasPrefix(key, prefix) || keyMarker != "" && (order <= 0 || idMarker == "" && key == keyMarker) {
			continue
		}
		if shared, ok := commonPrefix(key, prefix, delimiter); ok {
			if shared == common || shared <= keyMarker {
				continue
			}
			common = shared
			key = ""
		}
		if len(answer.Upload)+len(answer.CommonPrefixes) == limit {
			answer.IsTruncated = true
			break
		}
		if key == "" {
			answer.CommonPrefixes = append(answer.CommonPrefixes, prefixEntry{encode(common)})
			answer.NextKeyMarker, answer.NextUploadIdMarker = encode(common), ""
			continue
		}
		answer.Upload = append(answer.Upload, entry{
			encode(key), u.ID, u.Object.Class, ownerOf(c.bucketName), ownerOf(c.bucketName), iso(u.Object.Modified),
		})
		answer.NextKeyMarker, answer.NextUploadIdMarker = encode(key), u.ID
	}
	if !answer.IsTruncated {
		answer.NextKeyMarker, answer.NextUploadIdMarker = "", ""
	}
	c.xml(http.StatusOK, answer)
	return nil
}

func (b *bucket) sortedUploads() []*upload {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var all []*upload
	for _, u := range b.uploads {
		all = append(all, u)
	}
	slices.SortFunc(all, func(x, y *upload) int {
		return cmp.Or(strings.Compare(x.key(), y.key()), strings.Compare(x.ID, y.ID))
	})
	return all
}
