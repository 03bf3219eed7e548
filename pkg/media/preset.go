package media

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Preset says what is made of an input. The zero value makes nothing: take one of
// [Presets], or read your own with [ReadPresets].
type Preset struct {
	Name      string
	Container Container
	Begin     time.Duration // only so much of the begin; 0: all

	video []string // options of its video; nil: it has none
	audio []string // options of its audio; nil: it has none
	// filter gives the video filters where they depend on the input.
	filter func(Info) string
	key    time.Duration // between two key frames; 0: the encoder's choice
}

// HasVideo and HasAudio say which streams an output has. Audio beside video is left out
// where the input has none.
func (p Preset) HasVideo() bool { return p.video != nil }

// HasAudio says whether an output has audio.
func (p Preset) HasAudio() bool { return p.audio != nil }

// Splittable says whether an input may be split by its key frames, and the parts of the
// output be joined.
func (p Preset) Splittable() bool {
	return p.HasVideo() && p.Begin == 0 && (p.Container == ContainerMP4 || p.Container == ContainerTS || p.Container == ContainerHLS) &&
		slices.Contains(p.video, "libx264")
}

// Digest names what a preset makes: another one makes something else.
func (p Preset) Digest() string {
	parts := []string{"1", string(p.Container), p.Begin.String(), p.key.String(), strings.Join(p.video, "\x00"), strings.Join(p.audio, "\x00")}
	if p.filter != nil {
		parts = append(parts, p.filter(Info{Duration: time.Minute}))
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x01")))
	return hex.EncodeToString(sum[:8])
}

// segmentSpan is the target length of a segment of HLS, and keySpan the distance of key
// frames, of which it is a multiple (RFC 8216, 6.2.1 wants segments that begin with one).
const (
	segmentSpan = 6 * time.Second
	keySpan     = 2 * time.Second
)

// Presets are those that are built in.
func Presets() map[string]Preset {
	aac := []string{"-c:a", "aac", "-b:a", "128k", "-ac", "2", "-ar", "48000"}
	h264 := func(crf, rate, buffer string) []string {
		return []string{"-c:v", "libx264", "-preset", "fast", "-crf", crf, "-maxrate", rate, "-bufsize", buffer,
			"-profile:v", "high", "-pix_fmt", "yuv420p", "-fpsmax", "60"}
	}
	all := map[string]Preset{}
	for _, p := range []Preset{
		{Name: "h264-720p", Container: ContainerMP4, video: h264("23", "3M", "6M"), audio: aac, filter: within(1280, 720), key: keySpan},
		{Name: "h264-1080p", Container: ContainerMP4, video: h264("22", "6M", "12M"), audio: aac, filter: within(1920, 1080), key: keySpan},
		{Name: "hls-720p", Container: ContainerHLS, video: h264("23", "3M", "6M"), audio: aac, filter: within(1280, 720), key: keySpan},
		{Name: "audio-aac", Container: ContainerM4A, audio: aac},
		{Name: "audio-mp3", Container: ContainerMP3, audio: []string{"-c:a", "libmp3lame", "-b:a", "192k", "-ac", "2", "-ar", "44100"}},
		{Name: "thumbnail", Container: ContainerJPEG, video: []string{"-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p"},
			filter: func(i Info) string { return "thumbnail=n=75," + within(640, 640)(i) }},
		{Name: "gif", Container: ContainerGIF, Begin: 6 * time.Second, video: []string{"-c:v", "gif"},
			filter: func(Info) string {
				return "fps=10,scale=w='min(iw,480)':h='min(ih,480)':force_original_aspect_ratio=decrease:flags=lanczos," +
					"split[a][b];[a]palettegen=max_colors=128[p];[b][p]paletteuse"
			}},
		{Name: "contact-sheet", Container: ContainerJPEG, video: []string{"-c:v", "mjpeg", "-q:v", "4", "-pix_fmt", "yuvj420p"}, filter: sheet},
	} {
		all[p.Name] = p
	}
	return all
}

// Names lists presets in alphabetical order.
func Names(presets map[string]Preset) []string { return slices.Sorted(maps.Keys(presets)) }

// within scales down to a box, which stands upright for an upright video; never up. Sides
// are even, as 4:2:0 has it.
func within(wide, high int) func(Info) string {
	return func(Info) string {
		return fmt.Sprintf("scale=w='min(iw,if(gt(ih,iw),%[2]d,%[1]d))':h='min(ih,if(gt(ih,iw),%[1]d,%[2]d))'"+
			":force_original_aspect_ratio=decrease:force_divisible_by=2", wide, high)
	}
}

// sheet puts 16 frames, evenly spread, into one picture.
func sheet(i Info) string {
	length := max(i.Duration.Seconds(), 0.04)
	return "fps=" + strconv.FormatFloat(16/length, 'f', 6, 64) +
		",scale=w=320:h=320:force_original_aspect_ratio=decrease:force_divisible_by=2,tile=layout=4x4:padding=4:margin=4"
}

// options are the arguments of the output for an input: streams, codecs, filters.
func (p Preset) options(in *Input) ([]string, []Stream, error) {
	var args []string
	var used []Stream
	video, hasVideo := in.Info.First(Video)
	audio, hasAudio := in.Info.First(Audio)
	if p.HasVideo() && !hasVideo {
		return nil, nil, inputf(ErrStream, "%s needs video, and there is none", p.Name)
	}
	if p.HasAudio() && !p.HasVideo() && !hasAudio {
		return nil, nil, inputf(ErrStream, "%s needs audio, and there is none", p.Name)
	}
	if p.HasVideo() {
		used = append(used, video)
		args = append(args, "-map", "0:"+number(video.Index))
	}
	if p.HasAudio() && hasAudio {
		used = append(used, audio)
		args = append(args, "-map", "0:"+number(audio.Index))
	}
	args = append(args, p.video...)
	if p.filter != nil && p.HasVideo() {
		args = append(args, "-vf", p.filter(in.Info))
	}
	if p.HasAudio() && hasAudio {
		args = append(args, p.audio...)
	}
	if p.key > 0 {
		args = append(args, "-force_key_frames", fmt.Sprintf("expr:gte(t,n_forced*%g)", p.key.Seconds()))
	}
	if p.Begin > 0 {
		args = append(args, "-t", strconv.FormatFloat(p.Begin.Seconds(), 'f', 3, 64))
	}
	if p.Container.picture() {
		args = append(args, "-frames:v", "1")
	}
	return args, used, nil
}
