package cos_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// hostile opens a bucket at a server that answers as it likes.
func hostile(t testing.TB, handler http.HandlerFunc) *cos.Bucket {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	b, err := cos.Open(cos.Config{
		Bucket: bucketName, Region: "ap-guangzhou", Endpoint: server.URL, PartSize: mib, BackOff: time.Microsecond, Retries: 1,
		Credentials: cos.Static("id", secret.New("key")), Stall: 10 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func TestHostileListing(t *testing.T) {
	t.Parallel()
	entry := func(key string) string {
		return "<Contents><Key>" + key + "</Key><LastModified>2026-03-01T12:00:00Z</LastModified><Size>1</Size></Contents>"
	}
	for name, page := range map[string]string{
		"a page that leads to itself":       "<IsTruncated>true</IsTruncated><NextMarker>p/a</NextMarker>" + entry("p/a"),
		"a page that leads nowhere":         "<IsTruncated>true</IsTruncated>" + entry("p/a"),
		"keys that were not asked for":      entry("../etc/passwd"),
		"keys that are not in order":        entry("p/b") + entry("p/a"),
		"a key twice":                       entry("p/a") + entry("p/a"),
		"a key with a wrong escape":         entry("p/%zz"),
		"a negative size":                   strings.Replace(entry("p/a"), ">1<", ">-1<", 1),
		"a time that is none":               strings.Replace(entry("p/a"), "2026", "x", 1),
		"prefixes that were not asked for":  "<CommonPrefixes><Prefix>q/</Prefix></CommonPrefixes>",
		"what is no listing":                "</ListBucketResult><ListBucketResult>",
		"an end in the middle":              "<Contents><Key>p/a",
		"more than a page can be in memory": strings.Repeat(" ", 17<<20) + entry("p/a"),
	} {
		t.Run("ends a listing with "+name, func(t *testing.T) {
			t.Parallel()
			var pages atomic.Int32
			b := hostile(t, func(w http.ResponseWriter, _ *http.Request) {
				pages.Add(1)
				if _, err := io.WriteString(w, "<ListBucketResult>"+page+"</ListBucketResult>"); err != nil {
					return
				}
			})
			n := 0
			var err error
			for _, err = range b.List(t.Context(), cos.ListOptions{Prefix: "p/"}) {
				if n++; n > 100 {
					break
				}
			}
			if name == "what is no listing" {
				if err != nil || n != 0 {
					t.Errorf("got %d entries, %v: an empty listing is one", n, err)
				}
				return
			}
			if !errors.Is(err, cos.ErrAnswer) || pages.Load() > 2 {
				t.Errorf("got %d entries over %d pages and %v, want ErrAnswer", n, pages.Load(), err)
			}
		})
	}
}

func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	get := func(t *testing.T, length int64, handler http.HandlerFunc) ([]byte, error) {
		t.Helper()
		body, _, err := hostile(t, handler).GetRange(t.Context(), "key", 5, length)
		if err != nil {
			return nil, err
		}
		got, err := io.ReadAll(body)
		_ = body.Close()
		return got, err
	}
	for name, handler := range map[string]http.HandlerFunc{
		"all in place of a range": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "0123456789") },
		"another range":           partial("bytes 0-4/10", "01234"),
		"a range that is none":    partial("bytes 5-2/10", "01234"),
		"a range of no object":    partial("bytes 5-9/3", "56789"),
		"a range without numbers": partial("bytes */*", "56789"),
		"a range without a header": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusPartialContent)
			_, _ = io.WriteString(w, "56789")
		},
		"a checksum that is no number": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("x-cos-hash-crc64ecma", "many")
			partial("bytes 5-9/10", "56789")(w, nil)
		},
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			t.Parallel()
			if got, err := get(t, 5, handler); !errors.Is(err, cos.ErrAnswer) {
				t.Errorf("got %q, %v, want ErrAnswer", got, err)
			}
		})
	}
	t.Run("refuses to go on with another version, also of a server that does not know If-Match", func(t *testing.T) {
		t.Parallel()
		var asked atomic.Int32
		b := hostile(t, func(w http.ResponseWriter, r *http.Request) {
			if asked.Add(1) > 1 {
				w.Header().Set("ETag", `"second"`)
				partial("bytes 5-9/10", "56789")(w, r)
				return
			}
			w.Header().Set("ETag", `"first"`)
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "01234") // and the connection is cut
		})
		body, _, err := b.Get(t.Context(), "key")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(body); !errors.Is(err, cos.ErrChanged) {
			t.Errorf("got %q, %v, want ErrChanged", got, err)
		}
		_ = body.Close()
	})
	t.Run("refuses upload ids that would be another request", func(t *testing.T) {
		t.Parallel()
		for _, id := range []string{"", "../x", "a&amp;partNumber=9", "a b", strings.Repeat("x", 2000)} {
			b := hostile(t, func(w http.ResponseWriter, _ *http.Request) {
				_, _ = fmt.Fprintf(w, "<InitiateMultipartUploadResult><UploadId>%s</UploadId></InitiateMultipartUploadResult>", id)
			})
			if _, err := b.Put(t.Context(), "key", strings.NewReader(strings.Repeat("x", 2*mib)), cos.PutOptions{}); !errors.Is(err, cos.ErrAnswer) {
				t.Errorf("%.20q: got %v, want ErrAnswer", id, err)
			}
		}
	})
	t.Run("does not follow to another host, with its signature", func(t *testing.T) {
		t.Parallel()
		var reached atomic.Bool
		other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Store(true) }))
		t.Cleanup(other.Close)
		b := hostile(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		})
		if _, err := b.Head(t.Context(), "key"); !errors.Is(err, cos.ErrAnswer) || reached.Load() {
			t.Errorf("got %v; reached: %t", err, reached.Load())
		}
	})
	t.Run("does not take an endless error into memory", func(t *testing.T) {
		t.Parallel()
		b := hostile(t, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
		})
		if _, _, err := b.Get(t.Context(), "key"); !errors.Is(err, cos.ErrInvalid) {
			t.Errorf("got %v", err)
		}
	})
}

