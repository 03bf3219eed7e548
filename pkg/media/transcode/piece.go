package transcode

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/media"
)

// plan is the state of a job that is done in pieces. It is never changed.
type plan struct {
	Request Request       `json:"request"` // of this output alone
	Key     string        `json:"key"`     // of the output
	Input   string        `json:"input"`
	ETag    string        `json:"etag"`
	Size    int64         `json:"size"`
	Info    media.Info    `json:"info"` // of the input
	Chunks  []media.Chunk `json:"chunks"`
	Audio   bool          `json:"audio"`
}

// pieces is how many there are.
func (p plan) pieces() int {
	if p.Audio {
		return len(p.Chunks) + 1
	}
	return len(p.Chunks)
}

// mostPlan bounds what is read of a plan.
const mostPlan = 16 << 20

func (e *Engine) state(id string) string { return e.Work + id + "/" }

func chunkKey(state string, n int) string { return fmt.Sprintf("%schunk/%05d", state, n) }
func pieceKey(state string, n int) string { return fmt.Sprintf("%spiece/%05d", state, n) }

// split cuts an input into chunks and sends a message for each piece. What a killed one has
// done is done again, and nothing is taken twice: the plan is made once.
func (e *Engine) split(ctx context.Context, in *media.Input, input cos.Object, o output, r Request) (int, error) {
	if e.Publish == nil {
		return 0, &media.InputError{Err: fmt.Errorf("%w: it is %v long, and a video of more than %v is done in pieces, which need a topic for their messages",
			media.ErrLimit, in.Info.Duration, e.SplitOver)}
	}
	id := identity(input, o)
	state := e.state(id)
	p, planned, err := e.plan(ctx, state)
	if err != nil {
		return 0, err
	}
	if !planned {
		p = plan{Key: o.key, Input: input.Key, ETag: input.ETag, Size: input.Size, Info: in.Info,
			Request: Request{Input: r.Input, Outputs: []Output{{Preset: o.preset.Name, Key: o.key}}}}
		_, audio := in.Info.First(media.Audio)
		p.Audio = audio && o.preset.HasAudio()
		p.Chunks, err = in.Split(ctx, e.PieceLength, func(ctx context.Context, c media.Chunk, size int64, body io.Reader) error {
			_, err := e.Bucket.Put(ctx, chunkKey(state, c.Number), body, cos.PutOptions{Size: size})
			return err
		}, e.progress(ctx, o))
		if err != nil {
			return 0, errors.Join(err, e.remove(context.WithoutCancel(ctx), state+"chunk/", nil))
		}
		content, err := json.Marshal(p)
		if err != nil {
			return 0, err
		}
		_, err = e.Bucket.Put(ctx, state+"plan.json", bytes.NewReader(content), cos.PutOptions{IfAbsent: true})
		if err != nil && !errors.Is(err, cos.ErrExists) { // another delivery's plan is the same
			return 0, err
		}
	}
	all := make([]Piece, p.pieces())
	for n := range all {
		all[n] = Piece{Job: id, Output: o.key, Number: n}
	}
	return len(all), e.Publish(ctx, all)
}

// plan reads the plan of a job; ok is false where there is none.
func (e *Engine) plan(ctx context.Context, state string) (p plan, ok bool, err error) {
	body, _, err := e.Bucket.Get(ctx, state+"plan.json")
	if errors.Is(err, cos.ErrNotFound) {
		return plan{}, false, nil
	} else if err != nil {
		return plan{}, false, err
	}
	defer body.Close()
	content, err := io.ReadAll(io.LimitReader(body, mostPlan))
	if err != nil {
		return plan{}, false, err
	}
	if err := json.Unmarshal(content, &p); err != nil {
		return plan{}, false, &media.InputError{Err: fmt.Errorf("plan of the job: %w", err)}
	}
	return p, true, nil
}

// Piece does what the message of a piece asks for: it makes the piece where it is not there, and
// joins all where it is the last one. A delivery for a job that has ended does nothing.
func (e *Engine) Piece(ctx context.Context, m Piece) (Result, error) {
	state := e.state(m.Job)
	there, err := e.done(ctx, m.Output, m.Job)
	if err != nil {
		return Result{}, err
	}
	if there { // all that can be left is what a killed join could not remove
		return Result{Done: []string{m.Output}}, e.remove(ctx, state, nil)
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
	return e.attempted(ctx, fmt.Sprintf("%sattempts/%05d/", state, m.Number), 1, result, func(killed error) (Result, error) {
		result, err := result, killed
		if err == nil {
			err = e.piece(ctx, &result, state, p, input, o, m.Number)
		}
		if err == nil {
			err = e.joinLast(ctx, &result, state, m, p, input, o)
		}
		switch {
		case errors.Is(err, errNewer):
			result.Skipped = err.Error()
			return result, e.remove(ctx, state, nil)
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
	return result, e.remove(ctx, state, nil)
}

// piece makes one piece, where it is not there.
func (e *Engine) piece(ctx context.Context, result *Result, state string, p plan, input cos.Object, o output, n int) error {
	key := pieceKey(state, n)
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
	from := input
	if !audio {
		if from, err = e.Bucket.Head(ctx, chunkKey(state, n)); err != nil {
			return e.gone(ctx, state, err)
		}
	}
	in, err := e.Tools.Open(ctx, folder, source{e.Bucket, from}, e.Limits)
	switch {
	case err != nil:
		return e.gone(ctx, state, err)
	case audio:
		_, err = in.AudioPiece(ctx, task)
	default:
		_, err = in.Piece(ctx, p.Chunks[n], task)
	}
	if err != nil && !errors.Is(err, cos.ErrExists) { // another delivery's piece is the same
		return e.gone(ctx, state, err)
	}
	result.Piece = err == nil
	// A job that has ended meanwhile must find nothing more below its state.
	if _, ok, err := e.plan(ctx, state); err != nil || !ok {
		return errors.Join(err, e.Bucket.Delete(ctx, key))
	}
	return nil
}

// gone is nil where a job has ended while an error came up: then its chunks are gone.
func (e *Engine) gone(ctx context.Context, state string, err error) error {
	if _, ok, failed := e.plan(ctx, state); failed == nil && !ok {
		return nil
	}
	return err
}
