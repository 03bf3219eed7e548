package page

import (
	"bytes"
	"errors"
	"os"
	"slices"
)

// The results of the commands in the README stand between one of the first lines and
// the last.
const (
	Copiers    = "<!-- results: written by make bench WRITE=1 -->\n"
	Backups    = "<!-- results of backup: written by make bench WRITE=1 -->\n"
	Datasets   = "<!-- results of dataset: written by make bench WRITE=1 -->\n"
	Transforms = "<!-- results of transform: written by make bench WRITE=1 -->\n"
	Extracts   = "<!-- results of extract: written by make bench WRITE=1 -->\n"

	End = "<!-- end of results -->\n"
)

// Write puts results into a README behind the line that begins them, in the place of
// the last ones. A README without such a place is an error, and stays as it is.
func Write(path, begin, results string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, begins := bytes.Cut(text, []byte(begin))
	_, after, ends := bytes.Cut(rest, []byte(End))
	if !begins || !ends {
		return errors.New(path + " has no place for results")
	}
	return os.WriteFile(path, slices.Concat(before, []byte(begin+"\n"+results+End), after), 0o644)
}
