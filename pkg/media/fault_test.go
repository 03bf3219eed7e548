package media_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/media"
)

// memory is a source of what is in memory.
type memory []byte

func (m memory) Size() int64 { return int64(len(m)) }

func (m memory) Open(_ context.Context, offset, length int64) (io.ReadCloser, error) {
	if length < 0 {
		length = m.Size() - offset
	}
	return io.NopCloser(bytes.NewReader(m[offset : offset+length])), nil
}

// canary is a server that nobody may connect to.
type canary struct {
	net.Listener
	seen atomic.Int32
}

func newCanary(t *testing.T) *canary {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &canary{Listener: l}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			c.seen.Add(1)
			conn.Close()
		}
	}()
	t.Cleanup(func() { l.Close() })
	return c
}

func TestHostileInput(t *testing.T) {
	t.Parallel()
	secret := sample(t, "a.ts", clip("320x240", seconds, h264...)...) // it would make a good output
	server := newCanary(t)
	address := "http://" + server.Addr().String() + "/internal.ts"
	hls := func(target string) string {
		return "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n" + target + "\n#EXT-X-ENDLIST\n"
	}
	crafted := map[string]string{}
	for kind, target := range map[string]string{"a file": "file://" + secret, "a path": secret, "an address": address, "a concat protocol": "concat:" + secret} {
		crafted["a playlist of HLS that points at "+kind] = hls(target)
		crafted["a list of concat that points at "+kind] = "ffconcat version 1.0\nfile '" + target + "'\n"
		crafted["a manifest of DASH that points at "+kind] = `<?xml version="1.0"?><MPD><Period><AdaptationSet><Representation><BaseURL>` + target + `</BaseURL></Representation></AdaptationSet></Period></MPD>`
		crafted["an SDP that points at "+kind] = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=" + target + "\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
	}
	for name, text := range map[string]string{
		"zero bytes": "", "text": "this is no video", "a program": "\x7fELF\x02\x01\x01", "a picture": "\xff\xd8\xff\xe0\x00\x10JFIF", "another picture": "\x89PNG\r\n\x1a\n",
		"a pattern of pictures": "%05d.jpg", "a web page": "<html></html>", "a picture that reads files": `<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>`,
		"one byte": "\x00", "a file of zeros": strings.Repeat("\x00", 10000),
	} {
		crafted[name] = text
	}
	for name, text := range crafted {
		t.Run(name+" is refused before any process is started", func(t *testing.T) {
			t.Parallel()
			j := newJob(t)
			defer j.close(t)
			nowhere := media.Tools{FFmpeg: "/nowhere/ffmpeg", FFprobe: "/nowhere/ffprobe"}
			_, err := nowhere.Open(t.Context(), j.folder, memory(text), media.Limits{})
			if !errors.Is(err, media.ErrFormat) || !media.IsInput(err) {
				t.Errorf("got %v", err)
			}
		})
	}

	// The begin of a format that is taken, and a playlist behind it: FFmpeg sees it, and is held to
	// the format.
	for name, begin := range map[string]string{
		"an MP3": "ID3\x03\x00\x00\x00\x00\x00\x00", "an AVI": "RIFF\x00\x01\x00\x00AVI LIST", "a Matroska": "\x1a\x45\xdf\xa3", "an Ogg": "OggS",
		"an FLV": "FLV\x01\x05\x00\x00\x00\x09", "an MPEG": "\x00\x00\x01\xba", "a FLAC": "fLaC", "a WAV": "RIFF\x00\x01\x00\x00WAVEfmt ", "an AAC": "\xff\xf1\x50\x80",
		"an MPEG-TS": "G" + strings.Repeat("\x00", 187) + "G" + strings.Repeat("\x00", 187) + "G",
		"an MP4":     "\x00\x00\x00\x08free\x00\x00\x00\x08moov",
	} {
		t.Run(name+" with a playlist in it fails, and nothing is opened", func(t *testing.T) {
			t.Parallel()
			j := newJob(t)
			defer j.close(t)
			tools := tools(t)
			targets := []string{address}
			if strings.Contains("an MPEG-TS, a Matroska", name) {
				targets = append(targets, secret)
			}
			for _, target := range targets {
				in, err := tools.Open(t.Context(), j.folder, memory(begin+hls(target)+strings.Repeat(hls(target), 50)), media.Limits{})
				if err == nil {
					_, err = in.Transcode(t.Context(), media.Task{Preset: media.Presets()["h264-720p"], Put: j.put})
				}
				if !media.IsInput(err) {
					t.Errorf("got %v", err)
				}
			}
			if len(j.files) > 0 {
				t.Errorf("put were %q", j.order)
			}
		})
	}
	t.Cleanup(func() {
		if n := server.seen.Load(); n > 0 {
			t.Errorf("FFmpeg has connected to an internal address %d times", n)
		}
	})
}

