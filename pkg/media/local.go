package media

import (
	"context"
	"errors"
	"io"
	"os"
)

// outputName is that of an output in the folder of its job.
const outputName = "output"

// local makes an output as a file of the folder, within its budget, and puts it once it has
// passed the check.
func (r *run) local(ctx context.Context) (Output, error) {
	form := r.task.Preset.Container.form()
	if err := r.write(ctx, append(form.muxer, "file:"+outputName)...); err != nil {
		return r.out, err
	}
	defer os.Remove(r.in.folder.path(outputName))
	found, err := r.in.checkFile(ctx, form, outputName)
	if err != nil {
		return r.out, err
	}
	if err := r.want.hold(found, &r.out); err != nil {
		return r.out, err
	}
	file, err := os.Open(r.in.folder.path(outputName))
	if err != nil {
		return r.out, err
	}
	defer file.Close()
	size, err := r.put(ctx, File{Type: form.media}, file, func([]byte) {})
	r.out.Files, r.out.Bytes = 1, size
	return r.out, err
}

// write runs ffmpeg into a file of the folder, and ends it where that has no room.
func (r *run) write(ctx context.Context, rest ...string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stdout, wait, err := r.start(ctx, rest...)
	if err != nil {
		return err
	}
	defer stdout.Close()
	go r.watch(ctx, cancel)
	_, _ = io.Copy(io.Discard, stdout) // nothing comes; it ends with ffmpeg
	err = wait()
	if over := context.Cause(ctx); errors.Is(over, ErrNoRoom) {
		return over
	}
	return r.in.blame(err)
}
