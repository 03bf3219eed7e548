package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/redpanda-data/benthos/v4/public/bloblang"
	_ "github.com/redpanda-data/benthos/v4/public/components/io"
	_ "github.com/redpanda-data/benthos/v4/public/components/pure"
	"github.com/redpanda-data/benthos/v4/public/service"
)

// The ways to use the peer as a library, from the leanest on.
const (
	byExecutor   = "benthos executor"
	byProcessors = "benthos processors"
	byStream     = "benthos stream"
)

// processor is the YAML of one with a mapping.
func processor(kind, mapping string) string {
	return kind + ": |\n  " + strings.ReplaceAll(mapping, "\n", "\n  ")
}

func (p peerJob) ways() (found []way, close func() error, err error) {
	if p.mapping != "" {
		w, err := p.executor()
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", byExecutor, err)
		}
		found = append(found, w)
	}
	w, err := p.chain()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", byProcessors, err)
	}
	found = append(found, w)
	w, close, err = p.stream()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", byStream, err)
	}
	return append(found, w), close, nil
}

// executor is the mapping without messages.
func (p peerJob) executor() (way, error) {
	mapping, err := bloblang.Parse(p.mapping)
	if err != nil {
		return way{}, err
	}
	return way{byExecutor, func(values [][]byte, emit func([]byte)) error {
		for _, value := range values {
			var in, out any
			if p.json {
				if err := json.Unmarshal(value, &in); err != nil {
					return err
				}
				out = in
			} else {
				in = string(value)
			}
			err := mapping.Overlay(in, &out)
			if errors.Is(err, bloblang.ErrRootDeleted) {
				continue
			}
			if err != nil {
				return err
			}
			text, err := json.Marshal(out)
			if err != nil {
				return err
			}
			emit(text)
		}
		return nil
	}}, nil
}

// chain is the processors without a stream, with all messages in one batch.
func (p peerJob) chain() (way, error) {
	spec := service.NewConfigSpec().Field(service.NewProcessorListField("processors"))
	config, err := spec.ParseYAML("processors:\n"+list(p.processors), nil)
	if err != nil {
		return way{}, err
	}
	processors, err := config.FieldProcessorList("processors")
	if err != nil {
		return way{}, err
	}
	return way{byProcessors, func(values [][]byte, emit func([]byte)) error {
		batches, err := service.ExecuteProcessors(context.Background(), processors, batch(values))
		if err != nil {
			return err
		}
		for _, b := range batches {
			if err := texts(b, emit); err != nil {
				return err
			}
		}
		return nil
	}}, nil
}

// stream is the whole engine with an input and an output in memory, which takes all
// messages as one batch.
func (p peerJob) stream() (w way, close func() error, err error) {
	builder := service.NewStreamBuilder()
	builder.SetThreads(1)
	builder.SetLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))
	builder.SetHTTPMux(http.NewServeMux()) // which nothing serves
	if err := builder.SetMetricsYAML("none: {}"); err != nil {
		return w, nil, err
	}
	produce, err := builder.AddBatchProducerFunc()
	if err != nil {
		return w, nil, err
	}
	for _, text := range p.processors {
		if err := builder.AddProcessorYAML(text); err != nil {
			return w, nil, err
		}
	}
	var emit func([]byte) // handed over by produce, which waits for the consumer
	if err := builder.AddBatchConsumerFunc(func(_ context.Context, b service.MessageBatch) error {
		return texts(b, emit)
	}); err != nil {
		return w, nil, err
	}
	stream, err := builder.Build()
	if err != nil {
		return w, nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- stream.Run(ctx) }()
	close = func() error {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			return err
		}
		return nil
	}
	return way{byStream, func(values [][]byte, to func([]byte)) error {
		emit = to
		return produce(ctx, batch(values))
	}}, close, nil
}

func list(items []string) string {
	var out strings.Builder
	for _, item := range items {
		out.WriteString("- " + strings.ReplaceAll(item, "\n", "\n  ") + "\n")
	}
	return out.String()
}

func batch(values [][]byte) service.MessageBatch {
	messages := make(service.MessageBatch, len(values))
	for i, value := range values {
		messages[i] = service.NewMessage(value)
	}
	return messages
}

// texts gives emit the messages as they would be written. One with an error is not
// done.
func texts(messages service.MessageBatch, emit func([]byte)) error {
	for _, m := range messages {
		if err := m.GetError(); err != nil {
			return err
		}
		text, err := m.AsBytes()
		if err != nil {
			return err
		}
		emit(text)
	}
	return nil
}
