package pattern

import (
	"bytes"
	"regexp/syntax"
	"unicode/utf8"
)

// maxDepth bounds the stack: a choice inside of a choice goes one deeper.
const maxDepth = 5_000

// run tells whether the path from node i at position p leads to a match.
func (m *Matcher) run(i, p int) bool {
	if m.depth++; m.depth > maxDepth {
		m.unsure = true
	}
	mark := len(m.trail)
	ok := m.path(i, p)
	m.depth--
	if !ok {
		for len(m.trail) > mark {
			last := m.trail[len(m.trail)-1]
			m.groups[last.slot] = last.position
			m.trail = m.trail[:len(m.trail)-1]
		}
	}
	return ok
}

func (m *Matcher) path(i, p int) bool {
	nodes := m.pattern.nodes
	for {
		if m.left--; m.left < 0 || m.unsure {
			m.unsure = true
			return false
		}
		n := &nodes[i]
		switch n.op {
		case opMatch:
			m.end = p
			return true
		case opText:
			t := m.pattern.texts[n.index]
			if len(m.text)-p < len(t) || string(m.text[p:p+len(t)]) != t {
				return false
			}
			p += len(t)
		case opOne:
			if p = m.one(n, p); p < 0 {
				return false
			}
		case opRun:
			least, end, ok := m.span(n, p)
			if !ok {
				return false
			}
			if !n.alone {
				return m.back(n, least, end)
			}
			p = end
		case opLazy:
			least, end, ok := m.span(n, p)
			return ok && m.forth(n, least, end)
		case opSave:
			if n.undo {
				m.trail = append(m.trail, undo{int(n.index), m.groups[n.index]})
			}
			m.groups[n.index] = p
		case opLook:
			if !m.holds(syntax.EmptyOp(n.look), p) {
				return false
			}
		case opChoice:
			to := m.choose(n, p)
			if to < 0 {
				return to == found
			}
			i = to
			continue
		}
		i = int(n.next)
	}
}

const (
	lost  = -1
	found = -2
)

// choose tries all choices but the last that can match; that one is returned, so
// that it needs no deeper stack.
func (m *Matcher) choose(n *node, p int) int {
	f := &m.pattern.forks[n.index]
	list := f.end
	if p < len(m.text) {
		list = f.lists[f.table[m.text[p]]]
	}
	if len(list) == 0 {
		return lost
	}
	for _, to := range list[:len(list)-1] {
		if m.run(int(to), p) {
			return found
		}
		if m.unsure {
			return lost
		}
	}
	return int(list[len(list)-1])
}

func (m *Matcher) one(n *node, p int) int {
	if p >= len(m.text) {
		return -1
	}
	b := m.text[p]
	if b < utf8.RuneSelf {
		if n.set.in[b] {
			return p + 1
		}
		return -1
	}
	switch n.set.high {
	case highAll:
		_, size := utf8.DecodeRune(m.text[p:])
		return p + size
	case highSome:
		m.unsure = true
	}
	return -1
}

// span is how far the class of n reaches from p, and the least of it that will
// do.
func (m *Matcher) span(n *node, p int) (least, end int, ok bool) {
	if n.set.high == highAll && (n.least > 1 || n.most >= 0) {
		return m.spanRunes(n, p)
	}
	end = len(m.text)
	if n.most >= 0 {
		end = min(end, p+int(n.most))
	}
	if n.set.stop >= 0 {
		if i := bytes.IndexByte(m.text[p:end], byte(n.set.stop)); i >= 0 {
			end = p + i
		}
	} else {
		q := p
		for q < end && n.set.in[m.text[q]] {
			q++
		}
		if q < end && n.set.high == highSome && m.text[q] >= utf8.RuneSelf {
			m.unsure = true
		}
		end = q
	}
	m.left -= (end - p) / 8
	return p + int(n.least), end, end-p >= int(n.least) && !m.unsure
}

// spanRunes counts characters where they may have several bytes.
func (m *Matcher) spanRunes(n *node, p int) (least, end int, ok bool) {
	least = p
	count := int32(0)
	for p < len(m.text) && count != n.most && n.set.in[m.text[p]] {
		_, size := utf8.DecodeRune(m.text[p:])
		p += size
		if count++; count == n.least {
			least = p
		}
	}
	m.left -= int(count) / 4
	return least, p, count >= n.least
}

// back goes on from the longest run to the shortest.
func (m *Matcher) back(n *node, least, end int) bool {
	for p := end; p >= least; p-- {
		if p < len(m.text) && continues(m.text[p]) {
			continue
		}
		if n.first.begins(m.text, p) {
			if m.run(int(n.next), p) {
				return true
			}
			if m.unsure {
				return false
			}
		}
		m.left--
	}
	return false
}

// forth goes on from the shortest run to the longest.
func (m *Matcher) forth(n *node, least, end int) bool {
	for p := least; p <= end; p++ {
		if !n.first.empty && n.first.only >= 0 {
			skip := bytes.IndexByte(m.text[p:], byte(n.first.only))
			if skip < 0 || p+skip > end {
				return false
			}
			p += skip
		}
		if p < len(m.text) && continues(m.text[p]) {
			continue
		}
		if n.first.begins(m.text, p) {
			if m.run(int(n.next), p) {
				return true
			}
			if m.unsure {
				return false
			}
		}
		m.left--
	}
	return false
}

// holds tells whether an empty condition is met at p.
func (m *Matcher) holds(look syntax.EmptyOp, p int) bool {
	switch look {
	case syntax.EmptyBeginText:
		return p == 0
	case syntax.EmptyEndText:
		return p == len(m.text)
	case syntax.EmptyBeginLine:
		return p == 0 || m.text[p-1] == '\n'
	case syntax.EmptyEndLine:
		return p == len(m.text) || m.text[p] == '\n'
	}
	boundary := p > 0 && wordByte(m.text[p-1]) != (p < len(m.text) && wordByte(m.text[p])) ||
		p == 0 && p < len(m.text) && wordByte(m.text[p])
	return boundary == (look == syntax.EmptyWordBoundary)
}

func wordByte(b byte) bool {
	return b == '_' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}
