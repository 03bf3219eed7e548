package emulator

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"
)

// errRetired means that a version of a function was replaced or removed.
var errRetired = errors.New("this version is not deployed any more")

// pool keeps the instances of one deployed function. An instance is a process
// that runs one invocation at a time; the one used last is used first, so that
// those too many grow old and end.
type pool struct {
	platform *Platform
	launch   launch

	mu      sync.Mutex
	idle    []*instance
	busy    int // running an invocation, or starting for one
	ending  int // told to end
	serial  int
	closed  bool
	drained chan struct{} // closed when the pool is closed and no process is left
}

type instance struct {
	*process
	taken chan struct{} // closed when it stops being idle; made anew each time
}

func newPool(p *Platform, l launch) *pool {
	return &pool{platform: p, launch: l, drained: make(chan struct{})}
}

// get returns an instance to use alone until put, and how long its start took,
// 0 for a warm one. Once the pool is closed it fails with errRetired.
func (p *pool) get(ctx context.Context) (*instance, time.Duration, *FunctionError) {
	scratch, in, err := p.reserve()
	if err != nil || in != nil {
		return in, 0, err
	}
	l := p.launch
	l.scratch = scratch
	began := time.Now()
	proc, err := startProcess(ctx, &p.platform.spawn, &p.platform.ports, l)
	if err != nil {
		p.put(nil)
		return nil, time.Since(began), err
	}
	return &instance{process: proc}, time.Since(began), nil
}

// reserve takes an idle instance, or else the right to start one.
func (p *pool) reserve() (scratch string, in *instance, err *FunctionError) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return "", nil, systemError("start the function", errRetired)
	}
	for len(p.idle) > 0 && in == nil {
		in = p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		close(in.taken)
		select {
		case <-in.exited: // it ended while idle
			p.end(in)
			in = nil
		default:
		}
	}
	if most := p.platform.config.MaxInstances; in == nil && p.busy >= most {
		return "", nil, &FunctionError{Kind: KindLimit, Message: fmt.Sprintf("%d invocations are running, which is as many as may", most)}
	}
	p.busy++
	p.serial++
	return filepath.Join(p.launch.scratch, strconv.Itoa(p.serial)), in, nil
}

// put gives back what get gave: the instance, or nil where its process is gone.
func (p *pool) put(in *instance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy--
	switch {
	case in == nil:
	case p.closed:
		p.end(in)
	default:
		in.taken = make(chan struct{})
		p.idle = append(p.idle, in)
		at, stop := p.platform.config.Clock.After(p.platform.config.IdleTimeout)
		go p.retire(in, in.taken, at, stop)
	}
	p.settle()
}

// retire ends an instance that nobody has taken until its time is up.
func (p *pool) retire(in *instance, taken <-chan struct{}, at <-chan time.Time, stop func()) {
	defer stop()
	select {
	case <-taken:
		return
	case <-at:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-taken: // somebody was faster
	default:
		p.idle = slices.DeleteFunc(p.idle, func(other *instance) bool { return other == in })
		close(in.taken)
		p.end(in)
	}
}

// end ends an instance that is neither idle nor busy any more, in the
// background. p.mu is held.
func (p *pool) end(in *instance) {
	p.ending++
	go func() {
		in.stop(p.platform.config.StopGrace)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.ending--
		p.settle()
	}()
}

// close lets busy instances finish, ends the others, and lets nothing start. It
// returns at once; drained closes when all processes are gone.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.closed = true
	for _, in := range p.idle {
		close(in.taken)
		p.end(in)
	}
	p.idle = nil
	p.settle()
}

// settle closes drained once that is so. p.mu is held.
func (p *pool) settle() {
	if !p.closed || p.busy > 0 || p.ending > 0 {
		return
	}
	select {
	case <-p.drained:
	default:
		close(p.drained)
	}
}

// count returns the number of idle and busy instances.
func (p *pool) count() (idle, busy int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.idle), p.busy
}
