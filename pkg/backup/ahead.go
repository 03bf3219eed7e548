package backup

import (
	"context"
	"sync"
)

// readAhead reads the segment behind the one that a slot gives, so that the store and the
// target are at work at the same time. A slot has two segments in memory then.
type readAhead struct {
	ctx   context.Context // of all that it reads
	tasks sync.WaitGroup
}

// coming is a segment that is read ahead.
type coming struct {
	loader
	of    *partLog
	index int
	done  chan struct{}
	log   []byte
	err   error
}

// begin reads what comes behind the segment of a slot. It does nothing where a is nil.
func (a *readAhead) begin(s *slot) {
	next := s.index + 1
	if a == nil || next >= len(s.of.segments) || s.coming != nil {
		return
	}
	c := &coming{loader: s.spare, of: s.of, index: next, done: make(chan struct{})}
	c.chain, c.identities = s.chain, s.identities
	s.coming, s.spare = c, loader{}
	a.tasks.Go(func() {
		defer close(c.done)
		c.log, c.err = c.load(a.ctx, c.of.at, c.of.segments[c.index])
	})
}

// read brings a segment into memory: the one that was read ahead where it is that, and its
// log in which nothing was wrong. It is valid until the next call.
func (s *slot) read(ctx context.Context, part *partLog, index int) ([]byte, error) {
	if c := s.coming; c != nil {
		select {
		case <-c.done:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		s.coming = nil
		if c.err == nil && c.of == part && c.index == index {
			s.spare, s.loader = s.loader, c.loader
			return c.log, nil
		}
		s.spare = c.loader // it may be asked for once more, and say why
	}
	return s.load(ctx, part.at, part.segments[index])
}
