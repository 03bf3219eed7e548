package media

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Kind says what a stream holds.
type Kind string

// The kinds that are used. Others are left out of every output.
const (
	Video Kind = "video"
	Audio Kind = "audio"
)

// Info is what ffprobe says about an input.
type Info struct {
	Format   Format        `json:"format"`
	Duration time.Duration `json:"duration"` // of the longest stream that is used; 0: not known
	Streams  []Stream      `json:"streams"`
}

// Stream is one of an input.
type Stream struct {
	Index     int           `json:"index"`
	Kind      Kind          `json:"kind"`
	Codec     string        `json:"codec"`
	Width     int           `json:"width,omitempty"`
	Height    int           `json:"height,omitempty"`
	FrameRate float64       `json:"frame_rate,omitempty"`
	Start     time.Duration `json:"start,omitempty"`
	Duration  time.Duration `json:"duration,omitempty"` // 0: not known
	Picture   bool          `json:"picture,omitempty"`  // a cover, and no video
}

// First is the first stream of a kind that is no cover.
func (i Info) First(kind Kind) (Stream, bool) {
	for _, s := range i.Streams {
		if s.Kind == kind && !s.Picture {
			return s, true
		}
	}
	return Stream{}, false
}

// probeJSON is the output of ffprobe -show_format -show_streams -of json.
type probeJSON struct {
	Streams []struct {
		Index       int            `json:"index"`
		Kind        string         `json:"codec_type"`
		Codec       string         `json:"codec_name"`
		Width       int            `json:"width"`
		Height      int            `json:"height"`
		Rate        string         `json:"avg_frame_rate"`
		Start       string         `json:"start_time"`
		Duration    string         `json:"duration"`
		Disposition map[string]int `json:"disposition"`
	} `json:"streams"`
	Format struct {
		Duration string `json:"duration"`
	} `json:"format"`
}

// mostProbe bounds what ffprobe may answer.
const mostProbe = 4 << 20

// parseProbe reads the answer of ffprobe.
func parseProbe(text []byte) (Info, error) {
	var p probeJSON
	if err := json.Unmarshal(text, &p); err != nil {
		return Info{}, fmt.Errorf("answer of ffprobe: %w", err)
	}
	var info Info
	for _, s := range p.Streams {
		if s.Width < 0 || s.Height < 0 || s.Index < 0 {
			return Info{}, errors.New("answer of ffprobe: a stream has a negative size or index")
		}
		info.Streams = append(info.Streams, Stream{
			Index: s.Index, Kind: Kind(s.Kind), Codec: s.Codec, Width: s.Width, Height: s.Height,
			FrameRate: ratio(s.Rate), Start: seconds(s.Start), Duration: seconds(s.Duration), Picture: s.Disposition["attached_pic"] == 1,
		})
	}
	info.Duration = seconds(p.Format.Duration)
	return info, nil
}

// ratio reads "25/1"; what is none is 0.
func ratio(text string) float64 {
	over, under, _ := strings.Cut(text, "/")
	a, err1 := strconv.ParseFloat(over, 64)
	b, err2 := strconv.ParseFloat(under, 64)
	if err1 != nil || err2 != nil || b == 0 || math.IsNaN(a/b) || math.IsInf(a/b, 0) {
		return 0
	}
	return a / b
}

// seconds reads "3.023220"; "N/A" and what is no duration is 0.
func seconds(text string) time.Duration {
	s, err := strconv.ParseFloat(text, 64)
	if err != nil || !(s > 0) || s > float64(math.MaxInt64/int64(time.Second)) {
		return 0
	}
	return time.Duration(s * float64(time.Second))
}

// probeTime bounds a look at a header.
const probeTime = 60 * time.Second

// How much of an input FFmpeg reads to know its streams, and of how much time: the same for
// ffprobe and ffmpeg, so that both give the streams the same numbers.
const (
	probeBytes = "8M"
	probeSpan  = "10M" // microseconds
)

// probe asks ffprobe about an opened input.
func (in *Input) probe(ctx context.Context) (Info, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	args := append([]string{"-hide_banner", "-v", "error", "-show_format", "-show_streams", "-of", "json"}, in.args()...)
	var out bytes.Buffer
	err := in.read(ctx, child{program: in.tools.FFprobe, args: args, bounds: in.bounds(ctx)}, func(text []byte) error {
		if out.Len()+len(text) > mostProbe {
			return inputf(ErrLimit, "its description has more than %d bytes", mostProbe)
		}
		out.Write(text)
		return nil
	})
	if err != nil {
		if p := new(ProcessError); errors.As(err, &p) {
			return Info{}, &InputError{fmt.Errorf("%w: it begins as %s and cannot be read: %w", ErrFormat, in.format, p)}
		}
		return Info{}, err
	}
	return parseProbe(out.Bytes())
}
