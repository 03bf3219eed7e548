package dataset

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/axiomhq/hyperloglog"
	"github.com/caio/go-tdigest/v4"
)

// measure is one that is taken of the rows of each group.
type measure interface {
	// grow makes room for so many groups.
	grow(groups int)
	// add takes rows of a selection in, each into its group; c is nil where no column is needed. alone: there is
	// one group.
	add(c *column, selection []int32, groups []uint32, alone bool) error
	// value is that of a group.
	value(group int) any
	// size is about how many bytes are taken.
	size() int64
	kind() Type
}

// checkMeasure checks what is known without a dataset.
func checkMeasure(m Measure) error {
	switch m.Op {
	case Count:
		return nil
	case Sum, Min, Max, Avg, Distinct:
	case Quantile:
		if !(m.Q >= 0 && m.Q <= 1) {
			return fmt.Errorf("%w: measure %s: the quantile %v is not between 0 and 1", ErrQuery, m.Name, m.Q)
		}
	default:
		return fmt.Errorf(
			"%w: measure %s: there is no %q; want count, sum, min, max, avg, distinct or quantile",
			ErrQuery,
			m.Name,
			m.Op,
		)
	}
	if m.Column == "" {
		return fmt.Errorf("%w: measure %s: %s needs a column", ErrQuery, m.Name, m.Op)
	}
	return nil
}

// newMeasure gives a measure of a column of a type.
func newMeasure(m Measure, kind Type) (measure, error) {
	number := kind == Int || kind == Float
	switch m.Op {
	case Count:
		return &counting{}, nil
	case Sum:
		if kind == Int {
			return &sumOfInts{name: m.Name}, nil
		} else if kind == Float {
			return &sumOfFloats{}, nil
		}
	case Avg:
		if number {
			return &average{}, nil
		}
	case Min, Max:
		switch kind {
		case Int, Timestamp:
			return &extremeInt{of: kind, least: m.Op == Min}, nil
		case Float:
			return &extremeFloat{least: m.Op == Min}, nil
		}
		return &extreme{of: kind, least: m.Op == Min}, nil
	case Distinct:
		return &distinct{of: kind}, nil
	case Quantile:
		if number {
			return &quantile{q: m.Q}, nil
		}
	}
	return nil, fmt.Errorf(
		"%w: measure %s: there is no %s of column %s, which is %s",
		ErrQuery,
		m.Name,
		m.Op,
		m.Column,
		kind,
	)
}

func grown[T any](s []T, n int) []T {
	if n <= len(s) {
		return s
	}
	if n > cap(s) {
		s = append(make([]T, 0, max(n, 2*cap(s))), s...)
	}
	return s[:n]
}

// usable is the rows of a selection with a value, and their groups.
type usable struct {
	selection []int32
	groups    []uint32
}

func (u *usable) of(c *column, selection []int32, groups []uint32) ([]int32, []uint32) {
	if c.valid == nil {
		return selection, groups
	}
	u.selection, u.groups = u.selection[:0], u.groups[:0]
	for j, i := range selection {
		if c.valid[i] {
			u.selection, u.groups = append(u.selection, i), append(u.groups, groups[j])
		}
	}
	return u.selection, u.groups
}

type counting struct {
	n []int64
	usable
}

func (m *counting) grow(groups int)     { m.n = grown(m.n, groups) }
func (m *counting) value(group int) any { return m.n[group] }
func (m *counting) size() int64         { return int64(8 * cap(m.n)) }
func (m *counting) kind() Type          { return Int }

func (m *counting) add(c *column, selection []int32, groups []uint32, alone bool) error {
	if c != nil {
		selection, groups = m.of(c, selection, groups)
	}
	if alone {
		if len(selection) > 0 {
			m.n[0] += int64(len(selection))
		}
		return nil
	}
	n := m.n
	for _, g := range groups {
		n[g]++
	}
	return nil
}

// ints gives the numbers of a column in the order of its rows, or by code.
func (c *column) ints(i int32) int64 {
	if c.dict != nil {
		return c.dict.ints[c.codes[i]]
	}
	return c.plain.ints[i]
}

func (c *column) floats(i int32) float64 {
	if c.kind == Int {
		return float64(c.ints(i))
	}
	if c.dict != nil {
		return c.dict.floats[c.codes[i]]
	}
	return c.plain.floats[i]
}

type sumOfInts struct {
	name string
	sum  []int64
	seen []bool
	usable
}

func (m *sumOfInts) grow(groups int) { m.sum, m.seen = grown(m.sum, groups), grown(m.seen, groups) }
func (m *sumOfInts) size() int64     { return int64(9 * cap(m.sum)) }
func (m *sumOfInts) kind() Type      { return Int }
func (m *sumOfInts) value(group int) any {
	if !m.seen[group] {
		return nil
	}
	return m.sum[group]
}