func TestDamagedInput(t *testing.T) {
	t.Parallel()
	whole := func(name string, args ...string) []byte {
		content, err := os.ReadFile(sample(t, name, args...))
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	front := whole("front.mp4", clip("320x240", 4, append(h264, "-movflags", "+faststart")...)...)
	behind := whole("behind.mp4", clip("320x240", 4, h264...)...)
	mkv := whole("four.mkv", clip("320x240", 4, h264...)...)
	small := whole("small.ts", clip("160x120", 1, h264...)...)
	large := whole("large.ts", clip("1280x720", 1, h264...)...)
	for name, c := range map[string]struct {
		content []byte
		limits  media.Limits
		preset  string
		want    error
		next    bool // another job follows in the same folder
	}{
		"an MP4 that was cut short behind its index":   {content: front[:len(front)*6/10], want: media.ErrOutput, next: true},
		"an MP4 that was cut short before its index":   {content: behind[:len(behind)*6/10], want: media.ErrFormat, next: true},
		"an MP4 that was cut short in its index":       {content: behind[:len(behind)-100], want: media.ErrFormat},
		"an MP4 that was cut short in its first box":   {content: front[:20], want: media.ErrFormat},
		"a Matroska that was cut short":                {content: mkv[:len(mkv)*6/10], want: media.ErrOutput},
		"a video whose frames become larger":           {content: append(bytes.Clone(small), large...), limits: media.Limits{Pixels: 640 * 480}, want: nil, next: true},
		"frames that are too large":                    {content: large, limits: media.Limits{Pixels: 640 * 480}, want: media.ErrLimit},
		"a video that is too long":                     {content: mkv, limits: media.Limits{Duration: time.Second}, want: media.ErrLimit},
		"a video with too many frames a second":        {content: mkv, limits: media.Limits{FrameRate: 20}, want: media.ErrLimit},
		"a video with too many streams":                {content: mkv, limits: media.Limits{Streams: 1}, want: media.ErrLimit},
		"a file that is too large":                     {content: mkv, limits: media.Limits{InputBytes: 1000}, want: media.ErrLimit},
		"an output that is too large":                  {content: mkv, limits: media.Limits{OutputBytes: 1000}, want: media.ErrLimit},
		"segments that are too large":                  {content: mkv, limits: media.Limits{OutputBytes: 1000}, preset: "hls-720p", want: media.ErrLimit},
		"a decoder that wants more memory than it may": {content: large, limits: media.Limits{Memory: 24 << 20}, want: nil, next: true},
		"sound without video, where video is wanted":   {content: whole("sound.mp3", "-f", "lavfi", "-i", "sine=duration=1"), want: media.ErrStream},
		"video without sound, where sound is wanted": {content: whole("silent.mkv", "-f", "lavfi", "-i", "testsrc=duration=1:size=160x120"), preset: "audio-mp3",
			want: media.ErrStream},
	} {
		t.Run(name+" is a fault of the input, nothing is put, and the next job is unharmed", func(t *testing.T) {
			t.Parallel()
			j := newJob(t)
			preset := c.preset
			if preset == "" {
				preset = "h264-720p"
			}
			run := func(content []byte, limits media.Limits, preset string) error {
				in, err := tools(t).Open(t.Context(), j.folder, memory(content), limits)
				if err == nil {
					_, err = in.Transcode(t.Context(), media.Task{Preset: media.Presets()[preset], Put: j.put})
				}
				return err
			}
			err := run(c.content, c.limits, preset)
			if !media.IsInput(err) || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if _, whole := j.files[""]; whole {
				t.Errorf("put were %q", j.order)
			}
			if c.next {
				if err := run(small, media.Limits{}, "thumbnail"); err != nil {
					t.Errorf("the next job: %v", err)
				}
			}
			j.close(t)
		})
	}
}

func TestRoom(t *testing.T) {
	t.Parallel()
	path := sample(t, "behind.mp4", clip("320x240", 4, h264...)...)
	source, err := media.OpenLocal(path)
	if err != nil {
		t.Fatal(err)
	}
	job := func(t *testing.T, budget int64) *media.Folder {
		folder, err := media.NewFolder(t.TempDir(), budget)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { folder.Close() })
		return folder
	}
	t.Run("an input that has to be copied and has no room is refused before anything is read", func(t *testing.T) {
		t.Parallel()
		if _, err := tools(t).Open(t.Context(), job(t, 1000), source, media.Limits{}); !errors.Is(err, media.ErrNoRoom) || !media.IsInput(err) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("an output that outgrows its room ends", func(t *testing.T) {
		t.Parallel()
		content, err := os.ReadFile(sample(t, "four.mkv", clip("320x240", 4, h264...)...))
		if err != nil {
			t.Fatal(err)
		}
		in, err := tools(t).Open(t.Context(), job(t, 10_000), memory(content), media.Limits{TempBytes: 10_000})
		if err != nil {
			t.Fatal(err)
		}
		_, err = in.Transcode(t.Context(), media.Task{Preset: media.Presets()["gif"], Put: func(context.Context, media.File, io.Reader) error {
			t.Error("it was put")
			return nil
		}})
		if !media.IsInput(err) {
			t.Errorf("got %v", err)
		}
	})
}

func TestProcessError(t *testing.T) {
	t.Parallel()
	t.Run("the exit code and the last lines of a run that failed are in its error", func(t *testing.T) {
		t.Parallel()
		j := newJob(t)
		defer j.close(t)
		_, err := tools(t).Open(t.Context(), j.folder, memory("\x1a\x45\xdf\xa3"+strings.Repeat("x", 1000)), media.Limits{})
		var failed *media.ProcessError
		if !errors.As(err, &failed) || failed.Code != 1 || failed.Program != "ffprobe" || !strings.Contains(failed.Stderr, "Invalid data") {
			t.Errorf("got %v, %+v", err, failed)
		}
	})
	t.Run("a program that is gone is no fault of the input", func(t *testing.T) {
		t.Parallel()
		j := newJob(t)
		defer j.close(t)
		nowhere := media.Tools{FFmpeg: "/nowhere/ffmpeg", FFprobe: "/nowhere/ffprobe"}
		_, err := nowhere.Open(t.Context(), j.folder, memory("\x1a\x45\xdf\xa3"+strings.Repeat("x", 1000)), media.Limits{})
		if !errors.Is(err, media.ErrNoFFmpeg) || media.IsInput(err) {
			t.Errorf("got %v", err)
		}
	})
}

// broken is a source that fails after some bytes.
type broken struct {
	memory
	after int64
}

var errTorn = errors.New("torn")

func (b broken) Open(ctx context.Context, offset, length int64) (io.ReadCloser, error) {
	body, err := b.memory.Open(ctx, offset, length)
	if length >= 0 {
		return body, err
	}
	return io.NopCloser(io.MultiReader(io.LimitReader(body, b.after), failing{})), err
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errTorn }

func TestFaultsOfTheStore(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(sample(t, "four.mkv", clip("320x240", 4, h264...)...))
	if err != nil {
		t.Fatal(err)
	}
	for _, preset := range []string{"h264-720p", "hls-720p", "gif"} {
		t.Run(preset+": an input that cannot be read to its end is no fault of the input, and nothing is whole", func(t *testing.T) {
			t.Parallel()
			j := newJob(t)
			in, err := tools(t).Open(t.Context(), j.folder, broken{content, int64(len(content)) / 2}, media.Limits{})
			if err == nil {
				_, err = in.Transcode(t.Context(), media.Task{Preset: media.Presets()[preset], Put: j.put})
			}
			if !errors.Is(err, errTorn) || media.IsInput(err) {
				t.Errorf("got %v", err)
			}
			if _, whole := j.files[""]; whole {
				t.Errorf("put were %q", j.order)
			}
			j.close(t)
		})
		t.Run(preset+": an output that cannot be put ends the run with that error", func(t *testing.T) {
			t.Parallel()
			j := newJob(t)
			in, err := tools(t).Open(t.Context(), j.folder, memory(content), media.Limits{})
			if err == nil {
				_, err = in.Transcode(t.Context(), media.Task{Preset: media.Presets()[preset], Put: func(_ context.Context, _ media.File, body io.Reader) error {
					_, _ = body.Read(make([]byte, 100))
					return errTorn
				}})
			}
			if !errors.Is(err, errTorn) || media.IsInput(err) {
				t.Errorf("got %v", err)
			}
			nobodyIn(t, j)
			j.close(t)
		})
	}
}

// nobodyIn fails where a process runs in the folder of a job.
func nobodyIn(t *testing.T, j *job) {
	t.Helper()
	if pids := processesIn(t, j); len(pids) > 0 {
		t.Errorf("processes %v still run", pids)
	}
}

// processesIn are the processes whose working directory is the folder of a job.
func processesIn(t *testing.T, j *job) []string {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		t.Fatal(err)
	}
	var pids []string
	for _, link := range links {
		if dir, err := os.Readlink(link); err == nil && strings.HasPrefix(dir, j.parent+"/") {
			pids = append(pids, filepath.Base(filepath.Dir(link)))
		}
	}
	return pids
}

// stuck is a source that, once it is armed, gives some bytes and then nothing until it is told
// to, or its context ends.
type stuck struct {
	memory
	after int64
	armed *atomic.Bool
	told  chan struct{}
}

func newStuck(content []byte, after int) stuck {
	return stuck{memory(content), int64(after), &atomic.Bool{}, make(chan struct{})}
}

func (s stuck) Open(ctx context.Context, offset, length int64) (io.ReadCloser, error) {
	body, err := s.memory.Open(ctx, offset, length)
	if length >= 0 || !s.armed.Load() {
		return body, err
	}
	return io.NopCloser(io.MultiReader(io.LimitReader(body, s.after), waiting{ctx, s.told}, body)), err
}

type waiting struct {
	ctx  context.Context
	told chan struct{}
}

func (w waiting) Read([]byte) (int, error) {
	select {
	case <-w.told:
		return 0, io.EOF
	case <-w.ctx.Done():
		return 0, context.Cause(w.ctx)
	}
}

// open looks into the source, and arms it.
func (s stuck) open(t *testing.T, j *job, limits media.Limits) *media.Input {
	t.Helper()
	in, err := tools(t).Open(t.Context(), j.folder, s, limits)
	if err != nil {
		t.Fatal(err)
	}
	s.armed.Store(true)
	return in
}

// eventually polls until there is no error, for as long as a busy machine may take.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	deadline, tick := time.After(2*time.Minute), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			t.Error(err)
			return
		case <-tick.C:
		}
	}
}

