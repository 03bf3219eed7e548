package media_test

import (
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/media"
)

func TestReadPresets(t *testing.T) {
	t.Parallel()
	file := func(lines string) string { return "presets:\n  mine:\n    container: mp4\n" + lines }

	t.Run("a preset of a file is beside those that are built in, and names what it needs", func(t *testing.T) {
		t.Parallel()
		all, err := media.ReadPresets("p.yaml", []byte(file("    video: [-c:v, libx264, -crf, \"28\", -vf, \"scale=w='min(iw,640)':h=-2,fps=30000/1001\"]\n    audio: [-c:a, aac, -b:a, 96k, -af, volume=0.5]\n    seconds: 30\n")))
		if err != nil {
			t.Fatal(err)
		}
		p := all["mine"]
		if p.Name != "mine" || p.Begin != 30*time.Second || strings.Join(p.Encoders(), " ") != "libx264 aac" || len(all) != len(media.Presets())+1 {
			t.Errorf("%+v", p)
		}
	})

	t.Run("two presets that make the same have the same digest, and others have not", func(t *testing.T) {
		t.Parallel()
		read := func(lines string) string {
			all, err := media.ReadPresets("p.yaml", []byte(file(lines)))
			if err != nil {
				t.Fatal(err)
			}
			return all["mine"].Digest()
		}
		a, b, c := read("    video: [-c:v, libx264]\n"), read("    video: [-c:v, libx264]\n"), read("    video: [-c:v, libx264, -crf, \"20\"]\n")
		if a != b || a == c {
			t.Errorf("%s %s %s", a, b, c)
		}
	})

	for name, lines := range map[string]string{
		"another input":                      `    video: [-c:v, libx264, -i, /etc/passwd]`,
		"an option without a value":          `    video: [-c:v, libx264, -an]`,
		"an output":                          `    video: [-c:v, libx264, /tmp/out.mp4, x]`,
		"a format":                           `    video: [-c:v, libx264, -f, tee]`,
		"a value that is an option":          `    video: [-c:v, libx264, -crf, -i]`,
		"a protocol":                         `    video: [-c:v, libx264, -preset, "http://127.0.0.1/"]`,
		"an option twice":                    `    video: [-c:v, libx264, -crf, "20", -crf, "21"]`,
		"parameters of x264 that write":      `    video: [-c:v, libx264, -x264-params, stats=/tmp/x]`,
		"an encoder of another container":    `    video: [-c:v, gif]`,
		"no encoder":                         `    video: [-crf, "20"]`,
		"a pass log":                         `    video: [-c:v, libx264, -passlogfile, x]`,
		"the filter movie":                   `    video: [-c:v, libx264, -vf, "movie=/etc/passwd"]`,
		"the filter movie behind another":    `    video: [-c:v, libx264, -vf, "scale=1:1,movie=/etc/passwd[a];[a]null"]`,
		"the filter movie behind a label":    `    video: [-c:v, libx264, -vf, "[in]movie=a.mp4[out]"]`,
		"the filter amovie":                  `    audio: [-c:a, aac, -af, "amovie=a.mp3"]`,
		"the filter subtitles":               `    video: [-c:v, libx264, -vf, "subtitles=a.srt"]`,
		"the filter drawtext":                `    video: [-c:v, libx264, -vf, "drawtext=textfile=/etc/passwd"]`,
		"the filter lut3d":                   `    video: [-c:v, libx264, -vf, "lut3d=a.cube"]`,
		"the filter sendcmd":                 `    video: [-c:v, libx264, -vf, "sendcmd=f=a"]`,
		"the filter zmq":                     `    video: [-c:v, libx264, -vf, "zmq"]`,
		"a filter with a quoted name":        `    video: [-c:v, libx264, -vf, "'movie'=a"]`,
		"a filter with an escaped name":      `    video: [-c:v, libx264, -vf, "mov\\ie=a"]`,
		"a filter behind an escaped comma":   `    video: [-c:v, libx264, -vf, "null\\\\,movie=a"]`,
		"a filter behind a quote":            `    video: [-c:v, libx264, -vf, "crop='a',movie=b"]`,
		"flags before a filter":              `    video: [-c:v, libx264, -vf, "sws_flags=1;movie=a"]`,
		"an option whose value is in a file": `    video: [-c:v, libx264, -vf, "crop=/w=/etc/passwd"]`,
		"a file among the arguments":         `    video: [-c:v, libx264, -vf, "thumbnail=log_file=x"]`,
		"a line break in a filter":           `    video: [-c:v, libx264, -vf, "null\nmovie=a"]`,
		"a quote without an end":             `    video: [-c:v, libx264, -vf, "crop='1"]`,
		"a backslash at the end":             `    video: [-c:v, libx264, -vf, "crop=1\\"]`,
		"no filter":                          `    video: [-c:v, libx264, -vf, ""]`,
		"a member that is not known":         `    vidoe: [-c:v, libx264]`,
		"neither video nor audio":            `    seconds: 1`,
		"less than no time":                  "    video: [-c:v, libx264]\n    seconds: -1",
		"time that is no number":             "    video: [-c:v, libx264]\n    seconds: .nan",
		"a container that is none":           "    video: [-c:v, libx264]\n    container: tee",
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			t.Parallel()
			if all, err := media.ReadPresets("p.yaml", []byte(file(lines+"\n"))); err == nil {
				t.Errorf("it is taken: %+v", all["mine"])
			} else if !strings.Contains(err.Error(), "p.yaml") && !strings.Contains(err.Error(), "container") {
				t.Errorf("%v does not name the file", err)
			}
		})
	}
	for name, text := range map[string]string{
		"nothing": "", "no presets": "presets: {}\n", "one that is built in": "presets:\n  gif:\n    container: gif\n    video: [-c:v, gif]\n",
		"a name with a path": "presets:\n  ../x:\n    container: gif\n    video: [-c:v, gif]\n", "too much": "presets:\n" + strings.Repeat(" ", 100<<10),
		"sound in a picture": "presets:\n  a:\n    container: jpg\n    video: [-c:v, mjpeg]\n    audio: [-c:a, aac]\n",
	} {
		t.Run(name+" is refused as a file with presets", func(t *testing.T) {
			t.Parallel()
			if _, err := media.ReadPresets("p.yaml", []byte(text)); err == nil {
				t.Error("it is taken")
			}
		})
	}
}

