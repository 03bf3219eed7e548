package costest

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/scf-etl/scf-etl/pkg/cos"
)

func gives(f *fixture) {
	for _, length := range []int{0, 1, 1000, 1 << 20, cos.MinPartSize + 1} {
		key, content := "of-"+strconv.Itoa(length), bytesOf(1, length)
		made := f.put(key, content, cos.PutOptions{})
		f.has(key, content)
		there, err := f.bucket.Head(f.ctx, f.prefix+key)
		if err != nil {
			f.Fatal(err)
		}
		want := cos.CRC64(0, content)
		if there.Size != int64(length) || there.CRC64 != want || made.CRC64 != want ||
			there.ETag == "" || there.ETag != made.ETag {
			f.Errorf("%d bytes with CRC %d: put says %+v, head %+v", length, want, made, there)
		}
		if there.Modified.IsZero() {
			f.Errorf("head does not say when it was created: %+v", there)
		}
	}
}

func keeps(f *fixture) {
	metadata := map[string]string{"topic": "orders", "first-offset": "12345", "text": "a = b; c, d"}
	f.put("with", []byte("x"), cos.PutOptions{Metadata: metadata, ContentType: "text/plain"})
	f.put("with-id", []byte("x"), cos.PutOptions{Metadata: metadata, ContentType: "text/plain", IfAbsent: true})
	for _, key := range []string{"with", "with-id"} {
		_, got := f.get(key)
		head, err := f.bucket.Head(f.ctx, f.prefix+key)
		if err != nil {
			f.Fatal(err)
		}
		for _, o := range []cos.Object{got, head} {
			if !maps.Equal(o.Metadata, metadata) || o.ContentType != "text/plain" {
				f.Errorf("%s: got %v %q, want %v", key, o.Metadata, o.ContentType, metadata)
			}
		}
	}
	f.put("with", []byte("y"), cos.PutOptions{})
	if _, got := f.get("with"); len(got.Metadata) != 0 {
		f.Errorf("after a put without metadata: %v", got.Metadata)
	}
	for name, value := range map[string]string{"Topic": "x", "": "x", "a": "ü", "b": " x", "c": "x\ny"} {
		o := cos.PutOptions{Metadata: map[string]string{name: value}}
		_, err := f.bucket.Put(f.ctx, f.prefix+"bad", bytes.NewReader(nil), o)
		if !errors.Is(err, cos.ErrInvalid) {
			f.Errorf("metadata %q: %q: got %v, want ErrInvalid", name, value, err)
		}
	}
}

func inParts(f *fixture) {
	size := 3 * partSize
	for name, length := range map[string]int{
		"whole parts": size, "and a byte": size + 1, "and a part but a byte": size + partSize - 1,
	} {
		content := bytesOf(2, length)
		made, err := f.bucket.Put(f.ctx, f.prefix+name, onlyReader{bytes.NewReader(content)}, cos.PutOptions{})
		if err != nil {
			f.Fatal(err)
		}
		if want := cos.CRC64(0, content); made.Size != int64(length) || made.CRC64 != want {
			f.Errorf("%s: got %+v, want %d bytes with CRC %d", name, made, length, want)
		}
		f.has(name, content)
	}
}

// partSize is what the buckets of Run are opened with, at least; see Part.
const partSize = cos.MinPartSize

// PartSize is the part size to open a bucket with, so that the suite does not
// have to move much.
const PartSize = partSize

func notFound(f *fixture) {
	_, _, err := f.bucket.Get(f.ctx, f.prefix+"none")
	_, err2 := f.bucket.Head(f.ctx, f.prefix+"none")
	_, err3 := f.bucket.Copy(f.ctx, f.prefix+"none", f.prefix+"other")
	_, _, err4 := f.bucket.GetRange(f.ctx, f.prefix+"none", 5, 0)
	for _, err := range []error{err, err2, err3, err4} {
		var e *cos.Error
		if !errors.Is(err, cos.ErrNotFound) || !errors.As(err, &e) || e.Key != f.prefix+"none" || e.RequestID == "" {
			f.Errorf("got %v, want ErrNotFound with key and request id", err)
		}
	}
}

func createsOnce(f *fixture) {
	f.put("once", []byte("first"), cos.PutOptions{IfAbsent: true})
	_, err := f.bucket.Put(f.ctx, f.prefix+"once", bytes.NewReader([]byte("second")), cos.PutOptions{IfAbsent: true})
	if !errors.Is(err, cos.ErrExists) {
		f.Errorf("got %v, want ErrExists", err)
	}
	f.has("once", []byte("first"))
	f.put("once", []byte("third"), cos.PutOptions{})
	f.has("once", []byte("third"))
}

func oneWins(f *fixture) {
	var won, lost atomic.Int32
	var winner sync.Map
	var writers sync.WaitGroup
	for i := range 8 {
		writers.Go(func() {
			content := bytesOf(uint64(i), 100)
			switch _, err := f.bucket.Put(f.ctx, f.prefix+"one", bytes.NewReader(content), cos.PutOptions{IfAbsent: true}); {
			case err == nil:
				won.Add(1)
				winner.Store("content", content)
			case errors.Is(err, cos.ErrExists):
				lost.Add(1)
			default:
				f.Errorf("writer %d: %v", i, err)
			}
		})
	}
	writers.Wait()
	if won.Load() != 1 || lost.Load() != 7 {
		f.Fatalf("%d of 8 won and %d lost, want 1 and 7", won.Load(), lost.Load())
	}
	content, _ := winner.Load("content")
	f.has("one", content.([]byte))
}

func createsPartsOnce(f *fixture) {
	first := bytesOf(3, 2*partSize+1)
	f.put("once", first, cos.PutOptions{IfAbsent: true})
	second := bytes.NewReader(bytesOf(4, 2*partSize+1))
	_, err := f.bucket.Put(f.ctx, f.prefix+"once", second, cos.PutOptions{IfAbsent: true})
	if !errors.Is(err, cos.ErrExists) {
		f.Errorf("got %v, want ErrExists", err)
	}
	f.has("once", first)
}

func leavesNothing(f *fixture) {
	torn := errors.New("the source broke")
	for name, length := range map[string]int{"short": 100, "long": 3*partSize + 7} {
		f.put(name, []byte("before"), cos.PutOptions{})
		for _, key := range []string{name, "new " + name} {
			body := io.MultiReader(bytes.NewReader(bytesOf(5, length)), failing{torn})
			if _, err := f.bucket.Put(f.ctx, f.prefix+key, body, cos.PutOptions{}); !errors.Is(err, torn) {
				f.Errorf("got %v, want what the body gave", err)
			}
		}
		f.has(name, []byte("before"))
		if _, err := f.bucket.Head(f.ctx, f.prefix+"new "+name); !errors.Is(err, cos.ErrNotFound) {
			f.Errorf("got %v, want ErrNotFound", err)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
