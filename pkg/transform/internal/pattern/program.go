package pattern

import (
	"errors"
	"regexp/syntax"
)

type op uint8

const (
	opMatch  op = iota
	opText      // the bytes of text
	opOne       // one character of set
	opRun       // least to most characters of set, as many as can be
	opLazy      // the same, as few as can be
	opChoice    // the first of choices that leads to a match
	opSave      // the position goes into slot
	opLook      // look holds here
)

// node is kept small, so that the program of a long pattern stays in the cache.
type node struct {
	op    op
	alone bool // opRun: no shorter run can lead to a match
	undo  bool // opSave: on a path that another may replace
	look  uint8
	next  int32
	least int32
	most  int32 // -1 without a bound
	// index is the number of a slot (opSave), of a text (opText) or of choices.
	index int32
	set   *set
	first *first // of next, for runs
}

// program is the nodes and what they refer to.
type program struct {
	nodes   []node
	texts   []string
	choices [][]int32
	forks   []fork // of the choices
}

// first is what the text must begin with where a node can match.
type first struct {
	in    bits
	empty bool // it can match without a character
	only  int  // the one byte in in, or -1
}

// maxNodes bounds a program: beyond it regexp does the work.
const maxNodes = 20_000

var errOutside = errors.New("outside of what a scanner can do")

type compiler struct {
	program
	sets map[set]*set // one table for each class: they stay in the cache
	loop int          // how many alternatives, options and loops are around
}

func compile(re *syntax.Regexp) (p program, start int, err error) {
	c := &compiler{program: program{nodes: []node{{op: opMatch}}}, sets: map[set]*set{}}
	start, err = c.build(re, 0)
	if err != nil {
		return program{}, 0, err
	}
	for i := range c.nodes {
		c.prepare(i)
	}
	for _, choices := range c.choices {
		c.forks = append(c.forks, c.fork(choices))
	}
	return c.program, start, nil
}

func (c *compiler) add(n node) (int, error) {
	if len(c.nodes) >= maxNodes {
		return 0, errOutside
	}
	if n.set != nil {
		if known := c.sets[*n.set]; known != nil {
			n.set = known
		}
		c.sets[*n.set] = n.set
	}
	c.nodes = append(c.nodes, n)
	return len(c.nodes) - 1, nil
}

// build adds the nodes that match re and go on at next, and returns the first.
func (c *compiler) build(re *syntax.Regexp, next int) (int, error) {
	if s := classOf(re); s != nil {
		return c.add(node{op: opOne, set: s, least: 1, most: 1, next: int32(next)})
	}
	switch re.Op {
	case syntax.OpEmptyMatch:
		return next, nil
	case syntax.OpLiteral:
		return c.literal(re, next)
	case syntax.OpConcat:
		return c.concat(re.Sub, next)
	case syntax.OpAlternate:
		return c.alternate(re.Sub, next)
	case syntax.OpCapture:
		return c.capture(re, next)
	case syntax.OpStar:
		return c.repeat(re, 0, -1, next)
	case syntax.OpPlus:
		return c.repeat(re, 1, -1, next)
	case syntax.OpQuest:
		return c.repeat(re, 0, 1, next)
	case syntax.OpRepeat:
		return c.repeat(re, re.Min, re.Max, next)
	}
	if look, ok := lookOf(re.Op); ok {
		return c.add(node{op: opLook, look: uint8(look), next: int32(next)})
	}
	return 0, errOutside
}

func lookOf(op syntax.Op) (syntax.EmptyOp, bool) {
	switch op {
	case syntax.OpBeginText:
		return syntax.EmptyBeginText, true
	case syntax.OpEndText:
		return syntax.EmptyEndText, true
	case syntax.OpBeginLine:
		return syntax.EmptyBeginLine, true
	case syntax.OpEndLine:
		return syntax.EmptyEndLine, true
	case syntax.OpWordBoundary:
		return syntax.EmptyWordBoundary, true
	case syntax.OpNoWordBoundary:
		return syntax.EmptyNoWordBoundary, true
	}
	return 0, false
}

func (c *compiler) literal(re *syntax.Regexp, next int) (int, error) {
	if re.Flags&syntax.FoldCase == 0 {
		c.texts = append(c.texts, string(re.Rune))
		return c.add(node{op: opText, index: int32(len(c.texts) - 1), next: int32(next)})
	}
	var err error
	for i := len(re.Rune) - 1; i >= 0 && err == nil; i-- {
		next, err = c.add(node{op: opOne, set: runeSet(re.Rune[i], true), least: 1, most: 1, next: int32(next)})
	}
	return next, err
}

func (c *compiler) concat(subs []*syntax.Regexp, next int) (int, error) {
	var err error
	for i := len(subs) - 1; i >= 0 && err == nil; i-- {
		next, err = c.build(subs[i], next)
	}
	return next, err
}

func (c *compiler) alternate(subs []*syntax.Regexp, next int) (int, error) {
	c.loop++
	defer func() { c.loop-- }()
	choices := make([]int32, len(subs))
	for i, sub := range subs {
		to, err := c.build(sub, next)
		if err != nil {
			return 0, err
		}
		choices[i] = int32(to)
	}
	return c.addChoices(choices)
}

func (c *compiler) addChoices(choices []int32) (int, error) {
	c.choices = append(c.choices, choices)
	return c.add(node{op: opChoice, index: int32(len(c.choices) - 1)})
}

func (c *compiler) capture(re *syntax.Regexp, next int) (int, error) {
	next, err := c.add(node{op: opSave, index: int32(2*re.Cap + 1), undo: c.loop > 0, next: int32(next)})
	if err != nil {
		return 0, err
	}
	if next, err = c.build(re.Sub[0], next); err != nil {
		return 0, err
	}
	return c.add(node{op: opSave, index: int32(2 * re.Cap), undo: c.loop > 0, next: int32(next)})
}
