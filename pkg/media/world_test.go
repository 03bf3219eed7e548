package media_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/media"
)

// tools finds FFmpeg, or skips the test.
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

// samples are files that were made once for all tests.
type samples struct {
	mu  sync.Mutex
	dir string
}

// made holds the samples of this process; TestMain removes them.
var made samples

func TestMain(m *testing.M) {
	code := m.Run()
	if made.dir != "" {
		os.RemoveAll(made.dir)
	}
	os.Exit(code)
}

// sample makes a file with ffmpeg, once: its name says the container, args are what stands
// between the inputs and the name.
func sample(t testing.TB, name string, args ...string) string {
	t.Helper()
	made.mu.Lock()
	defer made.mu.Unlock()
	if made.dir == "" {
		dir, err := os.MkdirTemp("", "media-samples-")
		if err != nil {
			t.Fatal(err)
		}
		made.dir = dir
	}
	path := filepath.Join(made.dir, name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	all := append([]string{"-hide_banner", "-nostdin", "-v", "error"}, args...)
	out, err := exec.Command(tools(t).FFmpeg, append(all, "file:"+path)...).CombinedOutput()
	if err != nil {
		t.Fatalf("make %s: %v: %s", name, err, out)
	}
	return path
}

// clip are the arguments of seconds of a test picture with a tone.
func clip(size string, seconds float64, codecs ...string) []string {
	return append([]string{
		"-f", "lavfi", "-i", fmt.Sprintf("testsrc=size=%s:rate=25:duration=%g", size, seconds),
		"-f", "lavfi", "-i", fmt.Sprintf("sine=frequency=440:duration=%g", seconds),
	}, codecs...)
}

var h264 = []string{"-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "25", "-c:a", "aac"}

// job is a folder and what was put.
type job struct {
	folder *media.Folder
	parent string
	mu     sync.Mutex
	files  map[string][]byte
	order  []string
}

func newJob(t testing.TB) *job {
	t.Helper()
	parent := t.TempDir()
	folder, err := media.NewFolder(parent, 64<<20)
	if err != nil {
		t.Fatal(err)
	}
	return &job{folder: folder, parent: parent, files: map[string][]byte{}}
}

// put keeps a file that came to its end.
func (j *job) put(_ context.Context, f media.File, body io.Reader) error {
	content, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.files[f.Name] = content
	j.order = append(j.order, f.Name)
	return nil
}

// close removes the folder and looks that nothing is left.
func (j *job) close(t testing.TB) {
	t.Helper()
	if err := j.folder.Close(); err != nil {
		t.Error(err)
	}
	left, err := os.ReadDir(j.parent)
	if err != nil || len(left) > 0 {
		t.Errorf("left in the folder for temporary files: %v, %v", left, err)
	}
}

func (j *job) transcode(t testing.TB, path, preset string, limits media.Limits) (media.Output, error) {
	t.Helper()
	source, err := media.OpenLocal(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	in, err := tools(t).Open(ctx, j.folder, source, limits)
	if err != nil {
		return media.Output{}, err
	}
	return in.Transcode(ctx, media.Task{Preset: media.Presets()[preset], Put: j.put, Segments: "a-"})
}

// describe asks ffprobe about a file.
func describe(t testing.TB, content []byte, entries string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(tools(t).FFprobe, "-v", "error", "-show_entries", entries, "-of", "csv=p=0", "file:"+path).Output()
	if err != nil {
		t.Fatalf("ffprobe: %v", err)
	}
	return string(bytes.TrimSpace(out))
}
