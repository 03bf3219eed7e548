package localcos

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/cos"
)

// upload is a multipart upload under way. Its parts are guarded by the lock of
// the bucket.
type upload struct {
	ID     string  `json:"id"`
	Object *object `json:"object"` // what it will be, beside its content
	parts  map[int]*part
}

// part is a part of an upload.
type part struct {
	Size     int64     `json:"size"`
	CRC      uint64    `json:"crc64"`
	ETag     string    `json:"etag"`
	Modified time.Time `json:"modified"`
	Segments []segment `json:"segments,omitempty"`
}

func (u *upload) key() string { return u.Object.key() }

func (b *bucket) uploadDir(id string) string { return filepath.Join(b.dir, uploadsPath, id) }

func (b *bucket) partFile(id string, number int) string {
	return filepath.Join(b.uploadDir(id), strconv.Itoa(number)+".json")
}

// loadUploads reads the uploads under way.
func (b *bucket) loadUploads() error {
	found, err := os.ReadDir(filepath.Join(b.dir, uploadsPath))
	if err != nil {
		return err
	}
	for _, entry := range found {
		u := &upload{parts: map[int]*part{}}
		dir := b.uploadDir(entry.Name())
		err := readJSON(filepath.Join(dir, uploadFile), u)
		if errors.Is(err, fs.ErrNotExist) { // begun or ended by half
			if err := os.RemoveAll(dir); err != nil {
				return err
			}
			continue
		}
		if err == nil && (u.ID != entry.Name() || u.Object == nil || u.key() == "") {
			err = errors.New("it is not what its name says")
		}
		if err == nil {
			err = b.loadParts(u)
		}
		if err != nil {
			b.unread++
			b.s.config.Log.Error("an upload cannot be read", "bucket", b.name, "folder", dir, "error", err)
			continue
		}
		b.uploads[u.ID] = u
	}
	return nil
}

func (b *bucket) loadParts(u *upload) error {
	files, err := filepath.Glob(filepath.Join(b.uploadDir(u.ID), "*.json"))
	if err != nil {
		return err
	}
	for _, path := range files {
		number, err := strconv.Atoi(strings.TrimSuffix(filepath.Base(path), ".json"))
		if err != nil || number < 1 || number > maxParts {
			continue // the upload's own
		}
		p := &part{}
		if err := readJSON(path, p); err != nil {
			return err
		}
		if err := checkSegments(p.Segments, p.Size); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		u.parts[number] = p
		b.retain(p.Segments)
	}
	return nil
}

const (
	maxParts    = 10_000
	minPartSize = 1 << 20 // of all but the last (COS, "Upload Part")
)

// initiateUpload is Initiate Multipart Upload.
func (c *call) initiateUpload() error {
	o, err := c.newObject(c.r.Header)
	if err != nil {
		return err
	}
	o.Key = url.PathEscape(c.key)
	u := &upload{ID: c.s.config.NewID(), Object: o, parts: map[int]*part{}}
	if err := os.MkdirAll(c.bucket.uploadDir(u.ID), folderMode); err != nil {
		return err
	}
	if err := writeJSON(filepath.Join(c.bucket.uploadDir(u.ID), uploadFile), u, c.s.config.Fsync); err != nil {
		return err
	}
	c.bucket.mu.Lock()
	gone := c.bucket.gone
	c.bucket.uploads[u.ID] = u
	c.bucket.mu.Unlock()
	if gone {
		return errors.Join(errNoSuchBucket, os.RemoveAll(c.bucket.dir))
	}
	c.xml(http.StatusOK, struct {
		XMLName               xml.Name `xml:"InitiateMultipartUploadResult"`
		Bucket, Key, UploadId string
	}{Bucket: c.bucketName, Key: c.key, UploadId: u.ID})
	return nil
}

// upload finds the upload that the request names, of the key that it names. It
// wants the lock.
func (c *call) upload() (*upload, error) {
	u := c.bucket.uploads[c.query.Get("uploadId")]
	if u == nil || u.key() != c.key {
		return nil, errNoSuchUpload
	}
	return u, nil
}

func (c *call) knownUpload() error {
	c.bucket.mu.RLock()
	defer c.bucket.mu.RUnlock()
	_, err := c.upload()
	return err
}