func partial(span, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Range", span)
		w.WriteHeader(http.StatusPartialContent)
		_, _ = io.WriteString(w, body)
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(200, "<ListBucketResult></ListBucketResult>", "bytes 0-3/4", "1", "e")
	f.Add(206, "abcd", "bytes 0-3/4", "18446744073709551615", `"e"`)
	f.Add(404, "<Error><Code>NoSuchKey</Code></Error>", "", "", "")
	f.Add(200, "<Error><Code>FileAlreadyExists</Code></Error>", "", "", "")
	f.Add(200, "<InitiateMultipartUploadResult><UploadId>x</UploadId></InitiateMultipartUploadResult>", "", "", "e")
	f.Add(200, "<DeleteResult><Error><Key>a</Key><Code>SlowDown</Code></Error></DeleteResult>", "", "", "")
	f.Add(302, "<a>", "", "x", "")
	type answer struct {
		status                int
		body, span, crc, etag string
	}
	var current atomic.Pointer[answer]
	b := hostile(f, func(w http.ResponseWriter, _ *http.Request) {
		a := current.Load()
		h := w.Header()
		h["Content-Range"], h["x-cos-hash-crc64ecma"], h["ETag"] = []string{a.span}, []string{a.crc}, []string{a.etag}
		w.WriteHeader(a.status)
		_, _ = io.WriteString(w, a.body)
	})
	f.Fuzz(func(t *testing.T, status int, body, span, crc, etag string) {
		if status < 200 || status > 599 {
			return
		}
		current.Store(&answer{status, body, span, crc, etag})
		ctx := t.Context()
		const data = "four"
		if o, err := b.Put(ctx, "key", strings.NewReader(data), cos.PutOptions{}); err == nil && fmt.Sprint(o.CRC64) != strings.TrimLeft(strings.TrimSpace(crc), "+0") {
			t.Errorf("a put with CRC %d was taken for one with %q", o.CRC64, crc)
		}
		if r, o, err := b.Get(ctx, "key"); err == nil {
			got, err := io.ReadAll(r)
			if err == nil && o.HasCRC64 && cos.CRC64(0, got) != o.CRC64 {
				t.Errorf("%q was taken for content with CRC %d", got, o.CRC64)
			}
			_ = r.Close()
		}
		if r, _, err := b.GetRange(ctx, "key", 1, 2); err == nil {
			if got, err := io.ReadAll(r); err == nil && len(got) > 2 {
				t.Errorf("got %q for 2 bytes", got)
			}
			_ = r.Close()
		}
		last := ""
		for o, err := range b.List(ctx, cos.ListOptions{Prefix: "p"}) {
			if err == nil && (o.Key <= last || !strings.HasPrefix(o.Key, "p")) {
				t.Errorf("%q behind %q", o.Key, last)
			}
			last = o.Key
		}
		_, _ = b.Copy(ctx, "key", "other")
		_ = b.Delete(ctx, "a", "b")
	})
}
