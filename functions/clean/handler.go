package main

import (
	"context"
	_ "embed" // the rules
	"errors"
	"fmt"
	"os"

	"github.com/scf-etl/scf-etl/pkg/job"
	"github.com/scf-etl/scf-etl/pkg/mirror"
	"github.com/scf-etl/scf-etl/pkg/transform"
)

//go:embed rules.yaml
var builtIn []byte

// New gives a handler that applies the rules to the records of an event. Rules with
// mistakes are an error that lists all of them by file:line:column, before anything is
// connected to.
func New(ctx context.Context, config Config) (job.Handler, error) {
	rules, err := load(config)
	if err != nil {
		return nil, err
	}
	letters, err := config.Letters.Engine(ctx)
	if err != nil {
		return nil, err
	}
	settings := config.Settings
	if settings.Topics.Empty() {
		if rules.Topic() == "" {
			return nil, errors.New("nothing says where cleaned records go: write output: {topic: NAME} in the rules, or set TOPICS=SOURCE:TARGET")
		}
		settings.Topics = mirror.AllTo(rules.Topic())
	}
	return job.Open(ctx, settings, mirror.Config{
		Job:         config.Job,
		Process:     func(string, int32) mirror.Processor { return &cleaner{rules, rules.New()} },
		DeadLetters: letters,
	})
}

// load reads the rules.
func load(config Config) (*transform.Rules, error) {
	name, text := "rules.yaml", builtIn
	if config.Rules != "" {
		name = config.Rules
		var err error
		if text, err = os.ReadFile(name); err != nil {
			return nil, fmt.Errorf("RULES: %w", err)
		}
	}
	return transform.Load(name, text, transform.Options{Secret: func(variable string) (string, bool) {
		return config.Key.Reveal(), variable == "ETL_KEY" && !config.Key.Empty()
	}})
}

// cleaner applies the rules to the records of one partition.
type cleaner struct {
	*transform.Rules // has the window that they look back over
	transformer      *transform.Transformer
}

// Process makes of a record what the rules say.
func (c *cleaner) Process(ctx context.Context, r job.Record, emit func(job.Output)) error {
	return hook(ctx, r, func(r job.Record) error {
		return c.transformer.Transform(transform.Record(r), func(o transform.Output) error {
			emit(job.Output(o))
			return nil
		})
	})
}

// Remember lets deduplicate rules know of a record that is done.
func (c *cleaner) Remember(ctx context.Context, r job.Record) {
	_ = hook(ctx, r, func(r job.Record) error { // what failed then is in the dead letter
		c.transformer.Warm(transform.Record(r))
		return nil
	})
}

var _ mirror.Rememberer = (*cleaner)(nil)
