package transcode

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/media"
)

// Piece does what the message of a piece asks for: it makes the piece where it is not there, and
// joins all where it is the last one. A delivery for a job that has ended does nothing.
func (e *Engine) Piece(ctx context.Context, m Piece) (Result, error) {
	state := e.state(m.Job)
	there, err := e.done(ctx, m.Output, m.Job)
	if err != nil {
		return Result{}, err
	}
	if there { // all that can be left is what a killed join could not remove
		return Result{Done: []string{m.Output}}, e.end(ctx, state)
	}
	p, ok, err := e.plan(ctx, state)
	if err != nil || !ok {
		return Result{Skipped: "its job has ended"}, err
	}
	result := Result{Input: p.Input}
	o, err := e.planned(m, p)
	input := cos.Object{Key: p.Input, ETag: p.ETag, Size: p.Size}
	if err != nil {
		return e.giveUp(ctx, result, state, p, input, nil, err)
	}
	return e.attempted(ctx, fmt.Sprintf("%sattempts/%05d/", p.folder(state), m.Number), 1, result, func(killed error) (Result, error) {
		result, err := result, killed
		if err == nil {
			if err = e.piece(ctx, &result, state, p, input, o, m.Number); err != nil {
				err = e.reason(ctx, state, p, input, err)
			}
		}
		if err == nil {
			err = e.joinLast(ctx, &result, state, m, p, input, o)
		}
		switch {
		case errors.Is(err, errNewer):
			result.Skipped = err.Error()
			return result, e.end(ctx, state)
		case ctx.Err() == nil && media.IsInput(err):
			return e.giveUp(ctx, result, state, p, input, &o, err)
		}
		return result, err
	})
}

// planned holds a message against the plan of its job.
func (e *Engine) planned(m Piece, p plan) (output, error) {
	outputs, err := e.resolve(p.Request)
	if err != nil {
		return output{}, err // the preset is gone
	}
	o := outputs[0]
	if id := identity(cos.Object{Key: p.Input, ETag: p.ETag}, o); id != m.Job || o.key != m.Output || m.Number >= p.pieces() {
		return output{}, &media.InputError{Err: errors.New("the message and the plan of its job do not fit: the preset has changed meanwhile")}
	}
	return o, nil
}

// giveUp puts the dead letter of a job that is done in pieces, and removes its state: messages
// that come later find it ended.
func (e *Engine) giveUp(ctx context.Context, result Result, state string, p plan, input cos.Object, o *output, reason error) (Result, error) {
	result, err := e.bury(ctx, result, p.Request, input, o, reason)
	if err != nil {
		return result, err
	}
	return result, e.end(ctx, state)
}

// piece makes one piece, where it is not there.
func (e *Engine) piece(ctx context.Context, result *Result, state string, p plan, input cos.Object, o output, n int) error {
	key := p.piece(state, n)
	if _, err := e.Bucket.Head(ctx, key); err == nil || !errors.Is(err, cos.ErrNotFound) {
		return err
	}
	folder, err := media.NewFolder(e.Temp, e.limits().TempBytes)
	if err != nil {
		return err
	}
	defer folder.Close()
	task := media.Task{Preset: o.preset, Progress: e.progress(ctx, o), Put: func(ctx context.Context, f media.File, body io.Reader) error {
		_, err := e.Bucket.Put(ctx, key, body, cos.PutOptions{IfAbsent: true, ContentType: f.Type})
		return err
	}}
	audio := n == len(p.Chunks)
	from := source{e.Bucket, input, errNewer}
	if !audio {
		if from, err = e.chunk(ctx, p.chunk(state, n)); err != nil {
			return err
		}
	}
	in, err := e.Tools.Open(ctx, folder, from, e.Limits)
	switch {
	case err != nil:
		return err
	case audio:
		_, err = in.AudioPiece(ctx, task)
	default:
		_, err = in.Piece(ctx, p.Chunks[n], task)
	}
	if err != nil && !errors.Is(err, cos.ErrExists) { // another delivery's piece is the same
		return err
	}
	result.Piece = err == nil
	// A job that has ended meanwhile must find nothing more below its state.
	if over, err := e.over(ctx, state, p); err != nil || !over {
		return err
	}
	return e.Bucket.Delete(ctx, key)
}

// chunk is the source that a chunk is.
func (e *Engine) chunk(ctx context.Context, key string) (source, error) {
	o, err := e.Bucket.Head(ctx, key)
	if errors.Is(err, cos.ErrNotFound) {
		err = fmt.Errorf("%w: %w", errLost, err)
	}
	return source{e.Bucket, o, errLost}, err
}
