package localcos_test

import (
	"encoding/xml"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// raw makes a request that no client would.
func raw(t *testing.T, method, path, query, body string, headers map[string]string) *http.Request {
	r := (&http.Request{
		Method: method, URL: &url.URL{Path: "/" + path, RawQuery: query}, Host: bucket + ".localhost", Header: http.Header{},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), RemoteAddr: "127.0.0.1:1",
	}).WithContext(t.Context())
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	return r
}

// serve gives the answer, which may be a connection that is cut.
func serve(s *localcos.Server, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	defer func() {
		if cut := recover(); cut != nil && cut != http.ErrAbortHandler {
			panic(cut)
		}
	}()
	s.ServeHTTP(w, r)
	return w
}

func FuzzRequest(f *testing.F) {
	for _, seed := range [][6]string{
		{"GET", "", "prefix=a&delimiter=/&marker=x&max-keys=3&encoding-type=url", "", "", ""},
		{"PUT", "../../x", "", "content", "", "1"},
		{"PUT", "k", "", "", bucket + ".localhost/seed", ""},
		{"PUT", "k", "partNumber=1&uploadId=UPLOAD", "part", bucket + ".localhost/seed", "bytes=1-2"},
		{"POST", "", "delete", "<Delete><Object><Key>../x</Key></Object></Delete>", "", ""},
		{"POST", "up", "uploadId=UPLOAD", complete(1, "x"), "", ""},
		{"POST", "up", "uploads", "", "", ""},
		{"GET", "up", "uploadId=UPLOAD&max-parts=1", "", "", ""},
		{"GET", "", "uploads&key-marker=a&max-uploads=1&delimiter=/", "", "", ""},
		{"POST", "log", "append&position=0", "x", "", ""},
		{"PUT", "seed", "tagging", "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>", "", ""},
		{"PUT", "", "lifecycle", rules("<Expiration><Days>1</Days></Expiration>"), "", ""},
		{"GET", "seed", "response-content-type=a%0ab", "", "", "bytes=-1"},
		{"DELETE", "seed", "%zz;", "", "", ""},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3], seed[4], seed[5])
	}
	outer := f.TempDir()
	dir := filepath.Join(outer, "cos")
	s, err := localcos.New(localcos.Config{Dir: dir, Unsigned: true, Buckets: []string{bucket}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	f.Fuzz(func(t *testing.T, method, path, query, body, source, span string) {
		serve(s, raw(t, http.MethodPut, "seed", "", "content of the seed", nil))
		var upload struct{ UploadId string }
		if err := xml.Unmarshal(serve(s, raw(t, http.MethodPost, "up", "uploads", "", nil)).Body.Bytes(), &upload); err != nil {
			t.Fatal(err)
		}
		query = strings.ReplaceAll(query, "UPLOAD", upload.UploadId)
		w := serve(s, raw(t, method, path, query, body, map[string]string{"x-cos-copy-source": source, "Range": span, "x-cos-copy-source-range": span}))
		if w.Code < 200 || w.Code > 599 || w.Code == 500 {
			t.Errorf("%s %q?%q: got %d %s", method, path, query, w.Code, w.Body)
		}
		if w.Code >= 400 && method != http.MethodHead {
			var e struct {
				XMLName xml.Name `xml:"Error"`
				Code    string
			}
			if err := xml.Unmarshal(w.Body.Bytes(), &e); err != nil || e.Code == "" {
				t.Errorf("%s %q?%q: %d with %q", method, path, query, w.Code, w.Body)
			}
		}
		if err := filepath.WalkDir(outer, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && path != outer && !strings.HasPrefix(path, dir) {
				err = fmt.Errorf("%s is outside of the folder", path)
			}
			return err
		}); err != nil {
			t.Error(err)
		}
		serve(s, raw(t, http.MethodDelete, "up", "uploadId="+upload.UploadId, "", nil))
		serve(s, raw(t, http.MethodDelete, path, "", "", nil))
	})
}

func FuzzRange(f *testing.F) {
	for _, seed := range []string{"bytes=0-0", "bytes=5-", "bytes=-3", "bytes=-0", "bytes=9-10", "bytes=1-2,3-4", "bytes= 1-2", "bytes=-", "bytes=+1-2"} {
		f.Add(seed, 10)
	}
	s, err := localcos.New(localcos.Config{Dir: f.TempDir(), Unsigned: true, Buckets: []string{bucket}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	f.Fuzz(func(t *testing.T, text string, size int) {
		if size < 0 || size > 1000 {
			return
		}
		whole := strings.Repeat("0123456789", 100)[:size]
		serve(s, raw(t, http.MethodPut, "k", "", whole, nil))
		w := serve(s, raw(t, http.MethodGet, "k", "", "", map[string]string{"Range": text}))
		switch w.Code {
		case http.StatusOK:
			if w.Body.String() != whole {
				t.Errorf("%q of %d: got all, but %q", text, size, w.Body)
			}
		case http.StatusPartialContent:
			var from, to, of int
			if _, err := fmt.Sscanf(w.Header().Get("Content-Range"), "bytes %d-%d/%d", &from, &to, &of); err != nil || of != size ||
				w.Body.String() != whole[from:to+1] {
				t.Errorf("%q of %d: got %q %q", text, size, w.Header().Get("Content-Range"), w.Body)
			}
		case http.StatusRequestedRangeNotSatisfiable:
		default:
			t.Errorf("%q of %d: got %d", text, size, w.Code)
		}
	})
}

func FuzzAuthorization(f *testing.F) {
	const window = "1772366400;9972370000"
	for _, seed := range []string{
		"", "q-ak=" + secretID, "q-sign-algorithm=sha1&q-ak=" + secretID + "&q-sign-time=" + window + "&q-key-time=" + window +
			"&q-header-list=host&q-url-param-list=&q-signature=00", "q-sign-algorithm=sha1&q-ak=&q-sign-time=;&q-key-time=;&q-header-list=&q-url-param-list=&q-signature=",
		"q-sign-algorithm=sha1&q-ak=" + secretID + "&q-sign-time=-9;9&q-key-time=x&q-header-list=%;host;host&q-url-param-list=a;a;%zz&q-signature=zz",
	} {
		f.Add(seed, seed)
	}
	s, err := localcos.New(localcos.Config{
		Dir: f.TempDir(), Buckets: []string{bucket}, Keys: map[string]localcos.Key{secretID: {Secret: secret.New(secretKey)}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	f.Fuzz(func(t *testing.T, header, query string) {
		// Nobody guesses a signature.
		if w := serve(s, raw(t, http.MethodGet, "", query, "", map[string]string{"Authorization": header})); w.Code < 400 || w.Code >= 500 {
			t.Errorf("%q %q: got %d", header, query, w.Code)
		}
	})
}
