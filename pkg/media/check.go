package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// wanted is what an output has to be.
type wanted struct {
	preset   string
	kinds    []Kind
	duration time.Duration // 0: it has none
}

// want says what a preset makes of an input, of which streams are used.
func want(p Preset, info Info, used []Stream) wanted {
	w := wanted{preset: p.Name}
	var first, end time.Duration
	known := len(used) > 0
	for i, s := range used {
		w.kinds = append(w.kinds, s.Kind)
		known = known && s.Duration > 0
		if i == 0 || s.Start < first {
			first = s.Start
		}
		end = max(end, s.Start+s.Duration)
	}
	if p.Container.picture() {
		return w
	}
	w.duration = info.Duration
	if known && info.Duration > 0 {
		w.duration = end - first
	}
	if p.Begin > 0 {
		w.duration = min(w.duration, p.Begin)
	}
	return w
}

// An output may be longer or shorter than its input by 2 %, or by 150 ms where that is more:
// codecs work in frames, and those of audio begin with silence.
const (
	tolerance      = 0.02
	leastTolerance = 150 * time.Millisecond
)

// hold compares an output with what it has to be, and takes down what it is.
func (w wanted) hold(found *measure, out *Output) error {
	for _, kind := range w.kinds {
		s, ok := found.has(kind)
		if !ok {
			return inputf(ErrOutput, "%s has no %s: the stream of the input is empty or damaged", w.preset, kind)
		}
		if kind == Video {
			if s.width <= 0 || s.height <= 0 {
				return inputf(ErrOutput, "%s has frames without a size", w.preset)
			}
			out.Width, out.Height = s.width, s.height
		}
	}
	if w.duration == 0 {
		return nil
	}
	out.Duration = found.duration(w.kinds...)
	off := (out.Duration - w.duration).Abs()
	if allowed := max(time.Duration(float64(w.duration)*tolerance), leastTolerance); off > allowed {
		return inputf(ErrOutput, "%s is %v long and the input says %v: it was cut short, or is damaged",
			w.preset, out.Duration.Round(time.Millisecond), w.duration.Round(time.Millisecond))
	}
	return nil
}

// check is an ffprobe that reads an output while it is made.
type check struct {
	cancel context.CancelCauseFunc
	to     *io.PipeWriter
	found  measure
	wait   func() error // for its end
}

// newCheck starts it.
func (in *Input) newCheck(ctx context.Context, f form) *check {
	ctx, cancel := context.WithCancelCause(ctx)
	from, to := io.Pipe()
	done := make(chan error, 1)
	c := &check{cancel: cancel, to: to, wait: sync.OnceValue(func() error { return <-done })}
	args := append(measureArgs(), f.reading("pipe", "pipe:0")...)
	probe := child{program: in.tools.FFprobe, args: args, dir: in.folder.dir, bounds: in.bounds(ctx),
		stdin: func(context.Context) (io.ReadCloser, error) { return from, nil }}
	go func() {
		err := collect(ctx, probe, c.found.take)
		from.Close() // nobody reads any more
		done <- err
	}()
	return c
}

// reading are the arguments that read an output.
func (f form) reading(protocol, address string) []string {
	return []string{"-protocol_whitelist", protocol, "-format_whitelist", f.whitelist, "-f", f.demuxer, "-i", address}
}

// checkFile looks at an output that is a file of the folder.
func (in *Input) checkFile(ctx context.Context, f form, name string) (*measure, error) {
	m := &measure{}
	probe := child{program: in.tools.FFprobe, args: append(measureArgs(), f.reading("file", "file:"+name)...),
		dir: in.folder.dir, bounds: in.bounds(ctx)}
	return m, asOutput(collect(ctx, probe, m.take))
}

// asOutput makes a fault of the output of an ffprobe that could not read it.
func asOutput(err error) error {
	if failed := new(ProcessError); errors.As(err, &failed) {
		return &InputError{fmt.Errorf("%w: %w", ErrOutput, failed)}
	}
	return err
}

// write passes on what the output has. It never fails: what ffprobe has missed, the end tells.
func (c *check) write(p []byte) {
	if len(p) > 0 {
		_, _ = c.to.Write(p)
	}
}

// end gives what was found in the whole output.
func (c *check) end() (*measure, error) {
	c.to.Close()
	return &c.found, asOutput(c.wait())
}

// stop ends it, where it is not needed any more, and waits for that.
func (c *check) stop() {
	c.cancel(errStopped)
	c.to.CloseWithError(errStopped)
	_ = c.wait()
}

var errStopped = errors.New("stopped")
