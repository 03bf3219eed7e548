package localcos_test

import (
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/localcos"
)

func TestPutAndGet(t *testing.T) {
	t.Parallel()
	t.Run("gives back the content with its sums, its metadata and its headers", func(t *testing.T) {
		t.Parallel()
		s := newServer(t, nil)
		content := "some content"
		put := s.want(200, "PUT", "/a/b", content, "Content-Type", "text/plain", "Cache-Control", "no-store",
			"x-cos-meta-Topic", "orders", "x-cos-storage-class", "STANDARD_IA", "x-cos-tagging", "team=etl&x=")
		crc := strconv.FormatUint(cos.CRC64(0, []byte(content)), 10)
		etag := fmt.Sprintf(`"%x"`, md5.Sum([]byte(content)))
		if put.header.Get("x-cos-hash-crc64ecma") != crc || put.header.Get("ETag") != etag || put.header.Get("x-cos-request-id") == "" {
			t.Errorf("got %v, want %s %s and a request id", put.header, crc, etag)
		}
		for _, method := range []string{"GET", "HEAD"} {
			a := s.want(200, method, "/a/b", nil)
			for name, want := range map[string]string{
				"ETag": etag, "x-cos-hash-crc64ecma": crc, "Content-Type": "text/plain", "Cache-Control": "no-store",
				"x-cos-meta-topic": "orders", "x-cos-storage-class": "STANDARD_IA", "Content-Length": "12", "Accept-Ranges": "bytes",
				"x-cos-object-type": "normal", "x-cos-tagging-count": "2",
			} {
				if got := a.header.Get(name); got != want {
					t.Errorf("%s: %s is %q, want %q", method, name, got, want)
				}
			}
			if want := map[string]string{"GET": content}[method]; a.body != want {
				t.Errorf("%s: got %q, want %q", method, a.body, want)
			}
		}
		a := s.want(200, "GET", "/a/b?response-content-type=image/png&response-content-disposition=attachment", nil)
		if a.header.Get("Content-Type") != "image/png" || a.header.Get("Content-Disposition") != "attachment" {
			t.Errorf("headers that were asked for: %v", a.header)
		}
	})
	t.Run("refuses content that is not what its MD5 says, and keeps what was there", func(t *testing.T) {
		t.Parallel()
		s := newServer(t, nil)
		s.want(200, "PUT", "/k", "before")
		sum := md5.Sum([]byte("other"))
		s.refused(400, "BadDigest", "PUT", "/k", "content", "Content-MD5", base64.StdEncoding.EncodeToString(sum[:]))
		s.refused(400, "InvalidDigest", "PUT", "/k", "content", "Content-MD5", "no")
		if a := s.want(200, "GET", "/k", nil); a.body != "before" {
			t.Errorf("got %q", a.body)
		}
	})
	t.Run("refuses a body that is shorter than it said", func(t *testing.T) {
		t.Parallel()
		s := newServer(t, nil)
		r := newRequest(t.Context(), "PUT", "http://"+bucket+".localhost/k", "content")
		r.ContentLength = 100
		if a := s.send(r); a.code() != "IncompleteBody" {
			t.Errorf("got %s", a.body)
		}
		s.refused(404, "NoSuchKey", "GET", "/k", nil)
	})
	t.Run("refuses too much metadata and too long a key", func(t *testing.T) {
		t.Parallel()
		s := newServer(t, nil)
		s.refused(400, "MetadataTooLarge", "PUT", "/k", "", "x-cos-meta-a", strings.Repeat("x", 3000))
		s.refused(400, "KeyTooLong", "PUT", "/"+strings.Repeat("k", 851), "")
		s.want(200, "PUT", "/"+strings.Repeat("k", 850), "")
	})
	t.Run("creates only where nothing is, when it is told so", func(t *testing.T) {
		t.Parallel()
		s := newServer(t, nil)
		s.want(200, "PUT", "/k", "first", "x-cos-forbid-overwrite", "true")
		s.refused(409, "FileAlreadyExists", "PUT", "/k", "second", "x-cos-forbid-overwrite", "true")
		s.want(200, "PUT", "/k", "third", "x-cos-forbid-overwrite", "false")
	})
	t.Run("says which bucket, which key and which operation there is not", func(t *testing.T) {
		t.Parallel()
		s := newServer(t, nil)
		s.refused(404, "NoSuchKey", "GET", "/none", nil)
		s.refused(404, "", "HEAD", "/none", nil)
		s.refused(405, "MethodNotAllowed", "PATCH", "/none", nil)
		for _, parameter := range []string{"acl", "policy", "versions", "restore", "website", "replication"} {
			s.refused(501, "NotImplemented", "PUT", "/none?"+parameter, "<x/>")
			s.refused(501, "NotImplemented", "GET", "/?"+parameter, nil)
		}
		s.refused(404, "NoSuchKey", "GET", "/none", nil) // none of them was taken for a put
		a := s.send(newRequest(t.Context(), "GET", "http://none-1250000000.localhost/k", nil))
		if a.status != 404 || a.code() != "NoSuchBucket" || !strings.Contains(a.body, "<RequestId>") {
			t.Errorf("got %d %s", a.status, a.body)
		}
		a = s.send(newRequest(t.Context(), "GET", "http://localhost:9436/data-1250000000/k", nil))
		if a.status != 400 || !strings.Contains(a.body, "BUCKET.localhost") {
			t.Errorf("path style: got %d %s, want what to do", a.status, a.body)
		}
	})
}

