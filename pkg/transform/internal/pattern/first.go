package pattern

import "slices"

// bits is a set of bytes in little memory: a program has many.
type bits [4]uint64

func (s *bits) add(b byte)      { s[b>>6] |= 1 << (b & 63) }
func (s *bits) has(b byte) bool { return s[b>>6]>>(b&63)&1 != 0 }

// prepare finds out what saves work at node i: what must come after a run, and
// whether the run can end elsewhere than at its end.
func (c *compiler) prepare(i int) {
	n := &c.nodes[i]
	if n.op != opRun && n.op != opLazy {
		return
	}
	n.first = c.first(int(n.next))
	n.alone = n.alone || n.op == opRun && !n.first.empty && !overlap(n.set, n.first)
}

// fork is a choice as it looks for each next byte: mostly one path is left.
type fork struct {
	table [256]uint8 // number of the list
	lists [][]int32
	end   []int32 // at the end of the text
}

func (c *compiler) fork(choices []int32) fork {
	var f fork
	firsts := make([]*first, len(choices))
	for i, to := range choices {
		if firsts[i] = c.first(int(to)); firsts[i].empty {
			f.end = append(f.end, to)
		}
	}
	for b := range 256 {
		var list []int32
		for i, to := range choices {
			if firsts[i].empty || firsts[i].in.has(byte(b)) {
				list = append(list, to)
			}
		}
		at := slices.IndexFunc(f.lists, func(known []int32) bool { return slices.Equal(known, list) })
		if at < 0 {
			at = len(f.lists) // 256 bytes have no more than 256
			f.lists = append(f.lists, list)
		}
		f.table[b] = uint8(at)
	}
	return f
}

func overlap(s *set, f *first) bool {
	for b := range s.in {
		if s.in[b] && f.in.has(byte(b)) {
			return true
		}
	}
	return false
}

func (c *compiler) first(i int) *first {
	f := &first{only: -1}
	c.collect(i, f, map[int]bool{})
	count := 0
	for b := range 256 {
		if f.in.has(byte(b)) {
			count++
			f.only = b
		}
	}
	if count != 1 {
		f.only = -1
	}
	return f
}

// collect adds to f what node i can begin with. What a look demands is left
// out: it can only forbid.
func (c *compiler) collect(i int, f *first, seen map[int]bool) {
	for !seen[i] {
		seen[i] = true
		n := &c.nodes[i]
		switch n.op {
		case opMatch:
			f.empty = true
			return
		case opText:
			f.in.add(c.texts[n.index][0])
			return
		case opOne, opRun, opLazy:
			for b := range n.set.in {
				if n.set.in[b] || b >= 0x80 && n.set.high == highSome {
					f.in.add(byte(b))
				}
			}
			if n.least > 0 {
				return
			}
		case opChoice:
			for _, to := range c.choices[n.index] {
				c.collect(int(to), f, seen)
			}
			return
		}
		i = int(n.next)
	}
}

// begins tells whether what f is of can match at position p of text.
func (f *first) begins(text []byte, p int) bool {
	return f == nil || f.empty || p < len(text) && f.in.has(text[p])
}
