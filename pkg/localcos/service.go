package localcos

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
	"time"
)

// isoTime is how documents have times.
const isoTime = "2006-01-02T15:04:05.000Z"

func iso(t time.Time) string { return t.UTC().Format(isoTime) }

type owner struct {
	ID          string
	DisplayName string
}

func ownerOf(bucket string) owner {
	appID := bucket[strings.LastIndexByte(bucket, '-')+1:]
	return owner{"qcs::cam::uin/" + appID + ":uin/" + appID, appID}
}

func (c *call) listBuckets() error {
	type entry struct{ Name, Location, CreationDate string }
	var answer struct {
		XMLName xml.Name `xml:"ListAllMyBucketsResult"`
		Owner   owner
		Buckets []entry `xml:"Buckets>Bucket"`
	}
	c.s.mu.RLock()
	for name, b := range c.s.buckets {
		answer.Owner = ownerOf(name)
		answer.Buckets = append(answer.Buckets, entry{name, c.s.config.Region, b.state.Created.Format(time.RFC3339)})
	}
	c.s.mu.RUnlock()
	slices.SortFunc(answer.Buckets, func(a, b entry) int { return strings.Compare(a.Name, b.Name) })
	c.xml(http.StatusOK, answer)
	return nil
}

func (c *call) putBucket() error {
	if err := c.s.createBucket(c.bucketName); err != nil {
		return err
	}
	c.w.Header().Set("Location", "/"+c.bucketName)
	c.w.WriteHeader(http.StatusOK)
	return nil
}

func (c *call) headBucket() error {
	c.w.Header().Set("X-Cos-Bucket-Region", c.s.config.Region)
	c.w.WriteHeader(http.StatusOK)
	return nil
}

func (c *call) deleteBucket() error {
	if err := c.s.deleteBucket(c.bucket); err != nil {
		return err
	}
	return c.noContent()
}

func (c *call) getLocation() error {
	c.xml(http.StatusOK, struct {
		XMLName xml.Name `xml:"LocationConstraint"`
		Region  string   `xml:",chardata"`
	}{Region: c.s.config.Region})
	return nil
}

// getVersioning says that there are no versions, but of buckets that are to look as if.
func (c *call) getVersioning() error {
	status := ""
	if c.versioned() {
		status = "Enabled"
	}
	c.xml(http.StatusOK, struct {
		XMLName xml.Name `xml:"VersioningConfiguration"`
		Status  string   `xml:",omitempty"`
	}{Status: status})
	return nil
}

func (c *call) versioned() bool { return slices.Contains(c.s.config.Versioned, c.bucketName) }
