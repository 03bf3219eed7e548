package scf_test

import (
	"testing"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

func TestCOSTriggersOverlap(t *testing.T) {
	t.Parallel()
	one := scf.COSTrigger{Bucket: "media", Events: "cos:ObjectCreated:*", Prefix: "in/", Suffix: ".mp4"}
	for why, c := range map[string]struct {
		change func(*scf.COSTrigger)
		want   bool
	}{
		"the same":           {func(*scf.COSTrigger) {}, true},
		"one of its events":  {func(c *scf.COSTrigger) { c.Events = "cos:ObjectCreated:Put" }, true},
		"a folder below":     {func(c *scf.COSTrigger) { c.Prefix = "in/2026/" }, true},
		"the whole bucket":   {func(c *scf.COSTrigger) { c.Prefix, c.Suffix = "", "" }, true},
		"another bucket":     {func(c *scf.COSTrigger) { c.Bucket = "other" }, false},
		"other events":       {func(c *scf.COSTrigger) { c.Events = "cos:ObjectRemove:*" }, false},
		"another folder":     {func(c *scf.COSTrigger) { c.Prefix = "out/" }, false},
		"another kind":       {func(c *scf.COSTrigger) { c.Suffix = ".mkv" }, false},
		"part of the suffix": {func(c *scf.COSTrigger) { c.Suffix = "mp4" }, true},
	} {
		other := one
		c.change(&other)
		if got := one.Overlaps(other); got != c.want || other.Overlaps(one) != got {
			t.Errorf("%s: got %v, want %v", why, got, c.want)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"live": true, "live-2_b": true, "2live": false, "": false, "$DEFAULT": false, "a b": false} {
		if got := scf.ValidAlias(name); got != want {
			t.Errorf("alias %q: got %v", name, got)
		}
		if got := scf.ValidNamespace(name); got != want {
			t.Errorf("namespace %q: got %v", name, got)
		}
	}
	for event, want := range map[string]bool{
		"cos:ObjectCreated:*": true, "cos:ObjectRemove:Delete": true, "cos:ObjectCreated:Delete": false, "ObjectCreated:*": false, "cos:ObjectCreated": false,
	} {
		if got := scf.ValidCOSEvent(event); got != want {
			t.Errorf("event %q: got %v", event, got)
		}
	}
}