func TestRange(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil)
	s.want(200, "PUT", "/k", "0123456789")
	s.want(200, "PUT", "/empty", "")
	for name, c := range map[string]struct {
		key, header string
		status      int
		body, span  string
	}{
		"gives bytes from the middle":           {"/k", "bytes=2-4", 206, "234", "bytes 2-4/10"},
		"gives one byte":                        {"/k", "bytes=0-0", 206, "0", "bytes 0-0/10"},
		"gives the rest":                        {"/k", "bytes=7-", 206, "789", "bytes 7-9/10"},
		"gives the last bytes":                  {"/k", "bytes=-3", 206, "789", "bytes 7-9/10"},
		"gives no more than there is":           {"/k", "bytes=5-100", 206, "56789", "bytes 5-9/10"},
		"gives all where more is wanted":        {"/k", "bytes=-100", 206, "0123456789", "bytes 0-9/10"},
		"refuses what is behind the end":        {"/k", "bytes=10-", 416, "", "bytes */10"},
		"refuses no last bytes":                 {"/k", "bytes=-0", 416, "", "bytes */10"},
		"refuses a range of nothing":            {"/empty", "bytes=0-", 416, "", "bytes */0"},
		"takes several for all":                 {"/k", "bytes=0-1,3-4", 200, "0123456789", ""},
		"takes nonsense for all":                {"/k", "bytes=x-y", 200, "0123456789", ""},
		"takes an end before the begin for all": {"/k", "bytes=5-2", 200, "0123456789", ""},
		"takes another unit for all":            {"/k", "lines=1-2", 200, "0123456789", ""},
		"takes a number too long for all":       {"/k", "bytes=0-99999999999999999999", 200, "0123456789", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := s.do("GET", c.key, nil, "Range", c.header)
			if a.status != c.status || a.header.Get("Content-Range") != c.span || c.status < 300 && a.body != c.body {
				t.Errorf("got %d %q %q, want %+v", a.status, a.header.Get("Content-Range"), a.body, c)
			}
		})
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := newServer(t, func(c *localcos.Config) { c.Now = func() time.Time { return now } })
	etag := s.want(200, "PUT", "/k", "content").header.Get("ETag")
	before, after := now.Add(-time.Second).Format(http.TimeFormat), now.Add(time.Second).Format(http.TimeFormat)
	for name, c := range map[string]struct {
		header, value string
		status        int
		copyStatus    int
	}{
		"If-Match of this version":          {"If-Match", etag, 200, 200},
		"If-Match of any":                   {"If-Match", "*", 200, 200},
		"If-Match of another":               {"If-Match", `"other"`, 412, 412},
		"If-None-Match of this version":     {"If-None-Match", etag, 304, 412},
		"If-None-Match among others":        {"If-None-Match", `"a", ` + etag, 304, 412},
		"If-None-Match of another":          {"If-None-Match", `"other"`, 200, 200},
		"If-Modified-Since before":          {"If-Modified-Since", before, 200, 200},
		"If-Modified-Since just now":        {"If-Modified-Since", now.Format(http.TimeFormat), 304, 412},
		"If-Unmodified-Since before":        {"If-Unmodified-Since", before, 412, 412},
		"If-Unmodified-Since after":         {"If-Unmodified-Since", after, 200, 200},
		"If-Modified-Since that is no time": {"If-Modified-Since", "yesterday", 200, 200},
	} {
		t.Run("keeps to "+name, func(t *testing.T) {
			t.Parallel()
			for _, method := range []string{"GET", "HEAD"} {
				if a := s.do(method, "/k", nil, c.header, c.value); a.status != c.status || a.header.Get("ETag") != etag {
					t.Errorf("%s: got %d %v, want %d and the ETag", method, a.status, a.header, c.status)
				}
			}
			a := s.do("PUT", "/copy", nil, "x-cos-copy-source", bucket+".cos.ap-guangzhou.myqcloud.com/k", "x-cos-copy-source-"+c.header, c.value)
			if a.status != c.copyStatus {
				t.Errorf("copy: got %d %s, want %d", a.status, a.body, c.copyStatus)
			}
		})
	}
}

