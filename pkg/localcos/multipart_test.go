package localcos_test

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/cos"
)

func (s *server) initiate(key string, headers ...string) string {
	s.Helper()
	return parse[struct{ UploadId string }](s.T, s.want(200, "POST", key+"?uploads", nil, headers...)).UploadId
}

func (s *server) part(key, id string, number int, content []byte) string {
	s.Helper()
	a := s.want(200, "PUT", fmt.Sprintf("%s?partNumber=%d&uploadId=%s", key, number, id), content)
	if got, want := a.header.Get("x-cos-hash-crc64ecma"), strconv.FormatUint(cos.CRC64(0, content), 10); got != want {
		s.Errorf("the CRC of part %d is %s, want %s", number, got, want)
	}
	return a.header.Get("ETag")
}

func complete(parts ...any) string {
	text := "<CompleteMultipartUpload>"
	for i := 0; i < len(parts); i += 2 {
		text += fmt.Sprintf("<Part><PartNumber>%v</PartNumber><ETag>%v</ETag></Part>", parts[i], parts[i+1])
	}
	return text + "</CompleteMultipartUpload>"
}

func TestMultipart(t *testing.T) {
	t.Parallel()
	large, larger, small := bytes.Repeat([]byte("large"), 1<<18), bytes.Repeat([]byte("LARGER"), 1<<18), []byte("small")
	t.Run("makes an object of its parts, in order, with the sum of all", func(t *testing.T) {
		t.Parallel()
		s := newServer(t, nil)
		id := s.initiate("/k", "x-cos-meta-a", "b", "Content-Type", "text/plain")
		third := s.part("/k", id, 3, small)
		s.part("/k", id, 1, small)
		first := s.part("/k", id, 1, large) // again, and other
		second := s.part("/k", id, 2, larger)
		s.refused(404, "NoSuchKey", "GET", "/k", nil)
		a := s.want(200, "POST", "/k?uploadId="+id, complete(1, first, 2, second, 3, third))
		whole := string(large) + string(larger) + string(small)
		crc := strconv.FormatUint(cos.CRC64(0, []byte(whole)), 10)
		if a.header.Get("x-cos-hash-crc64ecma") != crc || !strings.Contains(a.body, "-3&#34;</ETag>") {
			t.Errorf("got %s %v, want the CRC %s", a.body, a.header, crc)
		}
		got := s.want(200, "GET", "/k", nil)
		if got.body != whole || got.header.Get("x-cos-meta-a") != "b" || got.header.Get("x-cos-hash-crc64ecma") != crc {
			t.Errorf("got %d bytes %v, want %d with CRC %s", len(got.body), got.header, len(whole), crc)
		}
		if got := s.want(206, "GET", "/k", nil, "Range", fmt.Sprintf("bytes=%d-%d", len(large)-2, len(large)+1)); got.body != "geLA" {
			t.Errorf("a range over two parts: %q", got.body)
		}
		s.refused(404, "NoSuchUpload", "POST", "/k?uploadId="+id, complete(1, first))
		s.refused(404, "NoSuchUpload", "GET", "/k?uploadId="+id, nil)
	})
	t.Run("refuses parts that are small, missing, others or out of order, and can be completed after that", func(t *testing.T) {
		t.Parallel()
		s := newServer(t, nil)
		id := s.initiate("/k")
		first, second := s.part("/k", id, 1, small), s.part("/k", id, 2, large)
		s.refused(400, "EntityTooSmall", "POST", "/k?uploadId="+id, complete(1, first, 2, second))
		s.refused(400, "InvalidPartOrder", "POST", "/k?uploadId="+id, complete(2, second, 1, first))
		s.refused(400, "InvalidPartOrder", "POST", "/k?uploadId="+id, complete(2, second, 2, second))
		s.refused(400, "InvalidPart", "POST", "/k?uploadId="+id, complete(2, first))
		s.refused(400, "InvalidPart", "POST", "/k?uploadId="+id, complete(2, second, 7, first))
		for _, body := range []string{"", complete(), "<CompleteMultipartUpload>", "<Part/>"} {
			s.refused(400, "MalformedXML", "POST", "/k?uploadId="+id, body)
		}
		for _, number := range []string{"0", "10001", "-1", "x", ""} {
			s.refused(400, "InvalidArgument", "PUT", "/k?partNumber="+number+"&uploadId="+id, "x")
		}
		for _, other := range []string{"", "none", "../..", id + "x"} {
			s.refused(404, "NoSuchUpload", "PUT", "/k?partNumber=1&uploadId="+other, "x")
			s.refused(404, "NoSuchUpload", "POST", "/k?uploadId="+other, complete(2, second))
			s.refused(404, "NoSuchUpload", "DELETE", "/k?uploadId="+other, nil)
		}
		s.refused(404, "NoSuchUpload", "POST", "/other?uploadId="+id, complete(2, second)) // of another key
		s.want(200, "POST", "/k?uploadId="+id, complete(2, second))
	})
	t.Run("is created only where nothing is, when it is told so", func(t *testing.T) {
		t.Parallel()
		s := newServer(t, nil)
		id := s.initiate("/k")
		etag := s.part("/k", id, 1, small)
		s.want(200, "PUT", "/k", "first")
		s.refused(409, "FileAlreadyExists", "POST", "/k?uploadId="+id, complete(1, etag), "x-cos-forbid-overwrite", "true")
		if a := s.want(200, "GET", "/k", nil); a.body != "first" {
			t.Errorf("got %q", a.body)
		}
	})
	t.Run("copies parts", func(t *testing.T) {
		t.Parallel()
		s := newServer(t, nil)
		s.want(200, "PUT", "/from", large)
		id := s.initiate("/k")
		source := bucket + ".cos.ap-guangzhou.myqcloud.com/from"
		a := s.want(200, "PUT", "/k?partNumber=1&uploadId="+id, nil, "x-cos-copy-source", source)
		b := s.want(200, "PUT", "/k?partNumber=2&uploadId="+id, nil, "x-cos-copy-source", source, "x-cos-copy-source-range", "bytes=3-6")
		first, second := parse[struct{ ETag string }](t, a).ETag, parse[struct{ ETag string }](t, b).ETag
		s.want(200, "POST", "/k?uploadId="+id, complete(1, first, 2, second))
		if got := s.want(200, "GET", "/k", nil); got.body != string(large)+"gela" {
			t.Errorf("got %d bytes", len(got.body))
		}
	})
	t.Run("lists parts and uploads over pages, and removes what is given up", func(t *testing.T) {
		t.Parallel()
		s := newServer(t, nil)
		ids := map[string]bool{}
		for _, key := range []string{"/a", "/a", "/b/c", "/b/d", "/e"} {
			ids[s.initiate(key)] = true
		}
		type uploads struct {
			IsTruncated                       bool
			NextKeyMarker, NextUploadIdMarker string
			Upload                            []struct{ Key, UploadId string }
			CommonPrefixes                    []struct{ Prefix string }
		}
		seen := 0
		for marker := ""; ; {
			page := parse[uploads](t, s.want(200, "GET", "/?uploads&max-uploads=2"+marker, nil))
			for _, u := range page.Upload {
				if !ids[u.UploadId] {
					t.Errorf("%+v was listed twice, or never begun", u)
				}
				delete(ids, u.UploadId)
				seen++
			}
			if !page.IsTruncated {
				break
			}
			marker = "&key-marker=" + page.NextKeyMarker + "&upload-id-marker=" + page.NextUploadIdMarker
		}
		if seen != 5 {
			t.Errorf("saw %d uploads, want 5", seen)
		}
		page := parse[uploads](t, s.want(200, "GET", "/?uploads&delimiter=/&prefix=", nil))
		if len(page.Upload) != 3 || len(page.CommonPrefixes) != 1 || page.CommonPrefixes[0].Prefix != "b/" {
			t.Errorf("by folder: got %+v", page)
		}
		id := s.initiate("/k")
		for number := 1; number <= 3; number++ {
			s.part("/k", id, number, small)
		}
		type parts struct {
			IsTruncated          bool
			NextPartNumberMarker int
			Part                 []struct{ PartNumber, Size int }
		}
		first := parse[parts](t, s.want(200, "GET", "/k?max-parts=2&uploadId="+id, nil))
		rest := parse[parts](t, s.want(200, "GET", fmt.Sprintf("/k?part-number-marker=%d&uploadId=%s", first.NextPartNumberMarker, id), nil))
		if !first.IsTruncated || len(first.Part) != 2 || rest.IsTruncated || len(rest.Part) != 1 || rest.Part[0].Size != len(small) {
			t.Errorf("got %+v and %+v", first, rest)
		}
		s.want(204, "DELETE", "/k?uploadId="+id, nil)
		s.refused(404, "NoSuchUpload", "GET", "/k?uploadId="+id, nil)
	})
}
