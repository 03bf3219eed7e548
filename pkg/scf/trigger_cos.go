package scf

import (
	"regexp"
	"slices"
	"strings"
)

// COSTrigger sends an event for each object that is created or removed in a bucket, asynchronously (583/9707).
type COSTrigger struct {
	Bucket    string // the bucket's domain, which is the trigger's name: NAME-APPID.cos.REGION.myqcloud.com
	Events    string // cos:ObjectCreated:* and the like, see [ValidCOSEvent]
	Prefix    string // of the object keys that count; empty: all
	Suffix    string // likewise
	Enabled   bool   // open; false is deployed closed
	Qualifier string // version or alias that is invoked
}

// BucketName is the bucket's full name, NAME-APPID: the first part of its domain.
func (t COSTrigger) BucketName() string {
	name, _, _ := strings.Cut(t.Bucket, ".")
	return name
}

// UpdatableTo says whether the platform can change the trigger into next in place. It can open and close it (583/96828);
// anything else takes deleting and creating it.
func (t COSTrigger) UpdatableTo(next COSTrigger) bool {
	next.Enabled = t.Enabled
	return t == next
}

// Matches says whether the trigger sends an event for what has happened to an object of its bucket.
func (t COSTrigger) Matches(event, key string) bool {
	return matchesEvent(t.Events, event) && strings.HasPrefix(key, t.Prefix) && strings.HasSuffix(key, t.Suffix)
}

func matchesEvent(wanted, event string) bool {
	begin, wild := strings.CutSuffix(wanted, "*")
	return wanted == event || wild && strings.HasPrefix(event, begin)
}

// Overlaps says whether there can be an object and an event that both triggers match. The platform refuses a second trigger
// that overlaps with another one of the bucket, whatever its function (583/9707).
func (t COSTrigger) Overlaps(other COSTrigger) bool {
	return t.BucketName() == other.BucketName() &&
		(matchesEvent(t.Events, other.Events) || matchesEvent(other.Events, t.Events)) &&
		(strings.HasPrefix(t.Prefix, other.Prefix) || strings.HasPrefix(other.Prefix, t.Prefix)) &&
		(strings.HasSuffix(t.Suffix, other.Suffix) || strings.HasSuffix(other.Suffix, t.Suffix))
}

// COSEvents says in words what ValidCOSEvent takes.
const COSEvents = "cos:ObjectCreated: with *, Put, Post, Copy, Append, CompleteMultipartUpload, or cos:ObjectRemove: with *, Delete, DeleteMarkerCreated"

// ValidCOSEvent says whether the platform has this event of a COS trigger (583/9707).
func ValidCOSEvent(event string) bool {
	kind, what, ok := strings.Cut(strings.TrimPrefix(event, "cos:"), ":")
	return ok && strings.HasPrefix(event, "cos:") && slices.Contains(map[string][]string{
		"ObjectCreated": {"*", "Put", "Post", "Copy", "Append", "CompleteMultipartUpload"},
		"ObjectRemove":  {"*", "Delete", "DeleteMarkerCreated"},
	}[kind], what)
}

// bucketDomain is what a trigger is named by.
const bucketDomain = "NAME-APPID.cos.REGION.myqcloud.com"

// ValidBucketDomain says whether this is the domain of a bucket.
func ValidBucketDomain(domain string) bool {
	parts := strings.Split(domain, ".")
	if len(parts) != 5 || parts[1] != "cos" || parts[3] != "myqcloud" || parts[4] != "com" || parts[2] == "" {
		return false
	}
	return ValidBucketName(parts[0])
}

// bucketName is what COS takes (436/13312).
var bucketName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?-[0-9]{1,20}$`)

// ValidBucketName says whether this is the full name of a bucket, NAME-APPID.
func ValidBucketName(name string) bool { return bucketName.MatchString(name) }