func TestCopy(t *testing.T) {
	t.Parallel()
	const from = bucket + ".cos.ap-guangzhou.myqcloud.com"
	t.Run("copies content, metadata and tags, from another bucket too", func(t *testing.T) {
		t.Parallel()
		s := newServer(t, func(c *localcos.Config) { c.Buckets = append(c.Buckets, "other-1250000000") })
		s.want(200, "PUT", "/from", "content", "x-cos-meta-a", "b", "x-cos-tagging", "t=v")
		for _, host := range []string{bucket, "other-1250000000"} {
			a := s.send(newRequest(t.Context(), "PUT", "http://"+host+".localhost/to", nil, "x-cos-copy-source", from+"/from"))
			if a.status != 200 || !strings.Contains(a.body, "<CopyObjectResult><ETag>") || !strings.Contains(a.body, "<CRC64>") {
				t.Fatalf("got %d %s", a.status, a.body)
			}
			a = s.send(newRequest(t.Context(), "GET", "http://"+host+".localhost/to", nil))
			if a.body != "content" || a.header.Get("x-cos-meta-a") != "b" || a.header.Get("x-cos-tagging-count") != "1" {
				t.Errorf("%s: got %q %v", host, a.body, a.header)
			}
		}
		s.want(204, "DELETE", "/from", nil)
		if a := s.want(200, "GET", "/to", nil); a.body != "content" {
			t.Errorf("after the original was deleted: %q", a.body)
		}
	})
	t.Run("replaces the metadata when it is told so, of the object itself too", func(t *testing.T) {
		t.Parallel()
		s := newServer(t, nil)
		s.want(200, "PUT", "/k", "content", "x-cos-meta-a", "b")
		s.refused(400, "InvalidRequest", "PUT", "/k", nil, "x-cos-copy-source", from+"/k")
		s.want(200, "PUT", "/k", nil, "x-cos-copy-source", from+"/k", "x-cos-metadata-directive", "Replaced", "x-cos-meta-c", "d")
		a := s.want(200, "GET", "/k", nil)
		if a.body != "content" || a.header.Get("x-cos-meta-a") != "" || a.header.Get("x-cos-meta-c") != "d" {
			t.Errorf("got %q %v", a.body, a.header)
		}
	})
	t.Run("refuses a source that is not there or makes no sense", func(t *testing.T) {
		t.Parallel()
		s := newServer(t, nil)
		s.refused(404, "NoSuchKey", "PUT", "/k", nil, "x-cos-copy-source", from+"/none")
		s.refused(404, "NoSuchBucket", "PUT", "/k", nil, "x-cos-copy-source", "none-1.cos.ap-guangzhou.myqcloud.com/k")
		for _, source := range []string{"x", "/", from + "/", from + "/%zz", "../../etc/passwd"} {
			if a := s.do("PUT", "/k", nil, "x-cos-copy-source", source); a.status < 400 || a.status > 404 {
				t.Errorf("%q: got %d %s", source, a.status, a.body)
			}
		}
		s.refused(404, "NoSuchKey", "GET", "/k", nil)
	})
}

