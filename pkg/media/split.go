package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"
)

// How a long job is done in pieces:
//
//	Split: the video of the input, undecoded, is cut before key frames into chunks of Matroska.
//	Piece: each chunk is transcoded for itself, into MPEG-TS, at its place in time.
//	       The audio is one piece of its own, because codecs of audio begin with silence.
//	Join:  the pieces, one behind the other, and the audio are put into the container of
//	       the output, undecoded, and checked as every output is.
const (
	// splitOffset is added to the times of what is cut, because those of frames that are decoded
	// before they are shown would be negative, and FFmpeg would move the first chunk alone.
	splitOffset = time.Second
	// pieceOffset is added to the times of pieces for the same reason.
	pieceOffset = 10 * time.Second
	// muxerOffset is what FFmpeg's muxer of MPEG-TS adds (-muxpreload and -muxdelay, 0.7 s each).
	muxerOffset = 1400 * time.Millisecond
)

// Chunk is a part of the video of an input.
type Chunk struct {
	Number int           `json:"number"`
	Begin  time.Duration `json:"begin"` // its place in the input
}

// PutChunk takes a chunk, all of body.
type PutChunk func(ctx context.Context, c Chunk, size int64, body io.Reader) error

// Split cuts the video of an input into chunks of about a length, each of which begins with a
// key frame. A chunk is put as soon as it is complete, so few of them are in the folder at a time.
func (in *Input) Split(ctx context.Context, length time.Duration, put PutChunk, tell func(Progress)) ([]Chunk, error) {
	video, ok := in.Info.First(Video)
	if !ok {
		return nil, inputf(ErrStream, "there is no video to be split")
	}
	r := &run{in: in, task: Task{Progress: tell}}
	r.args = append(in.decoding(), "-map", "0:"+number(video.Index), "-c", "copy", "-reset_timestamps", "1",
		"-output_ts_offset", decimal(splitOffset))
	var chunks []Chunk
	ended, err := r.cut(ctx, length, "matroska", func(ctx context.Context, n int, file *os.File, s span) error {
		c := Chunk{Number: n, Begin: seconds(decimal(time.Duration(s.begin*float64(time.Second)) - splitOffset))}
		if n == 0 {
			first, err := in.firstTime(ctx, fmt.Sprintf(segmentName, n))
			if err != nil {
				return err
			}
			c.Begin = max(first-splitOffset, 0)
		}
		info, err := file.Stat()
		if err != nil {
			return err
		}
		chunks = append(chunks, c)
		return put(ctx, c, info.Size(), file)
	})
	if err == nil {
		err = in.blame(ended)
	}
	if err == nil && len(chunks) == 0 {
		err = inputf(ErrOutput, "the video has no frames")
	}
	return chunks, err
}

// firstTime is the time of the first frame of a chunk that is a file of the folder.
func (in *Input) firstTime(ctx context.Context, name string) (time.Duration, error) {
	found, err := in.checkFile(ctx, form{demuxer: "matroska", whitelist: "matroska,webm"}, name)
	if err != nil {
		return 0, err
	}
	s, ok := found.has(Video)
	if !ok {
		return 0, inputf(ErrOutput, "the first chunk has no frames")
	}
	return seconds(strconv.FormatFloat(s.first, 'f', 6, 64)), nil
}

// Piece transcodes a chunk, which in is, for a task. What is put is one file.
func (in *Input) Piece(ctx context.Context, c Chunk, t Task) (Output, error) {
	t.Preset.Container, t.Preset.audio = ContainerTS, nil
	return in.place(ctx, c.Begin, t)
}

// AudioPiece transcodes the audio of an input that is split for a task.
func (in *Input) AudioPiece(ctx context.Context, t Task) (Output, error) {
	t.Preset.Container, t.Preset.video, t.Preset.filter, t.Preset.key = ContainerTS, nil, nil, 0
	return in.place(ctx, 0, t)
}

// place makes an output at its place in time.
func (in *Input) place(ctx context.Context, begin time.Duration, t Task) (Output, error) {
	options, used, err := t.Preset.options(in)
	if err != nil {
		return Output{}, err
	}
	args := append(in.decoding(), options...)
	args = append(args, "-output_ts_offset", decimal(begin+pieceOffset))
	return (&run{in: in, task: t, want: want(t.Preset, in.Info, used), args: args}).single(ctx)
}

func decimal(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 6, 64) }

// audioName is that of the audio of a job that is joined, in its folder.
const audioName = "audio"

// Join makes the output of a task of the pieces that were made of an input: its chunks in their
// order, and its audio, nil where it has none. info is that of the input; the output has to be as
// long.
func (t Tools) Join(
	ctx context.Context, folder *Folder, chunks []Source, audio Source, info Info, task Task, limits Limits,
) (Output, error) {
	in := &Input{tools: t, limits: limits.WithDefaults(), folder: folder, source: Joined(chunks), format: MPEGTS, Info: info}
	w := wanted{preset: task.Preset.Name, kinds: []Kind{Video}, duration: info.Duration}
	args := append(quiet(), "-copyts", "-thread_queue_size", "512")
	args = append(args, in.args()...)
	copies := []string{"-map", "0:v:0"}
	if audio != nil {
		if err := folder.download(ctx, audio, audioName); err != nil {
			return Output{}, err
		}
		defer os.Remove(folder.path(audioName))
		second := &Input{format: MPEGTS, local: true}
		args = append(args, "-thread_queue_size", "512")
		args = append(args, second.named(audioName)...)
		copies = append(copies, "-map", "1:a:0")
		w.kinds = append(w.kinds, Audio)
		if task.Preset.Container == ContainerMP4 {
			copies = append(copies, "-bsf:a", "aac_adtstoasc") // MPEG-TS has it in another form (ISO 13818-7)
		}
	}
	args = append(args, "-map_metadata", "-1", "-c", "copy", "-output_ts_offset", decimal(-pieceOffset-muxerOffset))
	r := &run{in: in, task: task, want: w, args: append(args, copies...)}
	if task.Preset.Container == ContainerHLS {
		return r.segments(ctx)
	}
	return r.single(ctx)
}

// Joined is the source that has all of several, one behind the other.
func Joined(all []Source) Source { return joined(all) }

type joined []Source

// Size is that of all together.
func (j joined) Size() int64 {
	total := int64(0)
	for _, s := range j {
		total += s.Size()
	}
	return total
}

// Open reads all from the begin on; it has no other use.
func (j joined) Open(ctx context.Context, offset, length int64) (io.ReadCloser, error) {
	if offset != 0 || length >= 0 {
		return nil, errors.New("joined sources are read from their begin to their end")
	}
	return &joinedReader{ctx: ctx, rest: j}, nil
}

// joinedReader opens a source when the one before is at its end.
type joinedReader struct {
	ctx  context.Context
	now  io.ReadCloser
	rest []Source
}

func (r *joinedReader) Read(p []byte) (int, error) {
	for {
		if r.now == nil {
			if len(r.rest) == 0 {
				return 0, io.EOF
			}
			var err error
			if r.now, err = r.rest[0].Open(r.ctx, 0, -1); err != nil {
				return 0, err
			}
			r.rest = r.rest[1:]
		}
		n, err := r.now.Read(p)
		if err == io.EOF {
			err = r.now.Close()
			r.now = nil
			if n == 0 && err == nil {
				continue
			}
		}
		return n, err
	}
}

func (r *joinedReader) Close() error {
	if r.now == nil {
		return nil
	}
	return r.now.Close()
}