// putPart is Upload Part, and Upload Part - Copy where a source is named.
func (c *call) putPart() error {
	number, err := strconv.Atoi(c.query.Get("partNumber"))
	if err != nil || number < 1 || number > maxParts {
		return invalidArgument("partNumber must be a number from 1 to %d.", maxParts)
	}
	if err := c.knownUpload(); err != nil {
		return err
	}
	var stored *body
	if c.r.Header.Get(copySource) != "" {
		stored, err = c.storeCopy()
	} else {
		stored, err = c.storeBody()
	}
	if err != nil {
		return err
	}
	defer c.bucket.letGo(stored.segments)
	p := &part{stored.size, stored.crc, stored.etag(), c.s.config.Now().UTC().Truncate(time.Second), stored.segments}
	if err := c.addPart(number, p); err != nil {
		return err
	}
	c.w.Header().Set("Etag", quote(p.ETag))
	c.w.Header().Set(crcHeader, strconv.FormatUint(p.CRC, 10))
	if c.r.Header.Get(copySource) != "" {
		c.xml(http.StatusOK, copied("CopyPartResult", p.ETag, p.CRC, iso(p.Modified)))
		return nil
	}
	c.w.WriteHeader(http.StatusOK)
	return nil
}

// storeCopy stores what a part copies.
func (c *call) storeCopy() (*body, error) {
	b, o, done, err := c.source()
	if err != nil {
		return nil, err
	}
	defer done()
	from, to, _, err := span(c.r.Header.Get(copySource+"-Range"), o.Size)
	if err != nil {
		return nil, err
	}
	content := b.reader(o.Segments, from, to)
	stored, err := c.bucket.store(content)
	return stored, errors.Join(err, content.Close())
}

func (c *call) addPart(number int, p *part) error {
	b := c.bucket
	b.mu.Lock()
	defer b.mu.Unlock()
	u, err := c.upload() // it may have ended meanwhile
	if err != nil {
		return err
	}
	if err := writeJSON(b.partFile(u.ID, number), p, b.s.config.Fsync); err != nil {
		return err
	}
	b.retain(p.Segments)
	if old := u.parts[number]; old != nil {
		b.release(old.Segments)
	}
	u.parts[number] = p
	return nil
}

// wanted is a part as Complete Multipart Upload names it.
type wanted struct {
	PartNumber int
	ETag       string
}

// completeUpload is Complete Multipart Upload.
func (c *call) completeUpload() error {
	var request struct {
		XMLName xml.Name `xml:"CompleteMultipartUpload"`
		Part    []wanted
	}
	if _, err := c.readXML(&request); err != nil {
		return err
	}
	c.bucket.mu.RLock()
	u, err := c.upload()
	var parts map[int]*part
	if err == nil {
		parts = maps.Clone(u.parts)
	}
	c.bucket.mu.RUnlock()
	if err != nil {
		return err
	}
	if err := checkWanted(request.Part, parts); err != nil {
		return err
	}
	o := u.whole(request.Part, parts)
	o.Modified = c.s.config.Now().UTC().Truncate(time.Second)
	if err := c.bucket.publish(c.key, o, func(old *object) error {
		// Under the lock: neither the upload nor one of its parts is another now.
		if now := c.bucket.uploads[u.ID]; now != u || !maps.Equal(u.parts, parts) {
			return errNoSuchUpload
		}
		return c.mayReplace(old)
	}); err != nil {
		return err
	}
	if err := c.bucket.endUpload(u); err != nil { // why no answer of its own: the object is there
		c.s.config.Log.Warn(
			"the parts of a complete upload could not be removed", "bucket", c.bucketName, "key", c.key, "error", err)
	}
	c.s.notify(c, createdComplete, c.key, o)
	c.wrote(o)
	c.xml(http.StatusOK, struct {
		XMLName                     xml.Name `xml:"CompleteMultipartUploadResult"`
		Location, Bucket, Key, ETag string
	}{Location: "http://" + c.r.Host + c.r.URL.EscapedPath(), Bucket: c.bucketName, Key: c.key, ETag: quote(o.ETag)})
	return nil
}

