package migrate

import (
	"errors"
	"fmt"
	"strings"
)

// groupNames are the names of consumer groups on the target.
type groupNames struct {
	prefix   string
	named    map[string]string // target by source, of those that are named one by one
	original map[string]string // the inverse of named
}

// parseGroupNames reads pairs SOURCE:TARGET, comma separated; all wrong ones are
// in the error. The prefix is for all other groups.
func parseGroupNames(text, prefix string) (groupNames, error) {
	n := groupNames{prefix: prefix, named: map[string]string{}, original: map[string]string{}}
	var faults []error
	for pair := range strings.SplitSeq(text, ",") {
		if pair = strings.TrimSpace(pair); pair == "" {
			continue
		}
		source, target, ok := strings.Cut(pair, ":")
		switch {
		case !ok || source == "" || target == "" || strings.Contains(target, ":"):
			faults = append(faults, fmt.Errorf("group %q: want SOURCE:TARGET", pair))
		case n.named[source] != "":
			faults = append(faults, fmt.Errorf("group %q: %s is named twice", pair, source))
		case n.original[target] != "":
			faults = append(faults, fmt.Errorf("group %q: %s is the name of %s, too", pair, target, n.original[target]))
		default:
			n.named[source], n.original[target] = target, source
		}
	}
	return n, errors.Join(faults...)
}

// target gives the name of a source group on the target.
func (n groupNames) target(source string) string {
	if target, ok := n.named[source]; ok {
		return target
	}
	return n.prefix + source
}

// source is the inverse of target; false where a group of the target is none
// that was carried over.
func (n groupNames) source(target string) (string, bool) {
	if source, ok := n.original[target]; ok {
		return source, true
	}
	source, ok := strings.CutPrefix(target, n.prefix)
	return source, ok && n.named[source] == ""
}
