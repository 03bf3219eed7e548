package transcode_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/media"
	"github.com/scf-etl/scf-etl/pkg/media/transcode"
)

func TestRun(t *testing.T) {
	t.Parallel()

	t.Run("a process that dies at any request leaves nothing that the next one does not mend", func(t *testing.T) {
		t.Parallel()
		content := clip(t, clips.short)
		// why not all: each costs several processes. Over the runs of CI all are taken.
		const stride = 7
		begin := rand.Int64N(stride)
		t.Logf("every case n with n %% %d = %d", stride, begin)
		for n := begin; ; n += stride {
			dies, heard := n/2+1, n%2 == 1 // heard: whether the request had an effect
			s := newStore(t)
			s.put("in/a.mkv", content)
			var made atomic.Int64
			s.failing(func(*http.Request) *localcos.Fault {
				switch n := made.Add(1); {
				case n == dies && heard:
					return &localcos.Fault{Drop: true}
				case n >= dies:
					return &localcos.Fault{Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable"}
				}
				return nil
			})
			_, err := s.engine(nil).Run(t.Context(), request("in/a.mkv", "thumbnail"))
			s.failing(nil)
			if made.Load() < dies {
				if dies < 5 {
					t.Errorf("a run makes %d requests", made.Load())
				}
				return
			}
			result, again := s.engine(nil).Run(t.Context(), request("in/a.mkv", "thumbnail"))
			if again != nil || len(result.Failed) > 0 || len(result.Made)+len(result.Done) != 1 {
				t.Errorf("died at request %d (%v): then %+v, %v", dies, err, result, again)
			}
			left := s.keys("transcode.work/")
			if len(result.Made) > 0 || len(left) > 0 && !strings.Contains(left[0], "attempt-") {
				s.want("transcoded/in/a.mkv/thumbnail.jpg")
			}
		}
	})

	t.Run("an input that is replaced meanwhile has no output of the old version", func(t *testing.T) {
		t.Parallel()
		first, second := clip(t, clips.short), clip(t, clips.other)
		for at := int64(1); at <= 4; at++ {
			s := newStore(t)
			s.put("in/a.mkv", first)
			var read atomic.Int64
			var etag string
			s.failing(func(r *http.Request) *localcos.Fault {
				if strings.HasSuffix(r.URL.Path, "/in/a.mkv") && r.Method != http.MethodPut && read.Add(1) == at {
					etag = s.put("in/a.mkv", second)
				}
				return nil
			})
			result, err := s.engine(nil).Run(t.Context(), request("in/a.mkv", "audio-mp3"))
			if err != nil || at > 1 && result.Skipped == "" {
				t.Errorf("replaced before read %d: %+v, %v", at, result, err)
			}
			s.failing(nil)
			if _, err := s.engine(nil).Run(t.Context(), request("in/a.mkv", "audio-mp3")); err != nil {
				t.Error(err)
			}
			s.want("transcoded/in/a.mkv/audio-mp3.mp3")
			if o, err := s.bucket.Head(t.Context(), "transcoded/in/a.mkv/audio-mp3.mp3"); err != nil || o.Metadata["etl-input-etag"] != etag {
				t.Errorf("the output is of %v, want %s: %v", o.Metadata, etag, err)
			}
		}
	})

	t.Run("a new version of an input replaces its segments, and one that is sent again nothing", func(t *testing.T) {
		t.Parallel()
		s := newStore(t)
		s.put("in/a.mkv", clip(t, clips.short))
		if _, err := s.engine(nil).Run(t.Context(), request("in/a.mkv", "hls-720p")); err != nil {
			t.Fatal(err)
		}
		before := s.keys("transcoded/")
		s.put("in/a.mkv", clip(t, clips.other))
		for range 2 {
			if _, err := s.engine(nil).Run(t.Context(), request("in/a.mkv", "hls-720p")); err != nil {
				t.Fatal(err)
			}
		}
		after := s.keys("transcoded/")
		if len(before) != 2 || len(after) != 2 || before[0] != after[0] || before[1] == after[1] {
			t.Errorf("before %q, after %q", before, after)
		}
		body, _, err := s.bucket.Get(t.Context(), "transcoded/in/a.mkv/hls-720p/index.m3u8")
		if err != nil {
			t.Fatal(err)
		}
		defer body.Close()
		playlist, err := io.ReadAll(body)
		if err != nil || !strings.Contains(string(playlist), "\n"+strings.TrimPrefix(after[1], "transcoded/in/a.mkv/hls-720p/")+"\n") {
			t.Errorf("%v: %s does not name %s", err, playlist, after[1])
		}
	})

	t.Run("a job that has killed its process as often as it may is in the dead letter, and can be sent again", func(t *testing.T) {
		t.Parallel()
		s := newStore(t)
		s.put("in/a.mkv", clip(t, clips.short))
		killed := func() { // after the attempt was put, and before anything else
			var made atomic.Int64
			s.failing(func(r *http.Request) *localcos.Fault {
				if made.Load() > 0 || r.Method == http.MethodPut && made.Add(1) > 1 {
					return &localcos.Fault{Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable"}
				}
				return nil
			})
			_, err := s.engine(nil).Run(t.Context(), request("in/a.mkv", "thumbnail"))
			if err == nil {
				t.Error("it was not killed")
			}
			s.failing(nil)
		}
		for range 3 {
			killed()
		}
		result, err := s.engine(later).Run(t.Context(), request("in/a.mkv", "thumbnail"))
		if err != nil || len(result.Failed) != 1 || !strings.Contains(result.Failed[0].Error, transcode.ErrKills.Error()) {
			t.Fatalf("%+v, %v", result, err)
		}
		s.want(result.Failed[0].Object)
		if result, err = s.engine(nil).Run(t.Context(), request("in/a.mkv", "thumbnail")); err != nil || len(result.Made) != 1 {
			t.Errorf("sent again: %+v, %v", result, err)
		}
	})

	t.Run("a dead letter has the request, the exit code and the last lines, and goes when the job is done at last", func(t *testing.T) {
		t.Parallel()
		s := newStore(t)
		s.put("in/bad.mkv", []byte("\x1a\x45\xdf\xa3"+strings.Repeat("x", 1000)))
		s.put("in/silent \"x\".mkv", clip(t, clips.short))
		result, err := s.engine(nil).Run(t.Context(), request("in/bad.mkv", "thumbnail", "gif"))
		if err != nil || len(result.Failed) != 1 {
			t.Fatalf("%+v, %v", result, err)
		}
		body, _, err := s.bucket.Get(t.Context(), result.Failed[0].Object)
		if err != nil {
			t.Fatal(err)
		}
		defer body.Close()
		var l transcode.Letter
		if err := json.NewDecoder(body).Decode(&l); err != nil {
			t.Fatal(err)
		}
		if l.Input != "in/bad.mkv" || l.ETag == "" || len(l.Request.Outputs) != 2 || l.Program != "ffprobe" || l.ExitCode == nil || *l.ExitCode != 1 || l.Stderr == "" {
			t.Errorf("%+v", l)
		}
		small := media.Limits{OutputBytes: 10}
		r := request("in/silent \"x\".mkv", "thumbnail")
		result, err = s.engine(func(c *transcode.Config) { c.Limits = small }).Run(t.Context(), r)
		if err != nil || len(result.Failed) != 1 {
			t.Fatalf("%+v, %v", result, err)
		}
		there := result.Failed[0].Object
		if _, err := s.engine(nil).Run(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if _, err := s.bucket.Head(t.Context(), there); err == nil {
			t.Error("the dead letter is still there")
		}
	})

	t.Run("what is wrong with a request is all in its dead letter", func(t *testing.T) {
		t.Parallel()
		s := newStore(t)
		for i, r := range []transcode.Request{
			{Input: "in/missing.mkv", Outputs: []transcode.Output{{Preset: "gif"}}},
			{Input: "in/a.mkv", Outputs: []transcode.Output{{Preset: "nonsense"}}},
			{Input: "in/a.mkv", Outputs: []transcode.Output{{Preset: "gif", Key: "in/a.gif"}}},
			{Input: "in/a.mkv", Outputs: []transcode.Output{{Preset: "gif", Key: "transcoded/../in/a.gif"}}},
			{Input: "in/a.mkv", Outputs: []transcode.Output{{Preset: "gif", Key: "transcoded/a"}, {Preset: "thumbnail", Key: "transcoded/a"}}},
			{Input: "in/a.mkv", Outputs: []transcode.Output{{Preset: "hls-720p", Key: "transcoded/a.m3u8"}}},
			{Input: strings.Repeat("a", cos.MaxKey), Outputs: []transcode.Output{{Preset: "gif"}}},
			{Input: "in/a.mkv"},
		} {
			result, err := s.engine(nil).Run(t.Context(), r)
			if err != nil || len(result.Failed) != 1 {
				t.Errorf("%d: %+v, %v", i, result, err)
			}
		}
		if got := s.keys("transcoded/"); len(got) > 0 {
			t.Errorf("objects %q", got)
		}
	})

	t.Run("a service that does not answer is no fault of the input", func(t *testing.T) {
		t.Parallel()
		s := newStore(t)
		s.failing(func(*http.Request) *localcos.Fault { return &localcos.Fault{Status: 503, Code: "SlowDown"} })
		if result, err := s.engine(nil).Run(t.Context(), request("in/a.mkv", "gif")); err == nil {
			t.Errorf("%+v", result)
		}
		s.failing(nil)
		s.want()
	})
}

func TestMessage(t *testing.T) {
	t.Parallel()
	t.Run("a message is a request or a piece, and is encoded as it is read", func(t *testing.T) {
		t.Parallel()
		for text, want := range map[string]string{
			`{"input":"a","outputs":["gif",{"preset":"thumbnail","key":"transcoded/x"}]}`:             `{"input":"a","outputs":[{"preset":"gif"},{"preset":"thumbnail","key":"transcoded/x"}]}`,
			`{"piece":{"job":"0123456789abcdef0123456789abcdef","output":"transcoded/x","number":3}}`: `{"piece":{"job":"0123456789abcdef0123456789abcdef","output":"transcoded/x","number":3}}`,
		} {
			m, err := transcode.ParseMessage([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := json.Marshal(m); err != nil || string(got) != want {
				t.Errorf("got %s, %v", got, err)
			}
		}
	})
	t.Run("what is none is refused", func(t *testing.T) {
		t.Parallel()
		for _, text := range []string{
			"", "null", "[]", `{}`, `{"input":"a"}`, `{"input":"","outputs":["gif"]}`, `{"input":"a","outputs":[]}`, `{"input":"a","outputs":["gif"],"x":1}`,
			`{"input":"a","outputs":[{"preste":"gif"}]}`, `{"input":"a","outputs":["gif"]} {}`, `{"input":1,"outputs":["gif"]}`,
			`{"piece":{"job":"../x","output":"a","number":0}}`, `{"piece":{"job":"0123456789abcdef0123456789abcdef","output":"a","number":-1}}`,
			`{"piece":{"job":"0123456789abcdef0123456789abcdef","output":"a","number":1},"input":"a"}`,
			`{"input":"a","outputs":[` + strings.Repeat(`"gif",`, 40) + `"gif"]}`, `{"input":"` + strings.Repeat("a", 70<<10) + `"}`,
		} {
			if m, err := transcode.ParseMessage([]byte(text)); err == nil {
				t.Errorf("%.80s is %+v", text, m)
			}
		}
	})
}

func FuzzMessage(f *testing.F) {
	f.Add([]byte(`{"input":"a","outputs":["gif",{"preset":"thumbnail","key":"transcoded/x"}]}`))
	f.Add([]byte(`{"piece":{"job":"0123456789abcdef0123456789abcdef","output":"transcoded/x","number":3}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := transcode.ParseMessage(text)
		if err != nil {
			return
		}
		encoded, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		again, err := transcode.ParseMessage(encoded)
		if err != nil || fmt.Sprintf("%+v", again.Request) != fmt.Sprintf("%+v", m.Request) {
			t.Errorf("%s: %+v, %v", encoded, again, err)
		}
	})
}