func (m *sumOfInts) add(c *column, selection []int32, groups []uint32, alone bool) error {
	selection, groups = m.of(c, selection, groups)
	var over int64
	switch sum, seen := m.sum, m.seen; {
	case len(selection) == 0:
	case c.dict == nil && alone:
		s, values := sum[0], c.plain.ints
		for _, i := range selection {
			v := values[i]
			next := s + v
			over |= (next ^ s) & (next ^ v)
			s = next
		}
		sum[0], seen[0] = s, true
	case c.dict == nil:
		values := c.plain.ints
		for j, i := range selection {
			g, v := groups[j], values[i]
			s := sum[g]
			next := s + v
			over |= (next ^ s) & (next ^ v)
			sum[g], seen[g] = next, true
		}
	default:
		values, codes := c.dict.ints, c.codes
		for j, i := range selection {
			g, v := groups[j], values[codes[i]]
			s := sum[g]
			next := s + v
			over |= (next ^ s) & (next ^ v)
			sum[g], seen[g] = next, true
		}
	}
	if over < 0 {
		return fmt.Errorf(
			"%w: measure %s: the sum is larger than 64 bits hold; take avg, or the sum of fewer rows",
			ErrQuery,
			m.name,
		)
	}
	return nil
}

type sumOfFloats struct {
	sum  []float64
	seen []bool
	usable
}

func (m *sumOfFloats) grow(groups int) { m.sum, m.seen = grown(m.sum, groups), grown(m.seen, groups) }
func (m *sumOfFloats) size() int64     { return int64(9 * cap(m.sum)) }
func (m *sumOfFloats) kind() Type      { return Float }
func (m *sumOfFloats) value(group int) any {
	if !m.seen[group] {
		return nil
	}
	return m.sum[group]
}

func (m *sumOfFloats) add(c *column, selection []int32, groups []uint32, _ bool) error {
	selection, groups = m.of(c, selection, groups)
	sum, seen := m.sum, m.seen
	if c.dict == nil {
		values := c.plain.floats
		for j, i := range selection {
			g := groups[j]
			sum[g] += values[i]
			seen[g] = true
		}
		return nil
	}
	values, codes := c.dict.floats, c.codes
	for j, i := range selection {
		g := groups[j]
		sum[g] += values[codes[i]]
		seen[g] = true
	}
	return nil
}

type average struct {
	sum []float64
	n   []int64
	usable
}

func (m *average) grow(groups int) { m.sum, m.n = grown(m.sum, groups), grown(m.n, groups) }
func (m *average) size() int64     { return int64(16 * cap(m.sum)) }
func (m *average) kind() Type      { return Float }
func (m *average) value(group int) any {
	if m.n[group] == 0 {
		return nil
	}
	return m.sum[group] / float64(m.n[group])
}

func (m *average) add(c *column, selection []int32, groups []uint32, _ bool) error {
	selection, groups = m.of(c, selection, groups)
	sum, n := m.sum, m.n
	if c.dict == nil && c.kind == Float {
		values := c.plain.floats
		for j, i := range selection {
			g := groups[j]
			sum[g] += values[i]
			n[g]++
		}
		return nil
	}
	for j, i := range selection {
		g := groups[j]
		sum[g] += c.floats(i)
		n[g]++
	}
	return nil
}

type extremeInt struct {
	of    Type
	least bool
	best  []int64
	seen  []bool
	usable
}

func (m *extremeInt) grow(groups int) { m.best, m.seen = grown(m.best, groups), grown(m.seen, groups) }
func (m *extremeInt) size() int64     { return int64(9 * cap(m.best)) }
func (m *extremeInt) kind() Type      { return m.of }
func (m *extremeInt) value(group int) any {
	switch {
	case !m.seen[group]:
		return nil
	case m.of == Timestamp:
		return momentOf(m.best[group])
	}
	return m.best[group]
}

func (m *extremeInt) add(c *column, selection []int32, groups []uint32, _ bool) error {
	selection, groups = m.usable.of(c, selection, groups)
	for j, i := range selection {
		g, v := groups[j], c.ints(i)
		if best := m.best[g]; !m.seen[g] || m.least && v < best || !m.least && v > best {
			m.best[g], m.seen[g] = v, true
		}
	}
	return nil
}

type extremeFloat struct {
	least bool
	best  []float64
	seen  []bool
	usable
}

func (m *extremeFloat) grow(groups int) {
	m.best, m.seen = grown(m.best, groups), grown(m.seen, groups)
}
func (m *extremeFloat) size() int64 { return int64(9 * cap(m.best)) }
func (m *extremeFloat) kind() Type  { return Float }
func (m *extremeFloat) value(group int) any {
	if !m.seen[group] {
		return nil
	}
	return m.best[group]
}

func (m *extremeFloat) add(c *column, selection []int32, groups []uint32, _ bool) error {
	selection, groups = m.usable.of(c, selection, groups)
	for j, i := range selection {
		g, v := groups[j], c.floats(i)
		if best := m.best[g]; !m.seen[g] || m.least && v < best || !m.least && v > best || math.IsNaN(best) {
			m.best[g], m.seen[g] = v, true
		}
	}
	return nil
}

// extreme is of texts and truth.
type extreme struct {
	of    Type
	least bool
	best  [][]byte
	bytes int64
	usable
}

