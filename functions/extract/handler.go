package main

import (
	"context"
	_ "embed" // the file
	"errors"
	"fmt"
	"os"

	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/extract"
	"github.com/scf-etl/scf-etl/pkg/fn"
	"github.com/scf-etl/scf-etl/pkg/kafka"
)

//go:embed extract.yaml
var builtIn []byte

// handler extracts what is new since the last time.
type handler struct {
	target    *kafka.Client
	extractor *extract.Extractor
}

// New reads the file and connects to the cluster. A file with mistakes is an error that
// lists all of them by file:line:column, before anything is connected to; a broker that is
// away or refuses the user is one that names it. The source is asked by the first event.
func New(ctx context.Context, config Config) (fn.Handler[event.Timer, extract.Result], error) {
	file, err := load(config)
	if err != nil {
		return nil, err
	}
	target, err := kafka.Open(ctx, config.Target)
	if err != nil {
		return nil, err
	}
	i, _ := fn.InvocationFrom(ctx)
	extractor, err := extract.New(extract.Config{
		Job: config.Job, File: file, Target: target,
		CreateTopics: config.CreateTopics, Partitions: config.Partitions, Codec: *config.Compression.Codec,
		DeadLetters: config.DeadLetterTopic, Function: i.FunctionName, Version: i.FunctionVersion,
		TransactionBytes: config.TransactionBytes, Log: fn.LoggerFrom,
	})
	if err != nil {
		return nil, errors.Join(err, target.Close())
	}
	return &handler{target, extractor}, nil
}

// load reads the file that says what is extracted.
func load(config Config) (*extract.File, error) {
	name, text := "extract.yaml", builtIn
	if config.File != "" {
		name = config.File
		var err error
		if text, err = os.ReadFile(name); err != nil {
			return nil, fmt.Errorf("EXTRACT_FILE: %w: name it from / on here; in the cloud it lies in the package, where package: patterns: of serverless.yml puts it", err)
		}
	}
	return extract.Load(name, text, extract.Options{Env: config.variable})
}

// Handle extracts until the source has no more, or shortly before the invocation's
// deadline; then the next firing goes on. After an error the platform sends the event
// again: what was committed is not written twice.
func (h *handler) Handle(ctx context.Context, _ event.Timer) (extract.Result, error) {
	result, err := h.extractor.Run(ctx)
	if errors.Is(err, kafka.ErrAuthentication) {
		err = fn.Broken(err) // the next invocation may bring another password
	}
	return result, err
}

// Close drops the connections.
func (h *handler) Close() error { return errors.Join(h.extractor.Close(), h.target.Close()) }
