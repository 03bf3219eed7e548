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
	Split   string        `json:"split"`   // names the delivery whose chunks count
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

const planName = "plan.json"

// folder is where all is that belongs to a plan, and to no other one of the same job.
func (p plan) folder(state string) string { return state + p.Split + "/" }

func (p plan) chunk(state string, n int) string {
	return fmt.Sprintf("%schunk/%05d", p.folder(state), n)
}

func (p plan) piece(state string, n int) string {
	return fmt.Sprintf("%spiece/%05d", p.folder(state), n)
}

// split cuts an input into chunks and sends a message for each piece. What a killed one has
// done is done again, and nothing is taken twice: the plan is made once, and of deliveries that
// split at the same time it names the chunks of one. A delivery removes no chunks but its own, and
// those only while it is sure that no plan names them.
func (e *Engine) split(ctx context.Context, in *media.Input, input cos.Object, o output, r Request) (int, error) {
	if e.Publish == nil {
		return 0, &media.InputError{Err: fmt.Errorf("%w: it is %v long, and a video of more than %v is done in pieces, which need a topic for their messages",
			media.ErrLimit, in.Info.Duration, e.SplitOver)}
	}
	id := identity(input, o)
	state := e.state(id)
	p, planned, err := e.plan(ctx, state)
	if err == nil && !planned {
		p, err = e.makePlan(ctx, in, input, o, r, state)
	}
	if err != nil {
		return 0, err
	}
	all := make([]Piece, p.pieces())
	for n := range all {
		all[n] = Piece{Job: id, Output: o.key, Number: n}
	}
	return len(all), e.Publish(ctx, all)
}

// makePlan puts the chunks of an input and then the plan that names them, and gives the plan that
// counts.
func (e *Engine) makePlan(ctx context.Context, in *media.Input, input cos.Object, o output, r Request, state string) (plan, error) {
	p := plan{Split: e.ID(), Key: o.key, Input: input.Key, ETag: input.ETag, Size: input.Size, Info: in.Info,
		Request: Request{Input: r.Input, Outputs: []Output{{Preset: o.preset.Name, Key: o.key}}}}
	_, audio := in.Info.First(media.Audio)
	p.Audio = audio && o.preset.HasAudio()
	undo := func() error {
		after, cancel := context.WithTimeout(context.WithoutCancel(ctx), forget)
		defer cancel()
		return e.remove(after, p.folder(state), nil)
	}
	var err error
	p.Chunks, err = in.Split(ctx, e.PieceLength, func(ctx context.Context, c media.Chunk, size int64, body io.Reader) error {
		_, err := e.Bucket.Put(ctx, p.chunk(state, c.Number), body, cos.PutOptions{Size: size})
		return err
	}, e.progress(ctx, o))
	if err != nil {
		return plan{}, errors.Join(err, undo())
	}
	content, err := json.Marshal(p)
	if err != nil {
		return plan{}, errors.Join(err, undo())
	}
	_, err = e.Bucket.Put(ctx, state+planName, bytes.NewReader(content), cos.PutOptions{IfAbsent: true})
	if !errors.Is(err, cos.ErrExists) {
		return p, err // why no undo: of a request without an answer nobody knows whether it was heard
	}
	first, ok, err := e.plan(ctx, state)
	switch {
	case err != nil:
		return plan{}, err
	case !ok:
		err = errors.New("its job has ended while it was split")
	case first.Split == p.Split:
		return p, nil
	}
	return first, errors.Join(err, undo())
}

// plan reads the plan of a job; ok is false where there is none.
func (e *Engine) plan(ctx context.Context, state string) (p plan, ok bool, err error) {
	body, _, err := e.Bucket.Get(ctx, state+planName)
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

// end removes the state of a job, the plan before all else: so where something is missing that
// a plan names and the plan is still there, it is not because the job has ended.
func (e *Engine) end(ctx context.Context, state string) error {
	if err := e.Bucket.Delete(ctx, state+planName); err != nil {
		return err
	}
	return e.remove(ctx, state, nil)
}

// reason says why a delivery could not make what it should: nil where its job has ended meanwhile. That a chunk or a piece
// is missing is errNewer where the input was replaced, and else a fault that no repeat mends.
func (e *Engine) reason(ctx context.Context, state string, p plan, input cos.Object, err error) error {
	over, failed := e.over(ctx, state, p)
	switch {
	case over:
		return nil
	case !errors.Is(err, errLost):
		return err
	case failed != nil:
		return errors.Join(err, failed)
	}
	if changed := e.still(ctx, input); changed != nil {
		return changed
	}
	return &media.InputError{Err: fmt.Errorf("%w: the plan of the job names it, and the job has not ended: send the request again", err)}
}

// over says whether the job of a plan has ended.
func (e *Engine) over(ctx context.Context, state string, p plan) (bool, error) {
	now, ok, err := e.plan(ctx, state)
	return err == nil && (!ok || now.Split != p.Split), err
}
