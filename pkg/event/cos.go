package event

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// COS is the event of one invocation by a COS trigger: objects that were created, removed or restored in
// a bucket (SCF manual, 583/9707). It is delivered at least once, and in no certain order.
type COS struct {
	// Records are the notifications, normally one. It is never nil after decoding.
	Records []COSRecord
}

// COSRecord is the notification of one object.
type COSRecord struct {
	// Event is what happened, like "cos:ObjectCreated:Put". See Created and Removed.
	Event string
	// Time is when it happened, in UTC, to the second.
	Time time.Time
	// AppID is the account, the last part of a bucket's full name.
	AppID string
	// Bucket is the bucket's name without the AppID. See FullBucket.
	Bucket string
	// Region is the short name of the bucket's region, like "gz" for ap-guangzhou.
	Region string
	// Key is the object's key in the bucket, without a leading slash unless it is part of the key. Whether
	// the platform escapes unusual characters in it is documented nowhere; it is taken as it is.
	Key string
	// Size is the object's size in bytes.
	Size int64
	// URL is the object's address at the origin.
	URL string
	// VersionID is the object's version; empty in a bucket without versioning.
	VersionID string
	// Meta holds the object's headers, like Content-Type and x-cos-meta-*.
	Meta map[string]string
	// SourceIP is the address that the request came from.
	SourceIP string
}

// FullBucket is the bucket's name as the COS API takes it: name and AppID.
func (r COSRecord) FullBucket() string { return r.Bucket + "-" + r.AppID }

// Created reports whether the object was written: put, posted, copied, replicated or completed.
func (r COSRecord) Created() bool { return strings.HasPrefix(r.Event, "cos:ObjectCreated:") }

// Removed reports whether the object was deleted or hidden by a delete marker.
func (r COSRecord) Removed() bool { return strings.HasPrefix(r.Event, "cos:ObjectRemove:") }

// ParseCOSKey takes the key of a notification apart: "/APPID/BUCKET/path", where path is the object's key.
// It fails where a part is missing.
func ParseCOSKey(key string) (appID, bucket, path string, err error) {
	rest, slash := strings.CutPrefix(key, "/")
	appID, rest, _ = strings.Cut(rest, "/")
	bucket, path, _ = strings.Cut(rest, "/")
	if !slash || appID == "" || bucket == "" || path == "" {
		return "", "", "", fmt.Errorf("object key %q of a COS notification: want /APPID/BUCKET/path", key)
	}
	return appID, bucket, path, nil
}

// UnmarshalJSON decodes a COS event. A payload that is not one is a *[DecodeError]: it has no Records, or
// a record has no event name, no time, or a key that is not in the bucket the record names.
func (c *COS) UnmarshalJSON(payload []byte) error {
	var records []COSRecord
	listed := false
	s := newScanner(KindCOS, payload)
	err := s.document(func() error {
		return s.members(member{"Records", func() (err error) {
			records = []COSRecord{}
			listed, err = s.records(func() error {
				var r COSRecord
				err := s.cosRecord(&r)
				records = append(records, r)
				return err
			})
			return err
		}})
	})
	if err != nil {
		return err
	}
	if !listed {
		return s.fail(0, "there are no Records: this is not the event of a COS trigger")
	}
	c.Records = records
	return nil
}

// cosRecord reads and checks a record.
func (s *scanner) cosRecord(r *COSRecord) error {
	start := s.i
	var seconds int64
	var key string
	err := s.members(
		s.objectMember("cos",
			s.objectMember("cosBucket",
				s.stringMember("appid", &r.AppID),
				s.stringMember("name", &r.Bucket),
				s.stringMember("region", &r.Region)),
			s.objectMember("cosObject",
				s.stringMember("key", &key),
				s.intMember("size", &r.Size),
				s.stringMember("url", &r.URL),
				s.stringMember("vid", &r.VersionID),
				s.mapMember("meta", &r.Meta))),
		s.objectMember("event",
			s.stringMember("eventName", &r.Event),
			s.intMember("eventTime", &seconds),
			s.objectMember("requestParameters",
				s.stringMember("requestSourceIP", &r.SourceIP))),
	)
	if err != nil {
		return err
	}
	r.Time = time.Unix(seconds, 0).UTC()
	path, inside := strings.CutPrefix(key, "/"+r.AppID+"/"+r.Bucket+"/")
	r.Key = path
	switch {
	case r.Event == "":
		s.field = "eventName"
		return s.fail(start, "it is missing: this is not the event of a COS trigger")
	case seconds == 0:
		s.field = "eventTime"
		return s.fail(start, "it is missing")
	case r.AppID == "" || r.Bucket == "":
		s.field = "cosBucket"
		return s.fail(start, "appid or name is missing")
	case !inside || path == "":
		s.field = "key"
		return s.fail(start, "it is not /APPID/BUCKET/path of the record's bucket")
	}
	return nil
}

// The wire shape of a COS event, for encoding.
type (
	cosWire struct {
		Records []cosRecordWire `json:"Records"`
	}
	cosRecordWire struct {
		COS   cosEntityWire `json:"cos"`
		Event cosEventWire  `json:"event"`
	}
	cosEntityWire struct {
		SchemaVersion  string        `json:"cosSchemaVersion"`
		Object         cosObjectWire `json:"cosObject"`
		Bucket         cosBucketWire `json:"cosBucket"`
		NotificationID string        `json:"cosNotificationId"`
	}
	cosObjectWire struct {
		URL     string            `json:"url"`
		Meta    map[string]string `json:"meta"`
		Version string            `json:"vid"`
		Key     string            `json:"key"`
		Size    int64             `json:"size"`
	}
	cosBucketWire struct {
		Region string `json:"region"`
		Name   string `json:"name"`
		AppID  string `json:"appid"`
	}
	cosEventWire struct {
		Name       string         `json:"eventName"`
		Version    string         `json:"eventVersion"`
		Time       int64          `json:"eventTime"`
		Source     string         `json:"eventSource"`
		Parameters cosRequestWire `json:"requestParameters"`
	}
	cosRequestWire struct {
		SourceIP string            `json:"requestSourceIP"`
		Headers  map[string]string `json:"requestHeaders"`
	}
)

// MarshalJSON encodes the event as the platform sends it. It never fails.
func (c COS) MarshalJSON() ([]byte, error) {
	out := cosWire{Records: make([]cosRecordWire, len(c.Records))}
	for i, r := range c.Records {
		w := &out.Records[i]
		w.COS.SchemaVersion = "1.0"
		w.COS.Object = cosObjectWire{
			URL: r.URL, Meta: r.Meta, Version: r.VersionID,
			Key: "/" + r.AppID + "/" + r.Bucket + "/" + r.Key, Size: r.Size,
		}
		w.COS.Bucket = cosBucketWire{Region: r.Region, Name: r.Bucket, AppID: r.AppID}
		w.Event = cosEventWire{
			Name: r.Event, Version: "1.0", Time: r.Time.Unix(), Source: "qcs::cos",
			Parameters: cosRequestWire{SourceIP: r.SourceIP},
		}
	}
	return json.Marshal(out)
}

// LogAttrs describes the event for the log line of its invocation: event name, bucket, key and size of
// the object, or the number of records where there are several.
func (c COS) LogAttrs() []slog.Attr {
	if len(c.Records) != 1 {
		return []slog.Attr{slog.Int("records", len(c.Records))}
	}
	r := c.Records[0]
	return []slog.Attr{
		slog.String("event", r.Event), slog.String("bucket", r.FullBucket()),
		slog.String("key", r.Key), slog.Int64("size", r.Size),
	}
}
