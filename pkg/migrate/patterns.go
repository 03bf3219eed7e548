package migrate

import "regexp"

func quote(name string) string { return regexp.QuoteMeta(name) }

// prefixed puts a plain prefix before patterns.
func prefixed(prefix string, patterns []string) []string {
	out := make([]string, len(patterns))
	for i, pattern := range patterns {
		out[i] = quote(prefix) + "(?:" + pattern + ")"
	}
	return out
}
