package pattern

import (
	"regexp/syntax"
	"unicode"
	"unicode/utf8"
)

// high is what a class says about the characters outside of ASCII.
type high uint8

const (
	highNone high = iota
	highAll
	highSome // regexp decides when a text has one where the class is tried
)

// set is a class of characters as a table of bytes. In a text that is UTF-8, all
// bytes of a character outside of ASCII are 0x80 or more, so a class that holds
// all such characters or none can be looked up byte by byte.
type set struct {
	in   [256]bool
	high high
	stop int // the one byte that the class lacks, -1 where there are more
}

// newSet makes a set of pairs of runes, as syntax.Regexp.Rune has them.
func newSet(ranges []rune) *set {
	s := &set{stop: -1}
	covered := 0 // characters outside of ASCII
	for i := 0; i+1 < len(ranges); i += 2 {
		for r := ranges[i]; r <= min(ranges[i+1], 0x7f); r++ {
			s.in[r] = true
		}
		if last := ranges[i+1]; last >= 0x80 {
			covered += int(last-max(ranges[i], 0x80)) + 1
		}
	}
	switch covered {
	case 0:
	case unicode.MaxRune - 0x7f:
		s.high = highAll
	default:
		s.high = highSome
	}
	lacking := 0
	for b := range s.in {
		if b >= 0x80 {
			s.in[b] = s.high == highAll
		}
		if !s.in[b] {
			lacking++
			s.stop = b
		}
	}
	if lacking != 1 {
		s.stop = -1
	}
	return s
}

// runeSet is the class of one character, in both cases where fold is set.
func runeSet(r rune, fold bool) *set {
	ranges := []rune{r, r}
	if fold {
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			ranges = append(ranges, f, f)
		}
	}
	return newSet(ranges)
}

// classOf is the class that an expression of one character stands for, or nil.
func classOf(re *syntax.Regexp) *set {
	switch re.Op {
	case syntax.OpAnyChar:
		return newSet([]rune{0, unicode.MaxRune})
	case syntax.OpAnyCharNotNL:
		return newSet([]rune{0, '\n' - 1, '\n' + 1, unicode.MaxRune})
	case syntax.OpCharClass:
		return newSet(re.Rune)
	case syntax.OpLiteral:
		if len(re.Rune) != 1 {
			return nil
		}
		return runeSet(re.Rune[0], re.Flags&syntax.FoldCase != 0)
	}
	return nil
}

// continues tells whether b is inside a character of a text that is UTF-8.
func continues(b byte) bool { return b < utf8.RuneSelf|0x40 && b >= utf8.RuneSelf }
