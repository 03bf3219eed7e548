package cos_test

import (
	"bytes"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

const (
	bucketName = "faults-1250000000"
	mib        = 1 << 20
)

// world is a COS server that things go wrong with, and a client of it.
type world struct {
	*testing.T
	*cos.Bucket
	server *localcos.Server

	mu    sync.Mutex
	seen  []string // method and path of every request
	fault func(n int, r *http.Request) *localcos.Fault
}

// newWorld starts a server. fault is asked about the nth request, from 1 on,
// and may be nil.
func newWorld(t *testing.T, fault func(n int, r *http.Request) *localcos.Fault, change func(*cos.Config)) *world {
	t.Helper()
	w := &world{T: t, fault: fault}
	var err error
	w.server, err = localcos.New(localcos.Config{
		Dir: t.TempDir(), Buckets: []string{bucketName}, Fault: w.ask, Unsigned: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.server.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := w.server.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	config := cos.Config{
		Bucket: bucketName, Region: localcos.DefaultRegion, Endpoint: w.server.URL(), BackOff: time.Millisecond,
		Credentials: cos.Static("id", secret.New("key")), PartSize: mib,
	}
	if change != nil {
		change(&config)
	}
	if w.Bucket, err = cos.Open(config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Bucket.Close)
	return w
}

func (w *world) ask(r *http.Request) *localcos.Fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, r.Method+" "+r.URL.Path)
	if w.fault == nil {
		return nil
	}
	return w.fault(len(w.seen), r)
}

// heal ends the faults, and forgets the requests.
func (w *world) heal() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault, w.seen = nil, nil
}

func (w *world) requests() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.seen)
}

// has checks the content of an object, without faults.
func (w *world) has(key string, want []byte) {
	w.Helper()
	w.heal()
	body, _, err := w.Get(w.Context(), key)
	if err != nil {
		w.Fatal(err)
	}
	got, err := io.ReadAll(body)
	if err != nil || !bytes.Equal(got, want) {
		w.Errorf("%s has %d bytes (%v), not the %d that were put", key, len(got), err, len(want))
	}
	_ = body.Close()
}

// uploads counts the uploads that were not given up.
func (w *world) uploads() int {
	w.Helper()
	w.heal()
	answer := httptest.NewRecorder()
	w.server.ServeHTTP(answer, httptest.NewRequestWithContext(w.Context(), http.MethodGet, "http://"+bucketName+".localhost/?uploads", nil))
	var list struct{ Upload []struct{ Key string } }
	if err := xml.Unmarshal(answer.Body.Bytes(), &list); err != nil {
		w.Fatal(err)
	}
	return len(list.Upload)
}

// content of a length; no two MiB of it are the same.
func content(length int) []byte {
	data := make([]byte, length)
	for i := range data {
		data[i] = byte(i>>20) ^ byte(i*i>>7) ^ byte(i)
	}
	return data
}
