package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// event is a line of `go test -json`: see `go doc cmd/test2json`.
type event struct {
	Action  string
	Package string
	Test    string // "" for what is about the package
	Output  string
	Elapsed float64 // s; of what has ended
}

type test struct{ Package, Name string }

// result is what came out of a run. Tests and their subtests count alike.
type result struct {
	passed, failed  int
	failedPackages  int
	skipped         map[string][]test // by reason
	broken          []string          // what failed, and what had not ended when its package died
	running         map[test]bool     // tests that have begun and wait for no other
	finished        int               // packages
	slowest         []slowTest
	output          map[test][]string // of tests that have not ended
	outputOfPackage map[string][]string
}

func (r *result) ok() bool { return r.failed == 0 && r.failedPackages == 0 && r.finished > 0 }

// report copies to w what is worth reading of the events in from.
func report(from io.Reader, w io.Writer) (*result, error) {
	r := &result{
		skipped:         map[string][]test{},
		running:         map[test]bool{},
		output:          map[test][]string{},
		outputOfPackage: map[string][]string{},
	}
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil {
				fmt.Fprintf(w, "%s", line) // go's own words, not an event
			} else {
				r.take(e, w)
			}
		}
		if err == io.EOF {
			r.summary(w)
			return r, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the output of go test: %w", err)
		}
	}
}

func (r *result) take(e event, w io.Writer) {
	switch e.Action {
	case "build-output":
		fmt.Fprint(w, e.Output)
		return
	case "build-fail":
		r.failedPackages++
		return
	}
	if e.Test == "" {
		r.takePackage(e, w)
		return
	}
	t := test{e.Package, e.Test}
	switch e.Action {
	case "run", "cont":
		r.running[t] = true
	case "pause", "pass", "fail", "skip":
		delete(r.running, t)
	}
	switch e.Action {
	case "output":
		if !strings.HasPrefix(e.Output, "=== ") {
			r.output[t] = append(r.output[t], e.Output)
		}
		return
	case "pass":
		r.passed++
		r.slow(t, e.Elapsed)
	case "fail":
		r.failed++
		r.broken = append(r.broken, fmt.Sprintf("failed: %s %s", t.Package, t.Name))
		fmt.Fprint(w, strings.Join(r.output[t], ""))
	case "skip":
		reason := skipReason(r.output[t])
		r.skipped[reason] = append(r.skipped[reason], t)
	default:
		return
	}
	delete(r.output, t)
}

func (r *result) takePackage(e event, w io.Writer) {
	lines := r.outputOfPackage[e.Package]
	switch e.Action {
	case "output":
		r.outputOfPackage[e.Package] = append(lines, e.Output)
		return
	case "pass":
		r.finished++
		lines = slices.DeleteFunc(lines, func(line string) bool { return !strings.HasPrefix(line, "ok ") })
		fmt.Fprint(w, strings.Join(lines, ""))
	case "fail":
		r.finished++
		r.failedPackages++
		for t, output := range r.output { // of tests that a panic or a time-out cut off
			if t.Package == e.Package {
				fmt.Fprint(w, strings.Join(output, ""))
				delete(r.output, t)
			}
		}
		r.cutOff(e.Package)
		fmt.Fprint(w, strings.Join(lines, ""))
	case "skip": // no test files
	default:
		return
	}
	delete(r.outputOfPackage, e.Package)
}

// cutOff notes the tests of a dead package that were running: one of them hung
// or ended the process.
func (r *result) cutOff(p string) {
	var names []string
	for t := range r.running {
		if t.Package == p {
			names = append(names, t.Name)
			delete(r.running, t)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		r.broken = append(r.broken, fmt.Sprintf("not ended: %s %s", p, name))
	}
}

var atLine = regexp.MustCompile(`^\s*\S+\.go:\d+: `)

// skipReason is the last thing a skipped test said.
func skipReason(output []string) string {
	for _, line := range slices.Backward(output) {
		if at := atLine.FindString(line); at != "" {
			if reason := strings.TrimSpace(line[len(at):]); reason != "" {
				return reason
			}
		}
	}
	return "no reason given"
}

func (r *result) summary(w io.Writer) {
	skipped := 0
	reasons := make([]string, 0, len(r.skipped))
	for reason, tests := range r.skipped {
		skipped += len(tests)
		reasons = append(reasons, reason)
	}
	slices.Sort(reasons)
	for _, reason := range reasons {
		fmt.Fprintf(w, "\nskipped: %s\n", reason)
		for _, t := range r.skipped[reason] {
			fmt.Fprintf(w, "\t%s %s\n", t.Package, t.Name)
		}
	}
	r.printSlowest(w)
	if len(r.broken) > 0 { // last, where the end of a log is all that one sees
		fmt.Fprintf(w, "\n%s\n", strings.Join(r.broken, "\n"))
	}
	if r.finished == 0 && r.failedPackages == 0 {
		fmt.Fprintln(w, "no package has tests that ran")
	}
	fmt.Fprintf(w, "\n%d passed, %d failed, %d skipped\n", r.passed, r.failed, skipped)
}
