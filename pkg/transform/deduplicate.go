package transform

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"

	"github.com/scf-etl/scf-etl/pkg/yamlfile"
)

// deduplicateRule leaves a record out whose key was seen before within the window.
//
// What it promises: within one partition, whose records go through one
// [Transformer] in the order of their offsets. Two partitions, and two transformers,
// know nothing of each other. The decision is a function of the records of the
// partition before it, not of the clock or of how often something was delivered: when
// the transformer is given an offset again, it goes back to what it knew then, and
// decides as it did. A new instance knows nothing; to make it decide as the old one
// would have, give [Transformer.Warm] the records of the window before the first new
// one. Memory is bounded by capacity, in keys a partition; a key that is forgotten
// before its window ends is counted, and its next record passes.
type deduplicateRule struct {
	fields   []*path
	expr     *expression
	span     time.Duration // of event time; 0: records counts
	records  int64         // in offsets
	capacity int
}

const (
	defaultCapacity = 100_000
	maxCapacity     = 10_000_000
)

func (l *loader) deduplicate(n *yamlfile.Node) rule {
	t := l.Table(n, "deduplicate", "by", "expr", "window", "records", "capacity")
	r := &deduplicateRule{span: t.Duration("window"), records: int64(t.Number("records", 0, 1, maxCapacity))}
	by, expr := t.Get("by"), t.Get("expr")
	switch {
	case (by == nil) == (expr == nil):
		l.Fault(n, "write by: [field], or expr: ...", "deduplicate needs one of by and expr")
	case by != nil:
		r.fields = l.fields(l.Texts(by, "by"))
	default:
		r.expr = l.expression(expr)
	}
	if (t.Get("window") == nil) == (t.Get("records") == nil) {
		l.Fault(n, "write window: 10m of event time, or records: 10000", "deduplicate needs one of window and records")
	}
	// Twice the window, so that going back after a redelivery finds all that was known then.
	r.capacity = t.Number("capacity", max(defaultCapacity, int(2*r.records)), 1, 2*maxCapacity)
	if int64(r.capacity) < r.records {
		l.Fault(t.Get("capacity"), "", "capacity is less than the records of the window")
	}
	return r
}

func (r *deduplicateRule) start() step {
	return &deduplicateStep{rule: r, expr: r.expr.start(), windows: map[partition]*window{}}
}

type partition struct {
	topic  string
	number int32
}

type deduplicateStep struct {
	rule    *deduplicateRule
	expr    evaluator
	windows map[partition]*window
	key     []byte
}

func (t *deduplicateStep) apply(s *state) (verdict, error) {
	if err := t.makeKey(s); err != nil {
		return pass, err
	}
	if t.rule.span > 0 && s.timestamp < 0 {
		return pass, &failure{err: errors.Join(ErrTime, errors.New("a window of time needs records with an event time"))}
	}
	at := partition{s.in.Topic, s.in.Partition}
	w := t.windows[at]
	if w == nil {
		w = &window{rule: t.rule, latest: map[digest]int{}}
		t.windows[at] = w
	}
	sum := sha256.Sum256(t.key)
	seen, forgotten := w.see(digest(sum[:16]), s.in.Offset, s.timestamp)
	s.forgotten += forgotten
	if seen && s.in.Redriven == 0 {
		return duplicate, nil
	}
	return pass, nil
}

func (t *deduplicateStep) makeKey(s *state) error {
	t.key = t.key[:0]
	if t.rule.expr != nil {
		v, err := t.expr.value(s)
		if err != nil {
			return err
		}
		if v.kind == missing {
			return &failure{err: ErrMissing}
		}
		t.key = append(t.key, s.doc.text(v)...)
		return nil
	}
	for _, p := range t.rule.fields {
		v := s.doc.get(p)
		if v.kind == missing {
			return &failure{field: p.text, err: ErrMissing}
		}
		part := s.doc.text(v)
		// With the lengths, ab and c differ from a and bc.
		t.key = binary.AppendUvarint(t.key, uint64(len(part)))
		t.key = append(t.key, part...)
	}
	return nil
}
