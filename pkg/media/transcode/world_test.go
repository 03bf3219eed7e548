package transcode_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/media"
	"github.com/scf-etl/scf-etl/pkg/media/transcode"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

const bucketName = "media-1250000000"

func tools(t testing.TB) media.Tools {
	t.Helper()
	found, err := media.DefaultPlaces().Find()
	if err != nil {
		if os.Getenv("ETL_REQUIRE_DOCKER") == "1" {
			t.Fatal(err)
		}
		t.Skipf("runs FFmpeg: install Debian's ffmpeg (%v)", err)
	}
	return found
}

// clips has each clip made once for all tests.
var clips = struct {
	short, other, long func() ([]byte, error)
}{
	sync.OnceValues(func() ([]byte, error) { return makeClip(0.4, 440) }),
	sync.OnceValues(func() ([]byte, error) { return makeClip(0.4, 880) }),
	sync.OnceValues(func() ([]byte, error) { return makeClip(2, 440) }),
}

// clip is a small video with sound.
func clip(t testing.TB, made func() ([]byte, error)) []byte {
	t.Helper()
	tools(t)
	content, err := made()
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func makeClip(seconds float64, frequency int) ([]byte, error) {
	found, err := media.DefaultPlaces().Find()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "clip")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "clip.mkv")
	out, err := exec.Command(found.FFmpeg, "-v", "error", "-f", "lavfi", "-i", fmt.Sprintf("testsrc=size=96x64:rate=25:duration=%g", seconds),
		"-f", "lavfi", "-i", fmt.Sprintf("sine=frequency=%d:duration=%g", frequency, seconds), "-c:v", "libx264", "-preset", "ultrafast",
		"-g", "25", "-pix_fmt", "yuv420p", "-c:a", "aac", path).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	return os.ReadFile(path)
}

// store is a bucket whose requests can fail.
type store struct {
	t      *testing.T
	server *localcos.Server
	fault  atomic.Pointer[func(*http.Request) *localcos.Fault]
	bucket *cos.Bucket
	temp   string
	sent   struct {
		sync.Mutex
		pieces []transcode.Piece
	}
}

func newStore(t *testing.T) *store {
	t.Helper()
	tools(t)
	s := &store{t: t, temp: t.TempDir()}
	var err error
	s.server, err = localcos.New(localcos.Config{
		Dir: t.TempDir(), Buckets: []string{bucketName}, Keys: map[string]localcos.Key{"id": {Secret: secret.New("key")}},
		Fault: func(r *http.Request) *localcos.Fault {
			if f := s.fault.Load(); f != nil {
				return (*f)(r)
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.server.Close() })
	if err := s.server.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	s.bucket, err = cos.Open(cos.Config{
		Bucket: bucketName, Region: localcos.DefaultRegion, Endpoint: s.server.URL(), Credentials: cos.Static("id", secret.New("key")), Retries: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.bucket.Close)
	return s
}

// failing sets what goes wrong from now on; nil: nothing.
func (s *store) failing(f func(*http.Request) *localcos.Fault) {
	if f == nil {
		s.fault.Store(nil)
		return
	}
	s.fault.Store(&f)
}

// engine is that of a new process.
func (s *store) engine(change func(*transcode.Config)) *transcode.Engine {
	s.t.Helper()
	c := transcode.Config{Bucket: s.bucket, Tools: tools(s.t), Temp: s.temp, Publish: s.publish}
	if change != nil {
		change(&c)
	}
	e, err := transcode.New(c)
	if err != nil {
		s.t.Fatal(err)
	}
	return e
}

func (s *store) publish(_ context.Context, pieces []transcode.Piece) error {
	s.sent.Lock()
	defer s.sent.Unlock()
	s.sent.pieces = append(s.sent.pieces, pieces...)
	return nil
}

func (s *store) put(key string, content []byte) string {
	s.t.Helper()
	o, err := s.bucket.Put(s.t.Context(), key, bytes.NewReader(content), cos.PutOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	return o.ETag
}

func (s *store) keys(prefix string) []string {
	s.t.Helper()
	var keys []string
	for o, err := range s.bucket.List(s.t.Context(), cos.ListOptions{Prefix: prefix}) {
		if err != nil {
			s.t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	return keys
}

// keysWith are those of the state that have a text.
func (s *store) keysWith(text string) []string {
	s.t.Helper()
	return slices.DeleteFunc(s.keys("transcode.work/"), func(key string) bool { return !strings.Contains(key, text) })
}

// until waits until something is so.
func (s *store) until(so func() bool) {
	s.t.Helper()
	tick, late := time.NewTicker(5*time.Millisecond), time.After(3*time.Minute)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-late:
			s.t.Fatal("it is not so after minutes")
		}
	}
}

// want fails where other objects than these are there, or temporary files are left.
func (s *store) want(keys ...string) {
	s.t.Helper()
	if got := s.keys("transcode"); !slices.Equal(got, keys) {
		s.t.Errorf("objects %q, want %q", got, keys)
	}
	if left, err := os.ReadDir(s.temp); err != nil || len(left) > 0 {
		s.t.Errorf("temporary files %v, %v", left, err)
	}
}

func request(input string, presets ...string) transcode.Request {
	r := transcode.Request{Input: input}
	for _, p := range presets {
		r.Outputs = append(r.Outputs, transcode.Output{Preset: p})
	}
	return r
}
