package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
)

// The results in the README stand between these lines.
const (
	resultsBegin = "<!-- results: written by make bench WRITE=1 -->\n"
	resultsEnd   = "<!-- end of results -->\n"
)

// write puts the report into a README, in the place of the last one.
func (r *report) write(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, begins := bytes.Cut(text, []byte(resultsBegin))
	_, after, ends := bytes.Cut(rest, []byte(resultsEnd))
	if !begins || !ends {
		return errors.New(path + " has no place for results")
	}
	var out bytes.Buffer
	out.Write(before)
	out.WriteString(resultsBegin + "\n")
	if err := r.print(&out, "markdown"); err != nil {
		return err
	}
	fmt.Fprint(&out, resultsEnd)
	out.Write(after)
	return os.WriteFile(path, out.Bytes(), 0o644)
}
