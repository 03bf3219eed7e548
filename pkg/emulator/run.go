package emulator

import (
	"context"
	"fmt"
	"sync"
)

// Run drives the triggers until the context ends. Then no batch is begun any
// more, running ones may finish within Config.StopGrace, what succeeded is
// committed, and Run returns nil. Functions can be deployed and triggers
// changed meanwhile. It can be called again after it has returned.
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
	p.runs = ctx
	p.running.Add(1)
	for _, t := range p.triggers {
		if t.set.Enabled {
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
	var wg sync.WaitGroup
	for _, t := range p.list() {
		wg.Go(func() { t.halt(patience) })
	}
	wg.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.runs = nil
}