func TestPlaylist(t *testing.T) {
	t.Parallel()
	t.Run("a playlist names the segments in their order, with a target that none is longer than", func(t *testing.T) {
		t.Parallel()
		got := string(media.Playlist([]media.Segment{{Name: "a-00000.ts", Duration: 6040 * time.Millisecond}, {Name: "a-00001.ts", Duration: 2 * time.Second}}))
		want := "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:7\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n" +
			"#EXTINF:6.040000,\na-00000.ts\n#EXTINF:2.000000,\na-00001.ts\n#EXT-X-ENDLIST\n"
		if got != want {
			t.Errorf("got\n%s", got)
		}
	})
}

func FuzzPresets(f *testing.F) {
	f.Add("presets:\n  mine:\n    container: mp4\n    video: [-c:v, libx264, -vf, \"scale=-2:360\"]\n")
	f.Add("presets:\n  mine: &a\n    container: hls\n    audio: [-c:a, aac]\n  other: *a\n")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := media.ReadPresets("p.yaml", []byte(text))
		if err != nil {
			return
		}
		for name, p := range all {
			if strings.ContainsAny(name, "/.\x00\n") || len(p.Encoders()) == 0 {
				t.Errorf("%q: %+v", name, p)
			}
		}
	})
}

func FuzzSniff(f *testing.F) {
	for _, begin := range []string{"\x00\x00\x00\x18ftypisom", "\x1a\x45\xdf\xa3", "ID3", "\xff\xfb\x90\x00", "G", "#EXTM3U\n"} {
		f.Add([]byte(begin))
	}
	f.Fuzz(func(t *testing.T, begin []byte) {
		if format, ok := media.Sniff(begin); ok == (format == "") {
			t.Errorf("%q, %v", format, ok)
		}
	})
}
