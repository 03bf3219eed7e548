package localcos_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/localcos"
)

func TestNotify(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var told []event.COSRecord
	s := newServer(t, func(c *localcos.Config) {
		c.Now = func() time.Time { return now }
		c.Notify = func(e event.COS) { told = append(told, e.Records...) }
	})
	s.want(200, "PUT", "/a/b%20c", "content", "x-cos-meta-topic", "orders", "Content-Type", "text/plain")
	s.refused(409, "FileAlreadyExists", "PUT", "/a/b%20c", "x", "x-cos-forbid-overwrite", "true")
	s.want(200, "PUT", "/copy", nil, "x-cos-copy-source", bucket+".localhost/a/b%20c")
	s.want(200, "POST", "/log?append&position=0", "12")
	id := s.initiate("/up")
	etag := s.part("/up", id, 1, []byte("part"))
	s.want(200, "POST", "/up?uploadId="+id, complete(1, etag))
	s.want(204, "DELETE", "/copy", nil)
	s.want(204, "DELETE", "/copy", nil)
	s.want(200, "POST", "/?delete", "<Delete><Object><Key>log</Key></Object></Delete>")
	s.want(200, "GET", "/up", nil)

	var got []string
	for _, r := range told {
		got = append(got, strings.TrimPrefix(r.Event, "cos:")+" "+r.Key)
	}
	want := []string{
		"ObjectCreated:Put a/b c", "ObjectCreated:Copy copy", "ObjectCreated:Append log",
		"ObjectCreated:CompleteMultipartUpload up", "ObjectRemove:Delete copy", "ObjectRemove:Delete log",
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got  %q\nwant %q", got, want)
	}
	first := told[0]
	delete(first.Meta, "x-cos-request-id")
	if diff := cmp.Diff(event.COSRecord{
		Event: "cos:ObjectCreated:Put", Time: now, AppID: "1250000000", Bucket: "data", Region: "gz", Key: "a/b c", Size: 7,
		URL:      "http://data-1250000000.cos.ap-guangzhou.myqcloud.com/a/b%20c",
		Meta:     map[string]string{"Content-Type": "text/plain", "x-cos-meta-topic": "orders"},
		SourceIP: first.SourceIP,
	}, first); diff != "" {
		t.Error(diff)
	}
	payload, err := json.Marshal(event.COS{Records: told})
	if err != nil {
		t.Fatal(err)
	}
	var read event.COS
	if err := json.Unmarshal(payload, &read); err != nil || len(read.Records) != len(told) {
		t.Errorf("the event of a COS trigger does not take it: %v", err)
	}
}
