package media_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/media"
)

// seconds of the clips that every preset is tried with.
const seconds = 2

func TestPresets(t *testing.T) {
	t.Parallel()
	inputs := map[string]string{
		// the index is behind the media: it is copied into the folder
		"a.mp4":  sample(t, "a.mp4", clip("320x240", seconds, h264...)...),
		"a.mkv":  sample(t, "a.mkv", clip("320x240", seconds, h264...)...),
		"a.webm": sample(t, "a.webm", clip("320x240", seconds, "-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libvorbis")...),
		"a.ts":   sample(t, "a.ts", clip("320x240", seconds, h264...)...),
	}
	for name, path := range inputs {
		presets := media.Names(media.Presets())
		if name != "a.mkv" { // what differs is how the input is read
			presets = []string{"h264-720p", "hls-720p", "thumbnail"}
		}
		for _, preset := range presets {
			t.Run(preset+" is made of "+name, func(t *testing.T) {
				t.Parallel()
				j := newJob(t)
				out, err := j.transcode(t, path, preset, media.Limits{})
				j.close(t)
				if err != nil {
					t.Fatal(err)
				}
				if out.Files != len(j.files) || j.order[len(j.order)-1] != "" {
					t.Errorf("%d files, put were %q", out.Files, j.order)
				}
				looked(t, j, preset)
			})
		}
	}
}

// streams are what an output has, by the name of its preset.
var streams = map[string]string{
	"h264-720p": "aac h264", "h264-1080p": "aac h264", "hls-720p": "aac h264", "audio-aac": "aac", "audio-mp3": "mp3",
	"thumbnail": "mjpeg", "contact-sheet": "mjpeg", "gif": "gif",
}

// looked has another ffprobe look at an output, without what this package has made of it.
func looked(t *testing.T, j *job, preset string) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "out"+media.Presets()[preset].Container.Extension())
	for name, content := range j.files {
		to := filepath.Join(dir, name)
		if name == "" {
			to = path
		}
		if err := os.WriteFile(to, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, err := exec.Command(tools(t).FFprobe, "-v", "error", "-show_entries", "stream=codec_name:format=duration", "-of", "csv", path).CombinedOutput()
	if err != nil {
		t.Fatalf("ffprobe: %v: %s", err, text)
	}
	codecs := map[string]bool{}
	length := 0.0
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimSpace(line), ",")
		switch fields[0] {
		case "stream":
			codecs[fields[1]] = true
		case "format":
			length, _ = strconv.ParseFloat(fields[1], 64)
		}
	}
	if got := strings.Join(slices.Sorted(maps.Keys(codecs)), " "); got != streams[preset] {
		t.Errorf("streams %s, want %s", got, streams[preset])
	}
	if strings.Contains("thumbnail contact-sheet", preset) {
		return
	}
	if length < seconds*0.95 || length > seconds*1.05+0.1 {
		t.Errorf("%v s long, want %d", length, seconds)
	}
}

func TestScale(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ size, preset, want string }{
		{"1920x1080", "h264-720p", "1280x720"},
		{"1920x1080", "h264-1080p", "1920x1080"},
		{"1080x1920", "h264-720p", "720x1280"},
		{"321x241", "h264-1080p", "320x240"},
		{"1920x800", "h264-720p", "1280x532"},
	} {
		t.Run(fmt.Sprintf("%s of %s is %s: never larger, never bent, sides even", c.preset, c.size, c.want), func(t *testing.T) {
			t.Parallel()
			j := newJob(t)
			path := sample(t, c.size+".mkv", "-f", "lavfi", "-i", "testsrc=size="+c.size+":rate=10:duration=0.5", "-c:v", "mjpeg", "-q:v", "5")
			out, err := j.transcode(t, path, c.preset, media.Limits{})
			j.close(t)
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprintf("%dx%d", out.Width, out.Height); got != c.want {
				t.Errorf("got %s", got)
			}
		})
	}
}
