package costest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/cos"
)

func ranges(f *fixture) {
	content := bytesOf(6, 2*partSize+100)
	f.put("ranged", content, cos.PutOptions{})
	size := int64(len(content))
	for _, c := range []struct{ offset, length, to int64 }{
		{0, 1, 1}, {0, size, size}, {0, -1, size}, {5, 10, 15}, {size - 1, 1, size}, {size - 10, 100, size}, {100, -1, size},
		{partSize - 3, 6, partSize + 3}, {7, 0, 7}, {3, 1<<63 - 1, size},
	} {
		body, object, err := f.bucket.GetRange(f.ctx, f.prefix+"ranged", c.offset, c.length)
		if err != nil {
			f.Fatalf("%d bytes from %d: %v", c.length, c.offset, err)
		}
		got, err := io.ReadAll(body)
		if err = errors.Join(err, body.Close()); err != nil || !bytes.Equal(got, content[c.offset:c.to]) {
			f.Errorf("%d bytes from %d: got %d bytes that are others, or %v", c.length, c.offset, len(got), err)
		}
		if object.Size != size || object.CRC64 != cos.CRC64(0, content) {
			f.Errorf("%d bytes from %d: the object is %+v, want the whole of %d bytes", c.length, c.offset, object, size)
		}
	}
	if _, _, err := f.bucket.GetRange(f.ctx, f.prefix+"ranged", size, 1); !errors.Is(err, cos.ErrRange) {
		f.Errorf("got %v, want ErrRange", err)
	}
	if _, _, err := f.bucket.GetRange(f.ctx, f.prefix+"ranged", -1, 1); !errors.Is(err, cos.ErrInvalid) {
		f.Errorf("got %v, want ErrInvalid", err)
	}
}

// oneVersion replaces an object while it is read: the reader has the old one,
// or an error, never a mixture.
func oneVersion(f *fixture) {
	old, fresh := bytesOf(7, 3*partSize), bytesOf(8, 3*partSize)
	f.put("object", old, cos.PutOptions{})
	body, _, err := f.bucket.Get(f.ctx, f.prefix+"object")
	if err != nil {
		f.Fatal(err)
	}
	begin := make([]byte, 1000)
	if _, err := io.ReadFull(body, begin); err != nil {
		f.Fatal(err)
	}
	f.put("object", fresh, cos.PutOptions{})
	rest, err := io.ReadAll(body)
	if err == nil && !bytes.Equal(append(begin, rest...), old) {
		f.Error("what was read is neither the old version nor an error")
	} else if err != nil && !errors.Is(err, cos.ErrChanged) {
		f.Errorf("got %v, want nothing or ErrChanged", err)
	}
	_ = body.Close()
	f.has("object", fresh)
}

func copies(f *fixture) {
	metadata := map[string]string{"topic": "orders"}
	content := bytesOf(9, 1000)
	f.put("a?versionId=1&b +%", content, cos.PutOptions{Metadata: metadata, ContentType: "text/plain"})
	made, err := f.bucket.Copy(f.ctx, f.prefix+"a?versionId=1&b +%", f.prefix+"copy")
	if err != nil {
		f.Fatal(err)
	}
	f.has("copy", content)
	if _, got := f.get("copy"); got.Metadata["topic"] != "orders" || got.ContentType != "text/plain" ||
		got.ETag != made.ETag {
		f.Errorf("got %+v, copy said %+v", got, made)
	}
}

func copiesInParts(f *fixture) {
	content := bytesOf(10, 2*partSize+5)
	f.put("from", content, cos.PutOptions{Metadata: map[string]string{"a": "b"}})
	made, err := f.bucket.Copy(f.ctx, f.prefix+"from", f.prefix+"to")
	if err != nil {
		f.Fatal(err)
	}
	f.has("to", content)
	if _, got := f.get("to"); got.Metadata["a"] != "b" || got.CRC64 != made.CRC64 {
		f.Errorf("got %+v, copy said %+v", got, made)
	}
}

func presigns(f *fixture) {
	content := "by URL"
	key := f.prefix + "a key/with ?+& and ü"
	client := &http.Client{Transport: throughEndpoint(f.bucket), Timeout: time.Minute}
	send := func(method, body string) *http.Response {
		f.Helper()
		url, err := f.bucket.Presign(f.ctx, method, key, time.Hour)
		if err != nil {
			f.Fatal(err)
		}
		request, err := http.NewRequestWithContext(f.ctx, method, url, strings.NewReader(body))
		if err != nil {
			f.Fatal(err)
		}
		answer, err := client.Do(request)
		if err != nil {
			f.Fatal(err)
		}
		f.Cleanup(func() { _ = answer.Body.Close() })
		return answer
	}
	if answer := send(http.MethodPut, content); answer.StatusCode != http.StatusOK {
		f.Fatalf("PUT: %s", answer.Status)
	}
	got, err := io.ReadAll(send(http.MethodGet, "").Body)
	if err != nil || string(got) != content {
		f.Errorf("GET: got %q %v, want %q", got, err, content)
	}
	url, err := f.bucket.Presign(f.ctx, http.MethodGet, key, time.Hour)
	if err != nil {
		f.Fatal(err)
	}
	other, err := client.Get(strings.Replace(url, "with", "without", 1))
	if err != nil {
		f.Fatal(err)
	}
	_ = other.Body.Close()
	if other.StatusCode != http.StatusForbidden {
		f.Errorf("the URL of one key gives %s for another, want 403", other.Status)
	}
	for _, ttl := range []time.Duration{0, -time.Hour, 1000 * time.Hour} {
		if _, err := f.bucket.Presign(f.ctx, http.MethodGet, key, ttl); !errors.Is(err, cos.ErrInvalid) {
			f.Errorf("a ttl of %s: got %v, want ErrInvalid", ttl, err)
		}
	}
	if _, err := f.bucket.Presign(f.ctx, http.MethodPost, key, time.Hour); !errors.Is(err, cos.ErrInvalid) {
		f.Errorf("POST: got %v, want ErrInvalid", err)
	}
}