func TestChild(t *testing.T) {
	t.Parallel()
	long := sample(t, "twenty.mkv", clip("160x120", 20, h264...)...)
	content, err := os.ReadFile(long)
	if err != nil {
		t.Fatal(err)
	}

	t.Run("the first byte of an output is put before the last of the input is read", func(t *testing.T) {
		t.Parallel()
		for _, preset := range []string{"h264-720p", "hls-720p", "audio-mp3", "audio-aac"} {
			j := newJob(t)
			source := newStuck(content, len(content)*9/10)
			in := source.open(t, j, media.Limits{})
			told := false
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			_, err := in.Transcode(ctx, media.Task{Preset: media.Presets()[preset], Put: func(ctx context.Context, f media.File, body io.Reader) error {
				first := make([]byte, 1)
				if _, err := io.ReadFull(body, first); err != nil {
					return err
				}
				if !told {
					close(source.told) // only now the rest of the input can be read
					told = true
				}
				return j.put(ctx, f, body)
			}})
			cancel()
			if err != nil {
				t.Errorf("%s: %v", preset, err)
			}
			j.close(t)
		}
	})

	t.Run("it has nothing of the environment, and bounds on what it may use", func(t *testing.T) {
		t.Parallel()
		if _, err := os.Stat("/proc/self/limits"); err != nil {
			t.Skip("the system has no /proc")
		}
		j := newJob(t)
		source := newStuck(content, len(content)/2)
		in := source.open(t, j, media.Limits{Memory: 1 << 30, TempBytes: 12345678})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		defer cancel()
		ended := make(chan error, 1)
		go func() {
			_, err := in.Transcode(ctx, media.Task{Preset: media.Presets()["h264-720p"], Put: j.put})
			ended <- err
		}()
		eventually(t, func() error {
			pids := processesIn(t, j)
			if len(pids) < 2 { // ffmpeg, and the ffprobe that looks at what it writes
				return fmt.Errorf("%d processes are in the folder, want 2", len(pids))
			}
			var faults []error
			for _, pid := range pids {
				faults = append(faults, confined(pid))
			}
			return errors.Join(faults...)
		})
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) || media.IsInput(err) {
			t.Errorf("got %v", err)
		}
		nobodyIn(t, j)
		j.close(t)
	})

	t.Run("it is killed at the deadline, which is no fault of the input", func(t *testing.T) {
		t.Parallel()
		for _, preset := range []string{"h264-720p", "hls-720p", "gif"} {
			j := newJob(t)
			source := newStuck(content, len(content)/8)
			in := source.open(t, j, media.Limits{})
			late := fmt.Errorf("late: %w", context.DeadlineExceeded)
			ctx, cancel := context.WithTimeoutCause(t.Context(), 300*time.Millisecond, late)
			_, err := in.Transcode(ctx, media.Task{Preset: media.Presets()[preset], Put: j.put})
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) || media.IsInput(err) {
				t.Errorf("%s: got %v", preset, err)
			}
			if len(j.files) > 0 {
				t.Errorf("%s: put were %q", preset, j.order)
			}
			nobodyIn(t, j)
			j.close(t)
		}
	})

	t.Run("how far it is, is told up to the end", func(t *testing.T) {
		t.Parallel()
		j := newJob(t)
		in, err := tools(t).Open(t.Context(), j.folder, memory(content), media.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		var last media.Progress
		_, err = in.Transcode(t.Context(), media.Task{Preset: media.Presets()["h264-720p"], Put: j.put, Progress: func(p media.Progress) { last = p }})
		if err != nil || !last.Done || last.Time < 19*time.Second || last.Frames < 490 {
			t.Errorf("last %+v, %v", last, err)
		}
		j.close(t)
	})
}

