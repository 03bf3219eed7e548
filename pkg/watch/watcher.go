package watch

import (
	"context"
	"time"
)

// Watcher looks after the code of several functions.
type Watcher struct {
	// Find says what a function is built of. It is asked at the beginning and after each
	// change, because a change can bring other packages. Where it fails later on, what it
	// said before stays.
	Find func(ctx context.Context, function string) (Source, error)
	// Changed is called for a function whose code has changed and is the same in two looks,
	// so that nothing is built while it is being written. It is called by one goroutine;
	// what changes meanwhile is the next change.
	Changed func(ctx context.Context, function string)

	functions []*watched
}

// watched is one function.
type watched struct {
	name   string
	source Source
	built  stamps // what the function that runs was built of
	seen   stamps // what the last look has found, where that is something else
}

// Begin takes what is there now for what the functions are built of: it comes before
// their first build.
func (w *Watcher) Begin(ctx context.Context, functions ...string) error {
	for _, name := range functions {
		source, err := w.Find(ctx, name)
		if err != nil {
			return err
		}
		w.functions = append(w.functions, &watched{name: name, source: source, built: source.look()})
	}
	return nil
}

// Run looks at each tick, until ctx ends or there are no more ticks.
func (w *Watcher) Run(ctx context.Context, ticks <-chan time.Time) {
	for {
		select {
		case <-ctx.Done():
			return
		case _, more := <-ticks:
			if !more {
				return
			}
		}
		w.Look(ctx)
	}
}

// Look looks once at every function.
func (w *Watcher) Look(ctx context.Context) {
	for _, f := range w.functions {
		if ctx.Err() == nil && f.changed() {
			w.Changed(ctx, f.name)
			w.refresh(ctx, f)
		}
	}
}

// changed looks, and says whether there is a change that is complete.
func (f *watched) changed() bool {
	now := f.source.look()
	switch {
	case now.equal(f.built):
		f.seen = nil
		return false
	case f.seen == nil || !now.equal(f.seen):
		f.seen = now
		return false
	}
	f.built, f.seen = now, nil
	return true
}

// refresh asks anew what a function is built of. What was looked at before keeps the
// stamps that it was built with: it may have changed since.
func (w *Watcher) refresh(ctx context.Context, f *watched) {
	source, err := w.Find(ctx, f.name)
	if err != nil {
		return
	}
	former, next := f.source.look(), source.look()
	built := stamps{}
	for path, s := range next {
		if _, before := former[path]; !before {
			built[path] = s
		}
	}
	for path, s := range f.built {
		_, stays := next[path]
		_, there := former[path]
		if stays || !there {
			built[path] = s
		}
	}
	f.source, f.built = source, built
}
