package media_test

import (
	"testing"

	"github.com/scf-etl/scf-etl/pkg/media"
)

func TestPresets(t *testing.T) {
	t.Parallel()
	inputs := map[string]string{}
	for name, codecs := range map[string][]string{
		"a.mp4":  h264,
		"a.mkv":  h264,
		"a.webm": {"-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libvorbis"},
		"a.ts":   h264,
	} {
		inputs[name] = sample(t, name, clip("320x240", 3, codecs...)...)
	}
	for name, path := range inputs {
		for _, preset := range media.Names(media.Presets()) {
			t.Run(preset+" is made of "+name, func(t *testing.T) {
				t.Parallel()
				j := newJob(t)
				out, err := j.transcode(t, path, preset, media.Limits{})
				j.close(t)
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%+v %v", out, j.order)
			})
		}
	}
}
