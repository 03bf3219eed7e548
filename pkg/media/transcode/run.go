package transcode

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/media"
)

// Result is what one call has done.
type Result struct {
	Input   string   `json:"input,omitempty"`
	Made    []Made   `json:"made,omitempty"`
	Done    []string `json:"done,omitempty"`    // keys of outputs that were there already
	Split   int      `json:"split,omitempty"`   // pieces that messages were sent for
	Piece   bool     `json:"piece,omitempty"`   // a piece was made
	Joined  bool     `json:"joined,omitempty"`  // an output was joined of its pieces
	Skipped string   `json:"skipped,omitempty"` // why nothing was done
	Failed  []Failed `json:"failed,omitempty"`  // what is in the dead letter
}

// Made is an output that was made.
type Made struct {
	Key    string `json:"key"`
	Preset string `json:"preset"`
	media.Output
}

// Failed is an output, or a whole request, that is in the dead letter.
type Failed struct {
	Preset string `json:"preset,omitempty"`
	Error  string `json:"error"`
	Object string `json:"object"` // key of the dead letter
}

// LogAttrs sums the result up for a log line.
func (r Result) LogAttrs() []slog.Attr {
	var bytes int64
	for _, m := range r.Made {
		bytes += m.Bytes
	}
	attrs := []slog.Attr{slog.String("input", r.Input), slog.Int("made", len(r.Made)), slog.Int("done", len(r.Done)),
		slog.Int("failed", len(r.Failed)), slog.Int64("bytes", bytes)}
	if r.Split > 0 {
		attrs = append(attrs, slog.Int("split", r.Split))
	}
	if r.Piece || r.Joined {
		attrs = append(attrs, slog.Bool("piece", r.Piece), slog.Bool("joined", r.Joined))
	}
	if r.Skipped != "" {
		attrs = append(attrs, slog.String("skipped", r.Skipped))
	}
	return attrs
}

// Run makes the outputs of a request that are not there yet. A fault of the input or of the
// request is in the dead letter when it returns, and no error. An error means that the same
// request may work later: what was made until then is not made again.
func (e *Engine) Run(ctx context.Context, r Request) (Result, error) {
	result := Result{Input: r.Input}
	if e.Own(r.Input) {
		result.Skipped = "it is below a prefix of this function: outputs are never inputs"
		return result, nil
	}
	outputs, err := e.resolve(r)
	if err != nil {
		return e.bury(ctx, result, r, cos.Object{Key: r.Input}, nil, err)
	}
	input, err := e.Bucket.Head(ctx, r.Input)
	switch {
	case errors.Is(err, cos.ErrNotFound):
		return e.bury(ctx, result, r, cos.Object{Key: r.Input}, nil, &media.InputError{Err: err})
	case err != nil:
		return result, err
	case input.Metadata[metaJob] != "":
		result.Skipped = "it has the mark of an output: outputs are never inputs"
		return result, nil
	}
	var open []output
	job := []string{"request"} // why all: of two requests for one input, neither is an attempt at the other
	for _, o := range outputs {
		id := identity(input, o)
		job = append(job, id)
		there, err := e.done(ctx, o.key, id)
		switch {
		case err != nil:
			return result, err
		case there:
			result.Done = append(result.Done, o.key)
		default:
			open = append(open, o)
		}
	}
	if len(open) == 0 {
		return result, nil
	}
	return e.attempted(ctx, e.Work+digest(job...)+"/", len(open), result,
		func(killed error) (Result, error) {
			if killed != nil {
				return e.bury(ctx, result, r, input, nil, killed)
			}
			return e.make(ctx, result, r, input, open)
		})
}

// make makes outputs of an input.
func (e *Engine) make(ctx context.Context, result Result, r Request, input cos.Object, open []output) (Result, error) {
	folder, err := media.NewFolder(e.Temp, e.limits().TempBytes)
	if err != nil {
		return result, err
	}
	defer func() {
		if err := folder.Close(); err != nil {
			e.Log(ctx).Warn("temporary files stay", "error", err)
		}
	}()
	in, err := e.Tools.Open(ctx, folder, source{e.Bucket, input, errNewer}, e.Limits)
	if err != nil {
		return e.ended(ctx, result, r, input, nil, err)
	}
	for _, o := range open {
		if err := e.one(ctx, &result, r, in, input, o, folder); err != nil {
			return result, err
		}
	}
	return result, nil
}

// one makes one output, or splits it.
func (e *Engine) one(
	ctx context.Context, result *Result, r Request, in *media.Input, input cos.Object, o output, _ *media.Folder,
) error {
	id := identity(input, o)
	var err error
	if e.SplitOver > 0 && in.Info.Duration > e.SplitOver && o.preset.Splittable() {
		var pieces int
		pieces, err = e.split(ctx, in, input, o, r)
		result.Split += pieces
	} else {
		var made media.Output
		if made, err = in.Transcode(ctx, e.task(ctx, id, input, o)); err == nil {
			result.Made = append(result.Made, Made{Key: o.key, Preset: o.preset.Name, Output: made})
			err = errors.Join(e.tidy(ctx, id, o), e.unbury(ctx, input.Key, id))
		} else if errors.Is(err, errDone) {
			result.Done, err = append(result.Done, o.key), nil
		}
	}
	if err != nil {
		*result, err = e.ended(ctx, *result, r, input, &o, err)
	}
	return err
}

// ended sorts the error of a job: into the dead letter, or into the result, or to the platform.
func (e *Engine) ended(ctx context.Context, result Result, r Request, input cos.Object, o *output, err error) (Result, error) {
	switch {
	case errors.Is(err, errNewer):
		result.Skipped = err.Error()
		return result, nil
	case ctx.Err() == nil && media.IsInput(err):
		return e.bury(ctx, result, r, input, o, err)
	}
	return result, fmt.Errorf("transcode %q: %w", input.Key, err)
}

func (e *Engine) limits() media.Limits { return e.Limits.WithDefaults() }

// tellEvery is how often a log line says how far a job is.
const tellEvery = 10 * time.Second

// progress gives what logs how far a job is.
func (e *Engine) progress(ctx context.Context, o output) func(media.Progress) {
	log, last := e.Log(ctx), e.Now()
	return func(p media.Progress) {
		if now := e.Now(); now.Sub(last) >= tellEvery {
			last = now
			log.Info("transcoding", "preset", o.preset.Name, "done", p.Time.Round(time.Millisecond).String(), "speed", p.Speed)
		}
	}
}
