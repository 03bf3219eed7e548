package media

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"time"
)

// inputName is that of an input in the folder of its job.
const inputName = "input"

// Input is a file that was looked into and is within the limits.
type Input struct {
	Info Info

	tools  Tools
	limits Limits
	folder *Folder
	source Source
	format Format
	local  bool // it is in the folder
}

// Open looks into a source: its format, its streams, the limits. It is copied into the folder
// where its format cannot be read from the front. A source that is not taken is an
// [InputError], before anything of it was decoded.
func (t Tools) Open(ctx context.Context, folder *Folder, s Source, limits Limits) (*Input, error) {
	in := &Input{tools: t, limits: limits.WithDefaults(), folder: folder, source: s}
	if s.Size() == 0 {
		return nil, inputf(ErrFormat, "it is empty: zero bytes")
	}
	if s.Size() > in.limits.InputBytes {
		return nil, inputf(ErrLimit, "%d bytes, at most %d are taken", s.Size(), in.limits.InputBytes)
	}
	begin, err := readAt(ctx, s, 0, SniffBytes)
	if err != nil {
		return nil, err
	}
	var ok bool
	if in.format, ok = Sniff(begin); !ok {
		return nil, inputf(ErrFormat, "its first bytes are those of none of MP4, MOV, Matroska, WebM, MPEG, AVI, FLV, WAV, MP3, AAC, FLAC, Ogg. "+
			"Playlists, pictures and text are never opened")
	}
	fragmented := false
	if in.format == MP4 {
		l, err := layoutOf(ctx, s)
		if err != nil {
			return nil, err
		}
		fragmented = l.fragmented
		if !l.indexFirst {
			if err := in.fetch(ctx); err != nil {
				return nil, fmt.Errorf("the index of the MP4 is behind its media, so it has to be copied: %w", err)
			}
		}
	}
	if in.Info, err = in.probe(ctx); err != nil {
		return nil, err
	}
	in.Info.Format = in.format
	if err := in.limits.check(in.Info); err != nil {
		return nil, err
	}
	return in, in.know(ctx, fragmented && !in.local)
}

// fetch copies the source into the folder.
func (in *Input) fetch(ctx context.Context) error {
	if err := in.folder.download(ctx, in.source, inputName); err != nil {
		return err
	}
	in.local = true
	return nil
}

// know finds out the duration of what is used: the header's, or by counting.
func (in *Input) know(ctx context.Context, unreliable bool) error {
	longest := time.Duration(0)
	for _, kind := range []Kind{Video, Audio} {
		if s, ok := in.Info.First(kind); ok {
			longest = max(longest, s.Duration)
		}
	}
	if s, ok := in.Info.First(Video); ok && in.format == Matroska && s.Start > leastTolerance {
		unreliable = true // some count its duration from 0 on, others from its first frame
	}
	switch {
	case unreliable:
		in.Info.Duration = 0
	case longest > 0:
		in.Info.Duration = longest
	}
	if in.Info.Duration > 0 {
		return nil
	}
	m := &measure{}
	args := append(measureArgs(), in.args()...)
	if err := in.read(ctx, child{program: in.tools.FFprobe, args: args, bounds: in.bounds(ctx)}, m.take); err != nil {
		return asInput(err)
	}
	in.Info.Duration = m.duration(Video, Audio)
	return in.limits.check(in.Info)
}

// args are those that name the input: the last ones of ffprobe, and of ffmpeg up to the
// options of its outputs. All that FFmpeg may open by them is the input itself.
func (in *Input) args() []string { return in.named(inputName) }

// named are the same of a file of the folder with another name.
func (in *Input) named(file string) []string {
	name, whitelist := in.format.demuxer()
	protocol, address := "pipe", "pipe:0"
	if in.local {
		protocol, address = "file", "file:"+file
	}
	return []string{
		"-protocol_whitelist", protocol, "-format_whitelist", whitelist, "-codec_whitelist", decoders(), "-probesize", probeBytes,
		"-analyzeduration", probeSpan, "-f", name, "-i", address,
	}
}

// read runs a child over the input and hands over what it writes.
func (in *Input) read(ctx context.Context, c child, take func([]byte) error) error {
	in.feed(&c)
	return collect(ctx, c, take)
}

// feed gives a child the input, where it is not a file.
func (in *Input) feed(c *child) {
	c.dir = in.folder.dir
	if !in.local {
		c.stdin = in.open
	}
}

// bounds are those of every child of the job.
func (in *Input) bounds(ctx context.Context) bounds {
	b := bounds{memory: in.limits.Memory, file: in.limits.TempBytes, files: openFiles}
	if deadline, ok := ctx.Deadline(); ok {
		b.cpu = (time.Until(deadline) + time.Second) * time.Duration(runtime.NumCPU()+1)
	}
	return b
}

// asInput makes a fault of the input of a run of FFmpeg that failed by itself.
func asInput(err error) error {
	if failed, ok := err.(*ProcessError); ok {
		return &InputError{failed}
	}
	return err
}

func number(n int) string { return strconv.Itoa(n) }

func (in *Input) open(ctx context.Context) (io.ReadCloser, error) { return in.source.Open(ctx, 0, -1) }
