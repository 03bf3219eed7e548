package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

const (
	slowSeconds = 20 // a test that takes longer is worth a look
	mostSlow    = 15
)

// slowTest is a test that took long, without those whose time is that of their
// subtests.
type slowTest struct {
	test
	seconds float64
}

// slow notes how long a test took. Its subtests have ended before it.
func (r *result) slow(t test, seconds float64) {
	parent := slices.ContainsFunc(r.slowest, func(s slowTest) bool {
		return s.Package == t.Package && strings.HasPrefix(s.Name, t.Name+"/")
	})
	if seconds >= slowSeconds && !parent {
		r.slowest = append(r.slowest, slowTest{t, seconds})
	}
}

// printSlowest lists the tests that took longest.
func (r *result) printSlowest(w io.Writer) {
	if len(r.slowest) == 0 {
		return
	}
	slices.SortStableFunc(r.slowest, func(a, b slowTest) int { return -cmp.Compare(a.seconds, b.seconds) })
	fmt.Fprintf(w, "\nslow, %d s and more:\n", slowSeconds)
	for _, s := range r.slowest[:min(len(r.slowest), mostSlow)] {
		fmt.Fprintf(w, "\t%5.0f s %s %s\n", s.seconds, s.Package, s.Name)
	}
}