// checkWanted finds what is wrong with a list of parts, in the order in which
// the service looks: the list itself, whether the parts are there, their sizes.
func checkWanted(list []wanted, parts map[int]*part) error {
	if len(list) == 0 || len(list) > maxParts {
		return errMalformedXML
	}
	for i := range list[1:] {
		if list[i+1].PartNumber <= list[i].PartNumber {
			return refuse(http.StatusBadRequest, "InvalidPartOrder",
				"The list of parts was not in ascending order. Parts list must be specified in order by part number.")
		}
	}
	for _, want := range list {
		if p := parts[want.PartNumber]; p == nil || strings.Trim(want.ETag, `"`) != p.ETag {
			return refuse(http.StatusBadRequest, "InvalidPart",
				"One or more of the specified parts could not be found. The part might not have been uploaded, "+
					"or the specified entity tag might not have matched the part's entity tag.")
		}
	}
	for _, want := range list[:len(list)-1] {
		if parts[want.PartNumber].Size < minPartSize {
			return refuse(http.StatusBadRequest, "EntityTooSmall",
				"Your proposed upload is smaller than the minimum allowed object size.")
		}
	}
	return nil
}

// whole is the object that the parts make. Its bytes are theirs: nothing is
// copied.
func (u *upload) whole(list []wanted, parts map[int]*part) *object {
	o := *u.Object
	etags := md5.New()
	for _, want := range list {
		p := parts[want.PartNumber]
		sum, _ := hex.DecodeString(p.ETag) // ours
		etags.Write(sum)
		o.Size, o.CRC = o.Size+p.Size, cos.CombineCRC64(o.CRC, p.CRC, p.Size)
		o.Segments = append(o.Segments, p.Segments...)
	}
	o.ETag = fmt.Sprintf("%x-%d", etags.Sum(nil), len(list))
	return &o
}

// endUpload forgets an upload and its parts. Bytes that became an object stay.
func (b *bucket) endUpload(u *upload) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.uploads[u.ID] != u {
		return nil
	}
	delete(b.uploads, u.ID)
	// why first: what is left without it is no upload
	err := os.Remove(filepath.Join(b.uploadDir(u.ID), uploadFile))
	for _, p := range u.parts {
		b.release(p.Segments)
	}
	return errors.Join(err, os.RemoveAll(b.uploadDir(u.ID)))
}

// abortUpload is Abort Multipart Upload.
func (c *call) abortUpload() error {
	c.bucket.mu.RLock()
	u, err := c.upload()
	c.bucket.mu.RUnlock()
	if err == nil {
		err = c.bucket.endUpload(u)
	}
	if err != nil {
		return err
	}
	return c.noContent()
}

// listParts is List Parts.
func (c *call) listParts() error {
	limit, err := c.number("max-parts", maxPage, 1, maxPage)
	if err != nil {
		return err
	}
	after, err := c.number("part-number-marker", 0, 0, maxParts)
	if err != nil {
		return err
	}
	encodingType, encode, err := c.encoding()
	if err != nil {
		return err
	}
	type entry struct {
		PartNumber         int
		LastModified, ETag string
		Size               int64
	}
	answer := struct {
		XMLName              xml.Name `xml:"ListPartsResult"`
		Bucket               string
		EncodingType         string `xml:"Encoding-type,omitempty"`
		Key, UploadId        string
		Owner, Initiator     owner
		PartNumberMarker     int
		NextPartNumberMarker int `xml:",omitempty"`
		StorageClass         string
		MaxParts             int
		IsTruncated          bool
		Part                 []entry
	}{
		Bucket: c.bucketName, EncodingType: encodingType, Key: encode(c.key), UploadId: c.query.Get("uploadId"),
		Owner: ownerOf(c.bucketName), Initiator: ownerOf(c.bucketName), PartNumberMarker: after, MaxParts: limit,
	}
	c.bucket.mu.RLock()
	defer c.bucket.mu.RUnlock()
	u, err := c.upload()
	if err != nil {
		return err
	}
	answer.StorageClass = u.Object.Class
	for _, number := range slices.Sorted(maps.Keys(u.parts)) {
		if number <= after {
			continue
		}
		if answer.IsTruncated = len(answer.Part) == limit; answer.IsTruncated {
			break
		}
		p := u.parts[number]
		answer.Part = append(answer.Part, entry{number, iso(p.Modified), quote(p.ETag), p.Size})
		answer.NextPartNumberMarker = number
	}
	c.xml(http.StatusOK, answer)
	return nil
}
