package main

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/scf"
	"github.com/scf-etl/scf-etl/pkg/watch"
)

// watchInterval is how often it is looked whether code has changed. A change is built
// when it has stayed the same for one interval.
const watchInterval = 200 * time.Millisecond

// rebuilder builds and deploys functions anew when their code changes, and gives them
// their last event again.
type rebuilder struct {
	platform *emulator.Platform
	service  *scf.Service
	folder   string
	pack     packager
	say      func(format string, args ...any)

	watcher watch.Watcher
	repeats sync.WaitGroup
}

// begin takes the code that is there now for that of the functions: it comes before they
// are built.
func (r *rebuilder) begin(ctx context.Context) error {
	r.watcher.Find = func(ctx context.Context, key string) (watch.Source, error) {
		return watch.Find(ctx, r.folder, filepath.Join("functions", key))
	}
	r.watcher.Changed = r.rebuild
	var keys []string
	for _, f := range r.service.Functions {
		keys = append(keys, f.Key)
	}
	return r.watcher.Begin(ctx, keys...)
}

// start rebuilds until ctx ends, or stop is called.
func (r *rebuilder) start(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(watchInterval)
		defer ticker.Stop()
		r.watcher.Run(ctx, ticker.C)
	}()
	return func() {
		cancel()
		<-ended
	}
}

// rebuild builds and deploys one function. Where that fails, what is deployed stays.
func (r *rebuilder) rebuild(ctx context.Context, key string) {
	begun := time.Now()
	err := deployAll(ctx, r.platform, r.service, r.folder, r.pack, key)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		r.say("%s NOT rebuilt, its former code goes on: %v", key, err)
	default:
		r.say("%s rebuilt and deployed in %v", key, time.Since(begun).Round(time.Millisecond))
		f, err := findFunction(r.service, key)
		if err == nil {
			// why beside: it may take as long as the function has, and the next change must not wait for it.
			r.repeats.Go(func() { r.repeat(context.WithoutCancel(ctx), f) })
		}
	}
}

// repeat gives a function its last event again. The platform tells of the invocation.
func (r *rebuilder) repeat(ctx context.Context, f scf.Function) {
	_, err := r.platform.Repeat(ctx, f.Name)
	switch {
	case err == nil, errors.Is(err, emulator.ErrNoEvent), errors.Is(err, emulator.ErrClosed):
	case errors.Is(err, emulator.ErrBusy):
		r.say("%s works on an event: the next one is for the new code", f.Key)
	default:
		r.say("%s: %v", f.Key, err)
	}
}
