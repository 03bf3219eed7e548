package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/fn"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/media"
	"github.com/scf-etl/scf-etl/pkg/media/transcode"
)

// handler transcodes what an event names.
type handler struct {
	config Config
	bucket *cos.Bucket
	engine *transcode.Engine
	topics topics
}

// Result is what one invocation has done, a line for each object or message.
type Result struct {
	Jobs []transcode.Result `json:"jobs"`
}

// LogAttrs sums the result up for a log line.
func (r Result) LogAttrs() []slog.Attr {
	if len(r.Jobs) == 1 {
		return r.Jobs[0].LogAttrs()
	}
	made, failed := 0, 0
	for _, j := range r.Jobs {
		made, failed = made+len(j.Made), failed+len(j.Failed)
	}
	return []slog.Attr{slog.Int("jobs", len(r.Jobs)), slog.Int("made", made), slog.Int("failed", failed)}
}

// New finds FFmpeg and looks what it can encode. It connects to nothing: Kafka is needed only
// for what is split, and for dead letters of messages.
func New(ctx context.Context, config Config) (fn.Handler[Event, Result], error) {
	places := media.DefaultPlaces()
	places.FFmpeg, places.FFprobe = config.FFmpeg, config.FFprobe
	tools, err := places.Find()
	if err != nil {
		return nil, err
	}
	presets, err := config.presets()
	if err != nil {
		return nil, err
	}
	if err := encodes(ctx, tools, config, presets); err != nil {
		return nil, err
	}
	bucket, err := config.open(role)
	if err != nil {
		return nil, err
	}
	h := &handler{config: config, bucket: bucket, topics: topics{config: config}}
	i, _ := fn.InvocationFrom(ctx)
	h.topics.function, h.topics.version = i.FunctionName, i.FunctionVersion
	engine := transcode.Config{
		Bucket: bucket, Tools: tools, Presets: presets, Limits: config.limits(i.MemoryMB),
		Output: config.OutputPrefix, Work: config.WorkPrefix, Failed: config.FailedPrefix,
		SplitOver: config.SplitOver, PieceLength: config.PieceLength, Attempts: config.Attempts, Log: fn.LoggerFrom,
	}
	if config.JobsTopic != "" && len(config.Source.Brokers) > 0 {
		engine.Publish = h.topics.publish
	}
	h.engine, err = transcode.New(engine)
	return h, err
}

// encodes refuses a build of FFmpeg that cannot make what is asked for of every object.
func encodes(ctx context.Context, tools media.Tools, config Config, presets map[string]media.Preset) error {
	has, err := tools.Encoders(ctx)
	if err != nil {
		return err
	}
	var missing []string
	for _, name := range config.Outputs {
		for _, encoder := range presets[name].Encoders() {
			if !has[encoder] && !slices.Contains(missing, encoder) {
				missing = append(missing, encoder)
			}
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("%s has no %s, which OUTPUTS needs: take another build of FFmpeg", tools.FFmpeg, strings.Join(missing, ", "))
	}
	return nil
}

// role gives the credentials of the function's role, which change with each invocation.
func role(ctx context.Context) (cos.Credentials, error) {
	c, err := fn.CredentialsFrom(ctx)
	return cos.Credentials{SecretID: c.SecretID.Reveal(), SecretKey: c.SecretKey, SessionToken: c.SessionToken}, err
}

// Handle does all that an event names, one after the other. What fails for its input is in
// the dead letter then; an error means that the event has to come again, and what is done
// already is not done again.
func (h *handler) Handle(ctx context.Context, e Event) (Result, error) {
	var result Result
	add := func(r transcode.Result, err error) error {
		result.Jobs = append(result.Jobs, r)
		if errors.Is(err, kafka.ErrAuthentication) {
			err = fn.Broken(err) // the next invocation may bring another password
		}
		return err
	}
	for _, o := range e.Objects.Records {
		if err := add(h.object(ctx, o)); err != nil {
			return result, err
		}
	}
	for _, r := range e.Records.Records {
		if err := add(h.record(ctx, r)); err != nil {
			return result, err
		}
	}
	if e.Message != nil {
		return result, add(h.message(ctx, *e.Message))
	}
	return result, nil
}

// object makes the outputs of an object that was created.
func (h *handler) object(ctx context.Context, o event.COSRecord) (transcode.Result, error) {
	switch {
	case !o.Created():
		return transcode.Result{Input: o.Key, Skipped: "it was not created: " + o.Event}, nil
	case o.FullBucket() != h.config.COS.Bucket:
		return transcode.Result{Input: o.Key}, fmt.Errorf("the event is of bucket %s, and COS_BUCKET is %s: the trigger is on the wrong bucket",
			o.FullBucket(), h.config.COS.Bucket)
	}
	r := transcode.Request{Input: o.Key}
	for _, name := range h.config.Outputs {
		r.Outputs = append(r.Outputs, transcode.Output{Preset: name})
	}
	return h.engine.Run(ctx, r)
}

// record does what a message of the topic asks for.
func (h *handler) record(ctx context.Context, r event.KafkaRecord) (transcode.Result, error) {
	m, err := transcode.ParseMessage(r.Body)
	var result transcode.Result
	if err != nil {
		result, err = h.engine.Refuse(ctx, fmt.Sprintf("%s/%d/%d", r.Topic, r.Partition, r.Offset), r.Body, err)
	} else {
		result, err = h.message(ctx, m)
	}
	if err == nil && len(result.Failed) > 0 {
		err = h.topics.bury(ctx, r, result.Failed)
	}
	return result, err
}

func (h *handler) message(ctx context.Context, m transcode.Message) (transcode.Result, error) {
	if m.Piece != nil {
		return h.engine.Piece(ctx, *m.Piece)
	}
	return h.engine.Run(ctx, *m.Request)
}

// Close drops the connections.
func (h *handler) Close() error {
	h.bucket.Close()
	return h.topics.close()
}
