package pack_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/scf-etl/scf-etl/pkg/pack"
)

func TestExtra(t *testing.T) {
	t.Parallel()
	folder := fstest.MapFS{}
	for _, name := range []string{
		"a.yaml", "rules/a.yaml", "rules/b.yaml", "rules/deep/er/c.yaml", "rules/c.txt", "models/m1.bin", "models/[x].bin",
		".git/config", "node_modules/x/a.yaml",
	} {
		folder[name] = &fstest.MapFile{}
	}
	for what, c := range map[string]struct{ patterns, want string }{
		"none chooses nothing":                       {"", ""},
		"a path is that file":                        {"rules/a.yaml ./a.yaml", "a.yaml rules/a.yaml"},
		"* stays in a folder":                        {"rules/*.yaml", "rules/a.yaml rules/b.yaml"},
		"** goes through folders, also none":         {"rules/**/*.yaml", "rules/a.yaml rules/b.yaml rules/deep/er/c.yaml"},
		"** at the end is all below":                 {"rules/deep/**", "rules/deep/er/c.yaml"},
		"a slash at the end is all below":            {"rules/deep/", "rules/deep/er/c.yaml"},
		"? and sets are one letter":                  {"models/m[0-9].bi?", "models/m1.bin"},
		"a set that begins with ! is any other":      {"rules/[!a].yaml", "rules/b.yaml"},
		"braces are one of several":                  {"rules/{a,c}.{yaml,txt}", "rules/a.yaml rules/c.txt"},
		"! takes out again, and the last one counts": {"rules/*.yaml !rules/b.* !**/x", "rules/a.yaml"},
		"and what comes behind puts in again":        {"rules/*.yaml !rules/** rules/b.yaml", "rules/b.yaml"},
		"what is not ours is not looked into":        {"**/a.yaml", "a.yaml rules/a.yaml"},
		"but where a pattern names it":               {"node_modules/x/*", "node_modules/x/a.yaml"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			got, err := pack.Extra(folder, strings.Fields(c.patterns))
			if err != nil || !slices.Equal(got, strings.Fields(c.want)) {
				t.Errorf("%q chooses %q, %v; want %q", c.patterns, got, err, c.want)
			}
		})
	}
	for what, pattern := range map[string]string{
		"the folder above":            "../x",
		"a path from the root":        "/etc/passwd",
		"a way out in the middle":     "rules/../../x",
		"the folder itself":           ".",
		"what chooses no file":        "rules/*.json",
		"a folder that is not there":  "nowhere/**",
		"a folder without its files":  "rules",
		"a set that is none":          "rules/[z-a].yaml",
		"braces that are left open":   "{a{b}",
		"a text that is empty":        "./",
		"exclusion outside of folder": "!../x",
	} {
		t.Run(what+" is refused, and the error names the pattern", func(t *testing.T) {
			t.Parallel()
			got, err := pack.Extra(folder, []string{pattern})
			if err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(pattern, "!")) {
				t.Errorf("%q chooses %q, error %v", pattern, got, err)
			}
		})
	}
}
