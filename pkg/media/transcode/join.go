package transcode

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/media"
)

// claim is who joins the pieces of a job: the message of one of them.
type claim struct {
	Number int `json:"number"`
}

// joinLast joins the pieces of a job where all are there, and nobody else is at it.
func (e *Engine) joinLast(ctx context.Context, result *Result, state string, m Piece, p plan, input cos.Object, o output) error {
	pieces, err := e.allPieces(ctx, state, p)
	if err != nil || pieces == nil {
		return err
	}
	mine, err := e.claim(ctx, p.folder(state), m.Number)
	if err != nil || !mine {
		return err
	}
	return e.join(ctx, result, state, m.Job, p, input, o, pieces)
}

// allPieces are the pieces of a job in their order; nil where one is missing.
func (e *Engine) allPieces(ctx context.Context, state string, p plan) ([]media.Source, error) {
	var found []media.Source
	for o, err := range e.Bucket.List(ctx, cos.ListOptions{Prefix: p.folder(state) + "piece/"}) {
		if err != nil {
			return nil, err
		}
		if o.Key == p.piece(state, len(found)) {
			found = append(found, source{e.Bucket, o, errLost})
		}
	}
	if len(found) < p.pieces() {
		return nil, nil
	}
	return found, nil
}

// claim says whether the message of a piece is the one that joins: the first that says so. Asked
// again it is still the same, so that a join that was killed goes on when its message comes
// again.
func (e *Engine) claim(ctx context.Context, folder string, number int) (bool, error) {
	content, err := json.Marshal(claim{number})
	if err != nil {
		return false, err
	}
	_, err = e.Bucket.Put(ctx, folder+"join.json", bytes.NewReader(content), cos.PutOptions{IfAbsent: true})
	if !errors.Is(err, cos.ErrExists) {
		return err == nil, err
	}
	body, _, err := e.Bucket.Get(ctx, folder+"join.json")
	if errors.Is(err, cos.ErrNotFound) {
		return false, nil // the job has ended
	} else if err != nil {
		return false, err
	}
	defer body.Close()
	var c claim
	if err := json.NewDecoder(io.LimitReader(body, mostMessage)).Decode(&c); err != nil {
		return false, err
	}
	return c.Number == number, nil
}

// join makes the output of its pieces, and removes the state of the job.
func (e *Engine) join(
	ctx context.Context, result *Result, state, id string, p plan, input cos.Object, o output, pieces []media.Source,
) error {
	if err := e.still(ctx, input); err != nil {
		return err
	}
	folder, err := media.NewFolder(e.Temp, e.limits().TempBytes)
	if err != nil {
		return err
	}
	defer folder.Close()
	var audio media.Source
	if p.Audio {
		audio = pieces[len(p.Chunks)]
	}
	made, err := e.Tools.Join(ctx, folder, pieces[:len(p.Chunks)], audio, p.Info, e.task(ctx, id, input, o), e.Limits)
	switch {
	case errors.Is(err, errDone):
		result.Done = append(result.Done, o.key)
	case err != nil:
		// another delivery of the same message may have joined them, and removed them
		if done, failed := e.done(ctx, o.key, id); failed != nil || !done {
			return e.reason(ctx, state, p, input, err)
		}
		result.Done = append(result.Done, o.key)
	default:
		result.Joined = true
		result.Made = append(result.Made, Made{Key: o.key, Preset: o.preset.Name, Output: made})
	}
	return errors.Join(e.tidy(ctx, id, o), e.unbury(ctx, input.Key, id), e.end(ctx, state))
}
