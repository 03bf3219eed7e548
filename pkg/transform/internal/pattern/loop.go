package pattern

import "regexp/syntax"

// repeat builds least to most rounds of what is repeated.
func (c *compiler) repeat(re *syntax.Regexp, least, most, next int) (int, error) {
	body, lazy := re.Sub[0], re.Flags&syntax.NonGreedy != 0
	if s := classOf(body); s != nil {
		kind := opRun
		if lazy {
			kind = opLazy
		}
		return c.add(node{op: kind, set: s, least: int32(least), most: int32(most), next: int32(next)})
	}
	c.loop++
	defer func() { c.loop-- }()
	var err error
	if most < 0 {
		next, err = c.star(body, lazy, next)
	} else {
		next, err = c.options(body, lazy, most-least, next)
	}
	for range least {
		if err != nil {
			break
		}
		next, err = c.build(body, next)
	}
	return next, err
}

// options is up to n rounds, each inside of the one before.
func (c *compiler) options(body *syntax.Regexp, lazy bool, n, next int) (int, error) {
	after := next
	for range n {
		inner, err := c.build(body, next)
		if err != nil {
			return 0, err
		}
		if next, err = c.choice(inner, after, lazy); err != nil {
			return 0, err
		}
	}
	return next, nil
}

func (c *compiler) star(body *syntax.Regexp, lazy bool, next int) (int, error) {
	if canBeEmpty(body) {
		return 0, errOutside // regexp's rules for empty rounds are its own
	}
	loop, err := c.choice(0, next, lazy)
	if err != nil {
		return 0, err
	}
	inner, err := c.round(body, lazy, loop, next)
	if err != nil {
		return 0, err
	}
	round := 0
	if lazy {
		round = 1
	}
	c.choices[c.nodes[loop].index][round] = int32(inner)
	return loop, nil
}

// round builds one round of a loop. In (?:[^"\\]|\\.)*, with a quote behind it, all
// characters of the class up to the next other one are one round: no other path can
// succeed while they last, because neither the rest nor what is behind begins so.
func (c *compiler) round(body *syntax.Regexp, lazy bool, loop, next int) (int, error) {
	if body.Op != syntax.OpAlternate || lazy || classOf(body.Sub[0]) == nil {
		return c.build(body, loop)
	}
	class := classOf(body.Sub[0])
	behind := c.first(next)
	apart := !behind.empty && !overlap(class, behind) && class.high != highSome
	run, err := c.add(node{op: opRun, alone: true, set: class, least: 1, most: -1, next: int32(loop)})
	choices := []int32{int32(run)}
	for _, sub := range body.Sub[1:] {
		if err != nil {
			return 0, err
		}
		var to int
		to, err = c.build(sub, loop)
		choices = append(choices, int32(to))
		apart = apart && err == nil && !overlap(class, c.first(to))
	}
	if err != nil || !apart {
		return c.build(body, loop)
	}
	return c.addChoices(choices)
}

func (c *compiler) choice(inner, after int, lazy bool) (int, error) {
	if lazy {
		inner, after = after, inner
	}
	return c.addChoices([]int32{int32(inner), int32(after)})
}

// canBeEmpty tells whether re matches an empty text somewhere.
func canBeEmpty(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpLiteral:
		return len(re.Rune) == 0
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL, syntax.OpNoMatch:
		return false
	case syntax.OpCapture, syntax.OpPlus:
		return canBeEmpty(re.Sub[0])
	case syntax.OpRepeat:
		return re.Min == 0 || canBeEmpty(re.Sub[0])
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if !canBeEmpty(sub) {
				return false
			}
		}
		return true
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			if canBeEmpty(sub) {
				return true
			}
		}
		return false
	}
	return true
}