func (m *extreme) grow(groups int) { m.best = grown(m.best, groups) }
func (m *extreme) size() int64     { return m.bytes + int64(24*cap(m.best)) }
func (m *extreme) kind() Type      { return m.of }
func (m *extreme) value(group int) any {
	switch {
	case m.best[group] == nil:
		return nil
	case m.of == Bool:
		return m.best[group][0] == 1
	}
	return string(m.best[group])
}

func (m *extreme) add(c *column, selection []int32, groups []uint32, _ bool) error {
	selection, groups = m.usable.of(c, selection, groups)
	var truths [1]byte
	for j, i := range selection {
		g, v := groups[j], truths[:]
		switch {
		case c.kind == Bool && c.dict == nil:
			truths[0] = byte(truth(c.plain.bools[i]))
		case c.kind == Bool:
			truths[0] = byte(truth(c.dict.bools[c.codes[i]]))
		case c.dict != nil:
			v = c.dict.text(int(c.codes[i]))
		default:
			v = c.plain.text(int(i))
		}
		if best := m.best[g]; best == nil || m.least && bytes.Compare(v, best) < 0 || !m.least && bytes.Compare(v, best) > 0 {
			m.bytes += int64(len(v) - len(best))
			m.best[g] = append(make([]byte, 0, len(v)+1), v...)
		}
	}
	return nil
}

// distinct counts by HyperLogLog: 2^16 registers give a standard error of 0.4 %.
type distinct struct {
	of       Type
	sketches []*hyperloglog.Sketch
	inserted []uint32
	seen     map[uint64]bool // groups and entries of the dictionary that were counted
	last     *dictionary
	bytes    int64
	usable
}

const (
	precision = 16

	// sketchBytes is about what a sketch takes at most.
	sketchBytes = 1 << precision

	// perInsert is about what a value takes while there are few of them.
	perInsert = 16

	maxSeen = 1 << 20
)

func (m *distinct) grow(groups int) {
	m.sketches, m.inserted = grown(m.sketches, groups), grown(m.inserted, groups)
}

func (m *distinct) size() int64 { return m.bytes + int64(16*len(m.seen)+8*cap(m.sketches)) }
func (m *distinct) kind() Type  { return Int }
func (m *distinct) value(group int) any {
	if m.sketches[group] == nil {
		return int64(0)
	}
	return int64(m.sketches[group].Estimate())
}

func (m *distinct) add(c *column, selection []int32, groups []uint32, _ bool) error {
	selection, groups = m.usable.of(c, selection, groups)
	if c.dict != m.last || len(m.seen) > maxSeen || m.seen == nil {
		m.last, m.seen = c.dict, map[uint64]bool{}
	}
	var word [8]byte
	for j, i := range selection {
		g := groups[j]
		s := m.sketches[g]
		if s == nil {
			var err error
			if s, err = hyperloglog.NewSketch(precision, true); err != nil {
				return err
			}
			m.sketches[g] = s
		}
		v, at := &c.plain, int(i)
		if c.dict != nil {
			code := c.codes[i]
			pair := uint64(g)<<32 | uint64(uint32(code))
			if m.seen[pair] {
				continue
			}
			m.seen[pair] = true
			v, at = &c.dict.values, int(code)
		}
		if m.inserted[g] < sketchBytes/perInsert {
			m.inserted[g]++
			m.bytes += perInsert
		}
		switch c.kind {
		case String, Bytes:
			s.Insert(v.text(at))
			continue
		case Float:
			binary.LittleEndian.PutUint64(word[:], bits(v.floats[at]+0))
		case Bool:
			word[0] = byte(truth(v.bools[at]))
		default:
			binary.LittleEndian.PutUint64(word[:], uint64(v.ints[at]))
		}
		s.Insert(word[:])
	}
	return nil
}

// quantile is by t-digest.
type quantile struct {
	q       float64
	digests []*tdigest.TDigest
	bytes   int64
	usable
}

const (
	// compression is such that the rank is right within half a percent where it is worst, at the median.
	compression = 200

	// digestBytes is about what a digest takes at most.
	digestBytes = 40 << 10
)

func (m *quantile) grow(groups int) { m.digests = grown(m.digests, groups) }
func (m *quantile) size() int64     { return m.bytes + int64(8*cap(m.digests)) }
func (m *quantile) kind() Type      { return Float }
func (m *quantile) value(group int) any {
	if m.digests[group] == nil {
		return nil
	}
	return m.digests[group].Quantile(m.q)
}

func (m *quantile) add(c *column, selection []int32, groups []uint32, _ bool) error {
	selection, groups = m.usable.of(c, selection, groups)
	for j, i := range selection {
		g, v := groups[j], c.floats(i)
		if math.IsNaN(v) {
			continue
		}
		d := m.digests[g]
		if d == nil {
			var err error
			if d, err = tdigest.New(tdigest.Compression(compression), tdigest.LocalRandomNumberGenerator(1)); err != nil {
				return err
			}
			m.digests[g] = d
			m.bytes += digestBytes
		}
		if err := d.Add(v); err != nil {
			return err
		}
	}
	return nil
}
