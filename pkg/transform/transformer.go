package transform

import "errors"

// Transformer applies rules to records, one after the other, in memory that it
// uses again. It is for one goroutine. The records of a partition go through one
// transformer in their order, where a deduplicate rule is to work.
type Transformer struct {
	rules    *Rules
	steps    []step
	whens    []evaluator
	writer   *writer
	state    state
	counters Counters
}

// state is one record on its way through the rules.
type state struct {
	in        Record
	doc       document
	timestamp int64 // milliseconds since 1970; -1 where there is none
	forgotten int64
}

// New returns a transformer with nothing counted and nothing seen.
func (r *Rules) New() *Transformer {
	t := &Transformer{rules: r, writer: r.output.start()}
	for _, p := range r.rules {
		t.steps = append(t.steps, p.rule.start())
		t.whens = append(t.whens, p.when.start())
	}
	return t
}

// Counters returns what has been counted since New.
func (t *Transformer) Counters() Counters {
	c := t.counters
	c.Forgotten = t.state.forgotten
	return c
}

// Transform applies the rules to one record and calls emit with each record that
// comes out: none where a rule leaves it out, one, or several where it is routed to
// several topics. nil says that all of it is done.
//
// An *[Error] is permanent and belongs with the record into the dead letter;
// nothing was emitted then. Any other error is the one that emit returned, as it is:
// the record is not done, though outputs before may be, and nothing about it was
// counted. Given again, it becomes what it became before.
func (t *Transformer) Transform(in Record, emit func(Output) error) error {
	out, err := t.apply(in)
	if err != nil {
		t.counters.In++
		t.counters.Failed++
		return err
	}
	switch out {
	case filtered:
		t.counters.Filtered++
	case duplicate:
		t.counters.Duplicate++
	default:
		emitted, err := t.emit(emit)
		if err != nil {
			return err
		}
		t.counters.Passed++
		t.counters.Out += int64(emitted)
	}
	t.counters.In++
	return nil
}

// Warm applies the rules to a record that is done already, for what they remember
// of it, and emits and counts nothing. See the deduplicate rule.
func (t *Transformer) Warm(in Record) {
	forgotten := t.state.forgotten
	_, _ = t.apply(in) // what failed then fails now, and is in the dead letter
	t.state.forgotten = forgotten
}

// apply runs the rules and writes the outputs, so that all that can fail has
// happened before anything is emitted.
func (t *Transformer) apply(in Record) (verdict, error) {
	s := &t.state
	s.in, s.timestamp = in, in.Timestamp
	s.doc.reset()
	if in.Value == nil {
		if v, err, done := t.rules.output.tombstone(); done {
			if err == nil && v == pass {
				t.writer.tombstone(s)
			}
			return v, err
		}
	}
	for i, step := range t.steps {
		p := &t.rules.rules[i]
		if p.when != nil {
			ok, err := t.whens[i].truth(s)
			if err != nil {
				return pass, p.error(i, err)
			}
			if !ok {
				continue
			}
		}
		v, err := step.apply(s)
		if err != nil {
			return pass, p.error(i, err)
		}
		if v != pass {
			return v, nil
		}
	}
	if err := t.writer.write(s); err != nil {
		return pass, t.rules.output.error(err)
	}
	return pass, nil
}

func (t *Transformer) emit(emit func(Output) error) (int, error) {
	for _, o := range t.writer.outputs {
		if err := emit(o); err != nil {
			return 0, err
		}
	}
	return len(t.writer.outputs), nil
}

func (p *placed) error(index int, err error) *Error {
	e := &Error{Rule: index, Kind: p.kind, Pos: p.pos, Err: err}
	var f *failure
	if errors.As(err, &f) {
		e.Field, e.Excerpt, e.Err = f.field, excerpt(f.value), f.err
	}
	return e
}
