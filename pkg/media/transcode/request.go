package transcode

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/media"
)

// Request asks for outputs of an object.
type Request struct {
	Input   string   `json:"input"`   // key of the object
	Outputs []Output `json:"outputs"` // at least one
}

// Output is one that is asked for. In JSON it may be the name of a preset alone.
type Output struct {
	Preset string `json:"preset"`
	Key    string `json:"key,omitempty"` // below the prefix of outputs; "": by input and preset
}

// Piece is the message of a piece of a long job.
type Piece struct {
	Job    string `json:"job"`    // identity of the output
	Output string `json:"output"` // key of the output
	Number int    `json:"number"` // of the chunk; the one behind the last is the audio
}

// Message is what a record holds: a request, or a piece.
type Message struct {
	Request *Request
	Piece   *Piece
}

// Bounds of a message.
const (
	mostMessage = 64 << 10
	mostOutputs = 32
)

var jobName = regexp.MustCompile(`^[0-9a-f]{32}$`)

// ParseMessage reads a message. Members that it does not know are an error: a misspelt one would
// do something else.
func ParseMessage(text []byte) (Message, error) {
	if len(text) > mostMessage {
		return Message{}, fmt.Errorf("the message has %d bytes, at most %d are read", len(text), mostMessage)
	}
	var wire struct {
		Input   *string  `json:"input"`
		Outputs []Output `json:"outputs"`
		Piece   *Piece   `json:"piece"`
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&wire); err != nil {
		return Message{}, fmt.Errorf(`the message is not {"input": KEY, "outputs": [...]}: %w`, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Message{}, errors.New("the message has something behind its end")
	}
	switch {
	case wire.Piece != nil && (wire.Input != nil || wire.Outputs != nil):
		return Message{}, errors.New("the message is a piece and a request")
	case wire.Piece != nil:
		p := wire.Piece
		if !jobName.MatchString(p.Job) || p.Number < 0 || cos.CheckKey(p.Output) != nil {
			return Message{}, errors.New("the message names no piece of a job")
		}
		return Message{Piece: p}, nil
	case wire.Input == nil:
		return Message{}, errors.New(`the message has no "input", the key of an object`)
	}
	r := Request{Input: *wire.Input, Outputs: wire.Outputs}
	return Message{Request: &r}, r.check()
}

// MarshalJSON encodes a message as ParseMessage reads it.
func (m Message) MarshalJSON() ([]byte, error) {
	if m.Piece != nil {
		return json.Marshal(struct {
			Piece *Piece `json:"piece"`
		}{m.Piece})
	}
	return json.Marshal(m.Request)
}

// UnmarshalJSON reads an output, or the name of its preset.
func (o *Output) UnmarshalJSON(text []byte) error {
	*o = Output{}
	if len(text) > 0 && text[0] == '"' {
		return json.Unmarshal(text, &o.Preset)
	}
	type plain Output
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return decoder.Decode((*plain)(o))
}

func (r Request) check() error {
	if err := cos.CheckKey(r.Input); err != nil {
		return fmt.Errorf("input: %w", err)
	}
	if len(r.Outputs) == 0 || len(r.Outputs) > mostOutputs {
		return fmt.Errorf("outputs: want 1 to %d, and there are %d", mostOutputs, len(r.Outputs))
	}
	return nil
}

// output is one of a request, with all that is known of it before its input is read.
type output struct {
	preset media.Preset
	key    string
}

// resolve finds presets and keys; all faults are named.
func (e *Engine) resolve(r Request) ([]output, error) {
	faults := []error{r.check()}
	var all []output
	keys := map[string]bool{}
	for _, o := range r.Outputs {
		preset, known := e.Presets[o.Preset]
		if !known {
			faults = append(faults, fmt.Errorf("there is no preset %.60q: there are %s", o.Preset, strings.Join(media.Names(e.Presets), ", ")))
			continue
		}
		key := cmp.Or(o.Key, e.defaultKey(r.Input, preset))
		if err := e.checkOutput(key, preset); err != nil {
			faults = append(faults, err)
		}
		if keys[key] {
			faults = append(faults, fmt.Errorf("two outputs have the key %q", key))
		}
		keys[key] = true
		all = append(all, output{preset, key})
	}
	if err := errors.Join(faults...); err != nil {
		return nil, &media.InputError{Err: err}
	}
	return all, nil
}

// playlistName is that of a playlist, because segments are named relative to it.
const playlistName = "index.m3u8"

func (e *Engine) defaultKey(input string, p media.Preset) string {
	if p.Container == media.ContainerHLS {
		return e.Output + input + "/" + p.Name + "/" + playlistName
	}
	return e.Output + input + "/" + p.Name + p.Container.Extension()
}

// checkOutput refuses a key that is not below the prefix of outputs.
func (e *Engine) checkOutput(key string, p media.Preset) error {
	rest, below := strings.CutPrefix(key, e.Output)
	switch {
	case cos.CheckKey(key) != nil:
		return fmt.Errorf("output %.100q: %w", key, cos.CheckKey(key))
	case !below || rest == "" || strings.HasSuffix(key, "/"):
		return fmt.Errorf("output %.100q is not below %s, where outputs are", key, e.Output)
	case slices.ContainsFunc(strings.Split(rest, "/"), func(part string) bool { return part == "." || part == ".." }):
		return fmt.Errorf("output %.100q has . or .. in it", key)
	case p.Container == media.ContainerHLS && path.Base(key) != playlistName:
		return fmt.Errorf("output %.100q is of HLS: its name has to be %s", key, playlistName)
	case len(key)+len(segmentsFolder)+64 > cos.MaxKey:
		return fmt.Errorf("output %.100q... is too long for a key", key)
	}
	return nil
}

// identity names an output of one version of an input.
func identity(input cos.Object, o output) string {
	return digest("output", input.Key, input.ETag, o.preset.Digest(), o.key)
}

func digest(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
