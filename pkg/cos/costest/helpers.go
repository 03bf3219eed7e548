package costest

import (
	"bytes"
	"io"
	"math/rand/v2"

	"github.com/scf-etl/scf-etl/pkg/cos"
)

// bytesOf makes content of a length: the same for the same seed.
func bytesOf(seed uint64, length int) []byte {
	content := make([]byte, length)
	source := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	_, _ = source.Read(content) // it never fails
	return content
}

func (f *fixture) put(key string, content []byte, o cos.PutOptions) cos.Object {
	f.Helper()
	object, err := f.bucket.Put(f.ctx, f.prefix+key, bytes.NewReader(content), o)
	if err != nil {
		f.Fatalf("put %q: %v", key, err)
	}
	return object
}

func (f *fixture) get(key string) ([]byte, cos.Object) {
	f.Helper()
	body, object, err := f.bucket.Get(f.ctx, f.prefix+key)
	if err != nil {
		f.Fatalf("get %q: %v", key, err)
	}
	content, err := io.ReadAll(body)
	if err != nil {
		f.Fatalf("read %q: %v", key, err)
	}
	if err := body.Close(); err != nil {
		f.Fatalf("close %q: %v", key, err)
	}
	return content, object
}

func (f *fixture) has(key string, want []byte) {
	f.Helper()
	if got, _ := f.get(key); !bytes.Equal(got, want) {
		f.Errorf("%q has %d bytes that are not the %d that were put", key, len(got), len(want))
	}
}

// keys lists below the prefix of the test; common prefixes end with "*".
func (f *fixture) keys(o cos.ListOptions) []string {
	f.Helper()
	o.Prefix = f.prefix + o.Prefix
	if o.After != "" {
		o.After = f.prefix + o.After
	}
	var keys []string
	for object, err := range f.bucket.List(f.ctx, o) {
		if err != nil {
			f.Fatalf("list: %v", err)
		}
		key := object.Key[len(f.prefix):]
		if object.Prefix {
			key += "*"
		}
		keys = append(keys, key)
	}
	return keys
}

// onlyReader hides that a reader knows its length.
type onlyReader struct{ io.Reader }
