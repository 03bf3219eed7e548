package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// allowed are the findings that .ci/allowed names, with the reason of each.
type allowed map[string]string

// readAllowed reads .ci/allowed of a repository: a line for each finding that is
// accepted, its name (check, blank, what), a blank and the reason. Lines that begin
// with # are comments. Without the file nothing is allowed.
func readAllowed(root string) (allowed, error) {
	path := filepath.Join(root, ".ci", "allowed")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return allowed{}, nil
	} else if err != nil {
		return nil, err
	}
	names := allowed{}
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		fields := strings.Fields(line)
		if len(fields) < 3 || !slices.ContainsFunc(checks(), func(k check) bool { return k.name == fields[0] }) {
			return nil, fmt.Errorf("%s:%d: want CHECK NAME REASON, with a check that there is", path, number)
		}
		names[fields[0]+" "+fields[1]] = strings.Join(fields[2:], " ")
	}
	return names, nil
}

// split parts the findings that stand from those that are allowed.
func (a allowed) split(all []finding) (kept, excused []finding) {
	for _, f := range all {
		if _, ok := a[f.name]; ok {
			excused = append(excused, f)
		} else {
			kept = append(kept, f)
		}
	}
	return kept, excused
}