// confined looks at what a child has of the environment, and at its limits.
func confined(pid string) error {
	environ, err := os.ReadFile("/proc/" + pid + "/environ")
	if err != nil || len(environ) > 0 && !bytes.HasPrefix(environ, []byte("LD_LIBRARY_PATH=")) {
		return fmt.Errorf("environment %q, %v", environ, err)
	}
	limits, err := os.ReadFile("/proc/" + pid + "/limits")
	if err != nil {
		return err
	}
	for _, want := range []string{"Max data size 1073741824 1073741824", "Max file size 12345678 12345678", "Max open files 64 64", "Max core file size 0 0"} {
		if !strings.Contains(strings.Join(strings.Fields(string(limits)), " "), want) {
			return fmt.Errorf("no %q in\n%s", want, limits)
		}
	}
	return nil
}

func TestFolder(t *testing.T) {
	t.Parallel()
	t.Run("what a killed job has left is removed by the next one, and a living one is left alone", func(t *testing.T) {
		t.Parallel()
		parent := t.TempDir()
		dead := filepath.Join(parent, "etl-media-dead")
		if err := os.MkdirAll(filepath.Join(dead, "sub"), 0o755); err != nil {
			t.Fatal(err)
		}
		other := filepath.Join(parent, "other")
		if err := os.Mkdir(other, 0o755); err != nil {
			t.Fatal(err)
		}
		first, err := media.NewFolder(parent, 1)
		if err != nil {
			t.Fatal(err)
		}
		second, err := media.NewFolder(parent, 1)
		if err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(parent)
		if err != nil || len(entries) != 3 {
			t.Errorf("%v, %v: want the folders of two jobs, and what is none", entries, err)
		}
		if err := errors.Join(first.Close(), second.Close()); err != nil {
			t.Error(err)
		}
	})
}
