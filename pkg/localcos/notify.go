package localcos

import (
	"net"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/event"
)

// What is told (COS, "Event notification"): names of the COS trigger.
const (
	createdPut      = "cos:ObjectCreated:Put"
	createdCopy     = "cos:ObjectCreated:Copy"
	createdComplete = "cos:ObjectCreated:CompleteMultipartUpload"
	createdAppend   = "cos:ObjectCreated:Append"
	removedDelete   = "cos:ObjectRemove:Delete"
)

// notify tells what became of an object.
func (s *Server) notify(c *call, name, key string, o *object) {
	if s.config.Notify == nil {
		return
	}
	cut := strings.LastIndexByte(c.bucketName, '-')
	meta := map[string]string{"x-cos-request-id": c.id, "Content-Type": o.Headers["Content-Type"]}
	for header, value := range o.Headers {
		if strings.HasPrefix(header, metaPrefix) {
			meta[strings.ToLower(header)] = value
		}
	}
	address, _, err := net.SplitHostPort(c.r.RemoteAddr)
	if err != nil {
		address = c.r.RemoteAddr
	}
	s.config.Notify(event.COS{Records: []event.COSRecord{{
		Event: name, Time: s.config.Now().UTC(), AppID: c.bucketName[cut+1:], Bucket: c.bucketName[:cut],
		Region: shortRegion(s.config.Region), Key: key, Size: o.Size,
		URL:  "http://" + s.location(c.bucketName) + "/" + strings.ReplaceAll(escape(key), "%2F", "/"),
		Meta: meta, SourceIP: address,
	}}})
}

// shortRegion is the name of a region in notifications, which are older than
// the long names. Others are given as they are.
func shortRegion(region string) string {
	switch region {
	case "ap-guangzhou":
		return "gz"
	case "ap-shanghai":
		return "sh"
	case "ap-beijing":
		return "bj"
	case "ap-chengdu":
		return "cd"
	case "ap-chongqing":
		return "cq"
	case "ap-hongkong":
		return "hk"
	case "ap-singapore":
		return "sg"
	}
	return region
}
