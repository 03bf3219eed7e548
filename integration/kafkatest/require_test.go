package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestRequire(t *testing.T) {
	t.Parallel()
	there := func(context.Context) error { return nil }
	missing := func(context.Context) error { return errors.New("nothing there") }

	for name, test := range map[string]struct {
		needs needs
		want  string // the beginning of how the test ended, and what the reason holds
		holds string
	}{
		"with an engine and the image a test runs":                 {needs{engine: there, image: there}, "", ""},
		"a short run skips and says what runs it":                  {needs{short: true}, "skip", "make integration"},
		"without an engine a test is skipped, with reason and fix": {needs{engine: missing}, "skip", "start one, or set DOCKER_HOST (nothing there)"},
		"without the image a test is skipped, with the fix":        {needs{engine: there, image: missing}, "skip", "make integration pulls"},
		"without an engine a required test fails, with the reason": {needs{required: true, engine: missing}, "fatal", "(nothing there)"},
		"a required test runs in a short run, and pulls the image": {needs{required: true, short: true, engine: there, image: missing}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			probe := &probe{TB: t}
			probe.run(func() { test.needs.check(probe) })
			if !strings.HasPrefix(probe.outcome, test.want) || !strings.Contains(probe.outcome, test.holds) {
				t.Errorf("got %q, want %s with %q", probe.outcome, test.want, test.holds)
			}
			if test.want == "" && probe.outcome != "" {
				t.Errorf("got %q, want the test to run", probe.outcome)
			}
		})
	}
}

// probe is a test that keeps how it was ended.
type probe struct {
	testing.TB
	outcome string
}

func (p *probe) run(test func()) {
	defer func() { _ = recover() }() // of end, which ends the test as Skip and Fatal do
	test()
}

func (p *probe) end(how, reason string) {
	p.outcome = how + ": " + reason
	panic(p.outcome)
}

func (p *probe) Skip(args ...any)                 { p.end("skip", fmt.Sprint(args...)) }
func (p *probe) Skipf(format string, args ...any) { p.end("skip", fmt.Sprintf(format, args...)) }
func (p *probe) Fatal(args ...any)                { p.end("fatal", fmt.Sprint(args...)) }
