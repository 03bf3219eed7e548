package transcode

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/media"
)

// Letter is the dead letter of an output, or of a whole request where none could be
// made: an object in JSON.
type Letter struct {
	Input    string    `json:"input"`
	ETag     string    `json:"etag,omitempty"` // of the version; "" where there was none
	Request  Request   `json:"request"`        // sent again, it is done again
	Preset   string    `json:"preset,omitempty"`
	Output   string    `json:"output,omitempty"`
	Error    string    `json:"error"`
	Program  string    `json:"program,omitempty"` // where one failed
	ExitCode *int      `json:"exit_code,omitempty"`
	Signal   string    `json:"signal,omitempty"`
	Stderr   string    `json:"stderr,omitempty"` // its last lines
	At       time.Time `json:"at"`
}

// mostKeyOfLetter bounds the key of an input in that of its letter.
const mostKeyOfLetter = 500

func (e *Engine) letterKey(input, id string) string {
	if len(input) > mostKeyOfLetter {
		input = digest(input)
	}
	return e.Failed + input + "/" + id + ".json"
}

// bury puts the dead letter of a request, or of one output of it. Its key is made of what
// failed, so that of a redelivery replaces it.
func (e *Engine) bury(ctx context.Context, result Result, r Request, input cos.Object, o *output, reason error) (Result, error) {
	l := Letter{Input: input.Key, ETag: input.ETag, Request: r, Error: reason.Error(), At: e.Now().UTC()}
	var id string
	if o != nil {
		l.Preset, l.Output = o.preset.Name, o.key
		l.Request = Request{Input: r.Input, Outputs: []Output{{Preset: o.preset.Name, Key: o.key}}}
		id = identity(input, *o)
	} else {
		text, _ := json.Marshal(r) // it was read from JSON
		id = digest("request", input.ETag, string(text))
	}
	if failed := new(media.ProcessError); errors.As(reason, &failed) {
		l.Program, l.ExitCode, l.Signal, l.Stderr = failed.Program, &failed.Code, failed.Signal, failed.Stderr
	}
	content, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return result, err
	}
	key := e.letterKey(input.Key, id)
	if cos.CheckKey(key) != nil { // the key of the input is what is wrong
		key = e.letterKey(digest(input.Key), id)
	}
	if _, err := e.Bucket.Put(ctx, key, bytes.NewReader(content), cos.PutOptions{ContentType: "application/json"}); err != nil {
		return result, errors.Join(err, reason)
	}
	result.Failed = append(result.Failed, Failed{Preset: l.Preset, Error: l.Error, Object: key})
	e.Log(ctx).Warn("in the dead letter", "input", input.Key, "preset", l.Preset, "object", key, "error", l.Error)
	return result, nil
}

// unbury removes the letter of an output that was made at last.
func (e *Engine) unbury(ctx context.Context, input, id string) error {
	return e.Bucket.Delete(ctx, e.letterKey(input, id))
}

// Refuse puts the dead letter of a message that is none: name says where it came from.
func (e *Engine) Refuse(ctx context.Context, name string, body []byte, reason error) (Result, error) {
	key := e.letterKey("messages/"+name, digest(string(body)))
	content, err := json.MarshalIndent(struct {
		Message string    `json:"message"`
		Error   string    `json:"error"`
		At      time.Time `json:"at"`
	}{string(body[:min(len(body), mostMessage)]), reason.Error(), e.Now().UTC()}, "", "  ")
	if err != nil {
		return Result{}, err
	}
	if _, err := e.Bucket.Put(ctx, key, bytes.NewReader(content), cos.PutOptions{ContentType: "application/json"}); err != nil {
		return Result{}, errors.Join(err, reason)
	}
	e.Log(ctx).Warn("in the dead letter", "message", name, "object", key, "error", reason)
	return Result{Failed: []Failed{{Error: reason.Error(), Object: key}}}, nil
}
