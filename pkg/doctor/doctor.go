package doctor

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// Config says what to look at. The zero value looks at the machine alone.
type Config struct {
	// Environ is the environment that settings come from.
	Environ map[string]string
	// Service is serverless.yml; nil, with LoadError or without, where there
	// is none: then Environ alone says where the clusters are.
	Service   *scf.Service
	LoadError error
	// Function is the key of the function whose copy is looked at; empty is
	// the first one with TARGET_BROKERS.
	Function string
	// Source and Target are brokers that replace SOURCE_BROKERS and
	// TARGET_BROKERS.
	Source, Target []string
	// Topics are the source topics to look at; none means those of the
	// function's triggers and of TOPICS.
	Topics []string
	// Progress, where set, is told the parts that are being looked at, and
	// nothing at the end. It is called from one goroutine at a time.
	Progress func(busy []string)
	// Now is the clock; nil is the machine's.
	Now func() time.Time
}

// Bounds of the whole: what is not found out within partTimeout is reported as
// that. defaultRequestTimeout is that of [kafka.Config].
const (
	requestTimeout        = 5 * time.Second
	defaultRequestTimeout = 15 * time.Second
	partTimeout           = 45 * time.Second
	wholeTimeout          = 2 * time.Minute
)

// Run looks at everything, the clusters side by side, and takes two minutes at
// most. What could not be found out is a finding. Where ctx
// ends it returns what it has.
func Run(ctx context.Context, cfg Config) Report {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	ctx, cancel := context.WithTimeout(ctx, wholeTimeout)
	defer cancel()
	d := &doctor{Config: cfg, busy: map[string]bool{}}
	d.readSettings()
	source := newCluster(d, "source", "SOURCE_", d.settings.Source)
	target := newCluster(d, "target", "TARGET_", d.settings.Target)
	target.isTarget = true
	defer source.close()
	defer target.close()

	var machine Section
	service := d.service()
	var parts errgroup.Group
	parts.Go(func() error {
		d.part(ctx, "machine", func(ctx context.Context) {
			machine = checkMachine(ctx)
			d.ffmpeg(ctx, &machine)
		})
		return nil
	})
	for _, c := range []*cluster{source, target} {
		parts.Go(func() error { d.part(ctx, c.Title, c.check); return nil })
	}
	_ = parts.Wait() // a part reports what is wrong itself

	report := Report{machine}
	if len(service.Findings) > 0 {
		report = append(report, service)
	}
	report = append(report, source.Section, target.Section)
	if source.client == nil && target.client == nil {
		return report
	}
	topics := make(Report, len(d.topics()))
	parts.SetLimit(4)
	for i, name := range d.topics() {
		parts.Go(func() error {
			d.part(ctx, "topic "+name, func(ctx context.Context) { topics[i] = checkTopic(ctx, d, source, target, name) })
			return nil
		})
	}
	_ = parts.Wait()
	return append(report, topics...)
}

// doctor is one run.
type doctor struct {
	Config
	settings settings
	function *scf.Function // nil: none is looked at
	given    []string      // keys of Environ that the function does not get
	faults   []string      // of the settings

	mu   sync.Mutex
	busy map[string]bool
}

// part does one part of the work within its time, and says so to Progress.
func (d *doctor) part(ctx context.Context, name string, work func(context.Context)) {
	ctx, cancel := context.WithTimeout(ctx, partTimeout)
	defer cancel()
	d.progress(name, true)
	defer d.progress(name, false)
	work(ctx)
}

func (d *doctor) progress(name string, begins bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if begins {
		d.busy[name] = true
	} else {
		delete(d.busy, name)
	}
	if d.Progress == nil {
		return
	}
	var names []string
	for name := range d.busy {
		names = append(names, name)
	}
	slices.Sort(names)
	d.Progress(names)
}

// topics are the source topics to look at.
func (d *doctor) topics() []string {
	if len(d.Topics) > 0 {
		return d.Topics
	}
	var names []string
	add := func(name string) {
		if name != "" && name != "*" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if d.function != nil {
		for _, e := range d.function.Events {
			if e.Kafka != nil {
				add(e.Kafka.Topic)
			}
		}
	} else {
		add(d.Environ["TOPIC"])
	}
	for pair := range strings.SplitSeq(d.setting("TOPICS"), ",") {
		name, _, _ := strings.Cut(strings.TrimSpace(pair), ":")
		add(name)
	}
	return names
}

// bounded gives a request less time than a function has for it, unless
// REQUEST_TIMEOUT says another one than the default.
func bounded(cfg kafka.Config) kafka.Config {
	if cfg.RequestTimeout == 0 || cfg.RequestTimeout == defaultRequestTimeout {
		cfg.RequestTimeout = requestTimeout
	}
	return cfg
}
