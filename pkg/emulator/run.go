package emulator

import (
	"context"
	"fmt"
	"sync"
)

// Run drives the triggers until the context ends. Then no batch is begun and no
// event sent any more, running ones may finish within Config.StopGrace, what
// succeeded is committed, asynchronous events that wait to be sent again are given
// up, and Run returns nil. Functions can be deployed and triggers changed
// meanwhile. It can be called again after it has returned. A timer does not make
// up for what it would have sent in between.
func (p *Platform) Run(ctx context.Context) error {
	if err := p.startAll(ctx); err != nil {
		return fmt.Errorf("run the platform: %w", err)
	}
	defer p.running.Done()
	select {
	case <-ctx.Done():
	case <-p.closing:
	}
	p.haltAll(ctx)
	return nil
}

// startAll begins a run.
func (p *Platform) startAll(ctx context.Context) error {
	p.deploying.Lock()
	defer p.deploying.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return ErrClosed
	case p.runs != nil:
		return ErrRunning
	}
	p.runs, p.async = ctx, newAsyncRun(ctx, p)
	p.running.Add(1)
	for _, t := range p.triggers {
		if t.settings().Enabled() {
			t.start(ctx)
		}
	}
	return nil
}

// haltAll ends a run.
func (p *Platform) haltAll(ctx context.Context) {
	p.deploying.Lock()
	defer p.deploying.Unlock()
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.config.StopGrace)
	defer cancel()
	p.async.stop()
	var wg sync.WaitGroup
	for _, t := range p.list() {
		wg.Go(func() { t.halt(patience) })
	}
	wg.Wait()
	p.async.end(patience)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.runs, p.async = nil, nil
}
