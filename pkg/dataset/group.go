package dataset

import (
	"fmt"
	"time"
)

// grouper numbers the groups of rows. Each column's values have numbers, and so has each pair of a number so far and
// the next column's.
type grouper struct {
	keys  []*key
	pairs []table // of keys 1..., over that of the keys before
	count int
	bytes int64 // of what keys keep

	numbers []uint32
	more    []uint32
}

// key is a column to group by.
type key struct {
	Group
	kind Type

	values []any // by number; nil is null
	texts  map[string]uint32
	table  table // of numbers, by their bits
	null   uint32
	known  bool // that null has a number

	of     *dictionary
	codes  []int32 // by entry of the dictionary: its number, or -1
	lo, hi int64   // of the last bucket
	last   uint32
	any    bool // that there is a last bucket
}

func newGrouper(groups []Group) *grouper {
	g := &grouper{}
	for i, group := range groups {
		g.keys = append(g.keys, &key{Group: group, texts: map[string]uint32{}})
		if i > 0 {
			g.pairs = append(g.pairs, table{})
		}
	}
	return g
}

// use says of which type the columns are, once it is known.
func (k *key) use(kind Type) error {
	if k.kind == "" {
		k.kind = kind
	}
	if k.Bucket != 0 && kind != Timestamp {
		return fmt.Errorf("%w: group %s has buckets of time, and column %s is %s", ErrQuery, k.Name, k.Column, kind)
	}
	return nil
}

// number gives the group of each row of a selection.
func (g *grouper) number(columns []*column, selection []int32) []uint32 {
	if len(g.keys) == 0 {
		if g.count == 0 && len(selection) > 0 {
			g.count = 1
		}
		if cap(g.numbers) < len(selection) {
			g.numbers = make([]uint32, max(len(selection), batchRows))
		}
		return g.numbers[:len(selection)]
	}
	g.numbers = g.keys[0].number(columns[0], selection, g.numbers[:0], &g.bytes)
	g.count = len(g.keys[0].values)
	for i := range g.pairs {
		g.more = g.keys[i+1].number(columns[i+1], selection, g.more[:0], &g.bytes)
		t := &g.pairs[i]
		var last uint64
		var number uint32
		for j, n := range g.more {
			if pair := uint64(g.numbers[j])<<32 | uint64(n); j == 0 || pair != last {
				number, last = t.put(pair), pair
			}
			g.numbers[j] = number
		}
		g.count = len(t.keys)
	}
	return g.numbers
}

// number appends the number of each row's value.
func (k *key) number(c *column, selection []int32, to []uint32, size *int64) []uint32 {
	if c.dict != nil {
		if k.of != c.dict {
			k.of, k.codes = c.dict, k.codes[:0]
			for range c.dict.n {
				k.codes = append(k.codes, -1)
			}
		}
		for _, i := range selection {
			if c.valid != nil && !c.valid[i] {
				to = append(to, k.nothing())
				continue
			}
			code := c.codes[i]
			n := k.codes[code]
			if n < 0 {
				n = int32(k.value(&c.dict.values, int(code), size))
				k.codes[code] = n
			}
			to = append(to, uint32(n))
		}
		return to
	}
	for _, i := range selection {
		if c.valid != nil && !c.valid[i] {
			to = append(to, k.nothing())
			continue
		}
		to = append(to, k.value(&c.plain, int(i), size))
	}
	return to
}

func (k *key) nothing() uint32 {
	if !k.known {
		k.known, k.null = true, k.add(nil)
	}
	return k.null
}

func (k *key) add(value any) uint32 {
	k.values = append(k.values, value)
	return uint32(len(k.values) - 1)
}

// value gives the number of a value.
func (k *key) value(v *values, i int, size *int64) uint32 {
	switch k.kind {
	case Timestamp:
		if k.Bucket != 0 {
			return k.bucket(v.ints[i])
		}
		return k.whole(v.ints[i])
	case Int:
		return k.whole(v.ints[i])
	case Float:
		return k.slot(bits(v.floats[i]+0), v.floats[i]) // +0: there is one zero
	case Bool:
		return k.slot(uint64(truth(v.bools[i])), v.bools[i])
	}
	text := v.text(i)
	if n, ok := k.texts[string(text)]; ok {
		return n
	}
	*size += int64(2*len(text)) + 48
	n := k.add(string(text))
	k.texts[string(text)] = n
	return n
}

// whole is slot for a number, which need not be kept beside its bits.
func (k *key) whole(n int64) uint32 {
	number := k.table.put(uint64(n))
	if int(number) == len(k.values)-truth(k.known) {
		if k.kind == Timestamp {
			return k.shift(number, k.moment(n))
		}
		return k.shift(number, n)
	}
	return k.shifted(number)
}

func (k *key) slot(bits uint64, value any) uint32 {
	number := k.table.put(bits)
	if int(number) == len(k.values)-truth(k.known) {
		return k.shift(number, value)
	}
	return k.shifted(number)
}

// shift adds a value whose number in the table is new. The null takes up a number of its own, which the table does not
// know: what was numbered behind it is one further.
func (k *key) shift(_ uint32, value any) uint32 { return k.add(value) }

func (k *key) shifted(number uint32) uint32 {
	if k.known && number >= k.null {
		return number + 1
	}
	return number
}

func (k *key) moment(ms int64) time.Time {
	t := time.UnixMilli(ms)
	if k.Zone != nil {
		return t.In(k.Zone)
	}
	return t.UTC()
}

// bucket gives the number of the bucket of a time in milliseconds.
func (k *key) bucket(ms int64) uint32 {
	if k.any && ms >= k.lo && ms < k.hi {
		return k.last
	}
	t := k.moment(ms)
	_, offset := t.Zone()
	shift, width := int64(offset)*1000, k.Bucket.Milliseconds()
	wall := floorDiv(ms+shift, width) * width
	k.lo, k.hi = wall-shift, wall-shift+width
	from, to := t.ZoneBounds()
	begin := k.lo
	if !from.IsZero() && from.UnixMilli() > k.lo {
		// The clock was moved in the bucket: it begins at that time on the clock before.
		k.lo = from.UnixMilli()
		w := time.UnixMilli(wall).UTC()
		begin = time.Date(w.Year(), w.Month(), w.Day(), w.Hour(), w.Minute(), w.Second(), w.Nanosecond(), t.Location()).
			UnixMilli()
	}
	if !to.IsZero() {
		k.hi = min(k.hi, to.UnixMilli())
	}
	k.any, k.last = true, k.whole(begin)
	return k.last
}

// value gives the values of a group, by key.
func (g *grouper) group(number int) []any {
	out := make([]any, len(g.keys))
	n := uint32(number)
	for i := len(g.keys) - 1; i > 0; i-- {
		pair := g.pairs[i-1].keys[n]
		out[i] = g.keys[i].values[uint32(pair)]
		n = uint32(pair >> 32)
	}
	if len(g.keys) > 0 {
		out[0] = g.keys[0].values[n]
	}
	return out
}

// size is about how many bytes the groups take.
func (g *grouper) size() int64 {
	size := g.bytes
	for _, k := range g.keys {
		size += int64(len(k.values))*40 + k.table.size()
	}
	for i := range g.pairs {
		size += g.pairs[i].size()
	}
	return size
}
