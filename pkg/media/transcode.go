package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// File is one that an output consists of.
type File struct {
	Name string // of a segment; "" for an output of one file, and for the playlist
	Type string // its Content-Type
	Size int64  // 0: not known before its end
}

// Put takes a file, all of body, and returns once it is durable. Where body ends with another
// error than io.EOF, nothing of the file may stay visible: it is not what it should be. The
// files of an output come one after the other; the one without a name is the last.
type Put func(ctx context.Context, f File, body io.Reader) error

// Task is one output of an input.
type Task struct {
	Preset Preset
	Put    Put
	// Segments begins the names of segments: letters, digits and '-'.
	Segments string
	// Progress, where set, is told from time to time, from one goroutine.
	Progress func(Progress)
}

// Output is what was made.
type Output struct {
	Duration time.Duration `json:"duration,omitempty"` // of the media
	Bytes    int64         `json:"bytes"`
	Files    int           `json:"files"`
	Width    int           `json:"width,omitempty"`
	Height   int           `json:"height,omitempty"`
}

// Transcode makes an output. It is put while the input is still read, and is complete only
// where it has passed the check: see the package. The errors are [InputError], what Put gave,
// and those of the machine; nothing runs any more when it returns.
func (in *Input) Transcode(ctx context.Context, t Task) (Output, error) {
	options, used, err := t.Preset.options(in)
	if err != nil {
		return Output{}, err
	}
	r := &run{in: in, task: t, want: want(t.Preset, in.Info, used), args: append(in.decoding(), options...)}
	switch {
	case t.Preset.Container == ContainerHLS:
		return r.segments(ctx)
	case t.Preset.Container.form().local:
		return r.local(ctx)
	}
	return r.single(ctx)
}

// run is one run of ffmpeg that makes an output.
type run struct {
	in   *Input
	task Task
	want wanted
	args []string // up to the muxer
	out  Output
}

// quiet has ffmpeg ask nothing, and say no more than what is wrong and how far it is.
func quiet() []string {
	return []string{"-hide_banner", "-nostdin", "-nostats", "-loglevel", "warning", "-progress", "pipe:3", "-y"}
}

// decoding are the arguments up to the options of the output.
func (in *Input) decoding() []string {
	threads := number(in.limits.Threads)
	args := append(quiet(), "-filter_threads", threads, "-threads", threads, "-max_pixels", fmt.Sprint(in.limits.Pixels))
	args = append(args, in.args()...)
	return append(args, "-dn", "-sn", "-map_metadata", "-1", "-map_chapters", "-1", "-threads", threads)
}

// start runs ffmpeg with the rest of its arguments. What it writes to pipe:1 is read from
// what is returned, and ended waits for its end.
func (r *run) start(ctx context.Context, rest ...string) (out *os.File, ended func() error, err error) {
	ours, theirs, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	widen(ours)
	told, telling, err := os.Pipe()
	if err != nil {
		return nil, nil, errors.Join(err, ours.Close(), theirs.Close())
	}
	c := child{program: r.in.tools.FFmpeg, args: append(r.args, rest...), bounds: r.in.bounds(ctx), stdout: theirs, extra: telling}
	r.in.feed(&c)
	done := make(chan error, 1)
	go func() {
		ended := make(chan error, 1)
		go func() { ended <- c.run(ctx) }()
		r.listen(told)
		done <- <-ended
	}()
	return ours, sync.OnceValue(func() error { return <-done }), nil
}

// listen reads the progress of ffmpeg up to its end.
func (r *run) listen(from *os.File) {
	defer from.Close()
	p := progress{tell: r.task.Progress}
	buffer := make([]byte, mostLine)
	for {
		n, err := from.Read(buffer)
		p.take(buffer[:n])
		if err != nil {
			return
		}
	}
}

// single makes an output of one file, which is put while it is made.
func (r *run) single(ctx context.Context) (Output, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	form := r.task.Preset.Container.form()
	stdout, ended, err := r.start(ctx, append(form.muxer, "pipe:1")...)
	if err != nil {
		return Output{}, err
	}
	defer stdout.Close()
	check := r.in.newCheck(ctx, form)
	body := &body{run: r, from: stdout, ended: ended, check: check}
	err = r.task.Put(ctx, File{Type: form.media}, body)
	if err == nil && body.err != io.EOF {
		err = errors.New("put the output: it was not read to its end")
	}
	cancel(errStopped)
	_ = ended()
	check.stop()
	r.out.Files = 1
	return r.out, err
}

// body is an output on its way to Put: what ffmpeg writes, looked at on its way, and at its
// end the verdict.
type body struct {
	run   *run
	from  io.Reader
	ended func() error
	check *check
	err   error // the last, for good
}

// Read gives the next bytes; io.EOF once the output has passed the check.
func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.from.Read(p)
	b.check.write(p[:n])
	b.run.out.Bytes += int64(n)
	switch {
	case b.run.out.Bytes > b.run.in.limits.OutputBytes:
		b.err = inputf(ErrLimit, "the output has more than %d bytes", b.run.in.limits.OutputBytes)
		return 0, b.err
	case err != nil:
		b.err = b.run.verdict(b.ended(), b.check)
		if b.err == nil {
			b.err = io.EOF
		}
		return n, b.err
	}
	return n, nil
}

// verdict says whether an output is what it should be, once ffmpeg has ended.
func (r *run) verdict(ended error, c *check) error {
	if ended != nil {
		return r.in.blame(ended)
	}
	found, err := c.end()
	if err != nil {
		return err
	}
	return r.want.hold(found, &r.out)
}

// blame sorts the end of an ffmpeg that failed.
func (in *Input) blame(err error) error {
	if failed := new(ProcessError); errors.As(err, &failed) {
		return &InputError{failed}
	}
	return err
}