func TestAppend(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil)
	content := ""
	for _, more := range []string{"first,", "second,", "", "third"} {
		a := s.want(200, "POST", "/log?append&position="+strconv.Itoa(len(content)), more)
		content += more
		if got, want := a.header.Get("x-cos-next-append-position"), strconv.Itoa(len(content)); got != want {
			t.Errorf("the next position is %s, want %s", got, want)
		}
		got := s.want(200, "GET", "/log", nil)
		if got.body != content || got.header.Get("x-cos-hash-crc64ecma") != strconv.FormatUint(cos.CRC64(0, []byte(content)), 10) {
			t.Errorf("got %q %v, want %q", got.body, got.header, content)
		}
		if got.header.Get("x-cos-object-type") != "appendable" {
			t.Errorf("got %v, want appendable", got.header)
		}
	}
	s.refused(409, "PositionNotEqualToLength", "POST", "/log?append&position=3", "x")
	s.refused(400, "InvalidArgument", "POST", "/log?append&position=x", "x")
	s.want(200, "PUT", "/plain", "x")
	s.refused(409, "ObjectNotAppendable", "POST", "/plain?append&position=1", "x")
	if a := s.want(206, "GET", "/log", nil, "Range", "bytes=4-8"); a.body != "t,sec" {
		t.Errorf("a range over two parts: got %q", a.body)
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil)
	const tags = "<Tagging><TagSet><Tag><Key>team</Key><Value>etl</Value></Tag></TagSet></Tagging>"
	s.refused(404, "NoSuchKey", "PUT", "/k?tagging", tags)
	s.want(200, "PUT", "/k", "content")
	s.want(200, "PUT", "/k?tagging", tags)
	if a := s.want(200, "GET", "/k?tagging", nil); !strings.HasSuffix(a.body, tags) {
		t.Errorf("got %s", a.body)
	}
	if a := s.want(200, "GET", "/k", nil); a.body != "content" {
		t.Errorf("the content is %q after tagging", a.body)
	}
	s.refused(400, "InvalidTag", "PUT", "/k?tagging", strings.ReplaceAll(tags, "team", ""))
	s.refused(400, "MalformedXML", "PUT", "/k?tagging", "<Tagging>")
	s.want(204, "DELETE", "/k?tagging", nil)
	if a := s.want(200, "GET", "/k?tagging", nil); strings.Contains(a.body, "team") {
		t.Errorf("got %s", a.body)
	}
}

func TestDeleteMany(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil)
	for _, key := range []string{"/a", "/b", "/c", "/d%20e"} {
		s.want(200, "PUT", key, "x")
	}
	a := s.want(200, "POST", "/?delete", "<Delete><Object><Key>a</Key></Object><Object><Key>none</Key></Object></Delete>")
	if !strings.Contains(a.body, "<Deleted><Key>a</Key></Deleted><Deleted><Key>none</Key></Deleted>") {
		t.Errorf("got %s", a.body)
	}
	a = s.want(200, "POST", "/?delete", "<Delete><Quiet>true</Quiet><Object><Key>b</Key></Object><Object><Key>d e</Key></Object></Delete>")
	if strings.Contains(a.body, "Deleted") {
		t.Errorf("quiet: got %s", a.body)
	}
	s.want(200, "GET", "/c", nil)
	for _, key := range []string{"/a", "/b", "/d%20e"} {
		s.refused(404, "NoSuchKey", "GET", key, nil)
	}
	many := "<Delete>" + strings.Repeat("<Object><Key>x</Key></Object>", 1001) + "</Delete>"
	for _, body := range []string{"", "<Delete/>", "<Delete>", "<Other/>", many} {
		s.refused(400, "MalformedXML", "POST", "/?delete", body)
	}
}
