package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/rogpeppe/go-internal/diff"
)

// diffValues gives what is different in two values, line by line. JSON is put on
// lines first, so that a field is one.
func diffValues(oldName string, old []byte, newName string, mended []byte) string {
	if bytes.Equal(old, mended) {
		return "the values are equal\n"
	}
	if !text(old) || !text(mended) {
		return fmt.Sprintf("the values are no text: %d bytes in %s, %d in %s\n", len(old), oldName, len(mended), newName)
	}
	oldLines, newLines := lines(old), lines(mended)
	if bytes.Equal(oldLines, newLines) {
		return "the values differ in white space alone\n"
	}
	return string(diff.Diff(oldName, oldLines, newName, newLines))
}

// lines puts JSON on lines; other text keeps its own.
func lines(value []byte) []byte {
	var out bytes.Buffer
	if json.Indent(&out, value, "", "  ") != nil {
		out.Reset()
		out.Write(value)
	}
	return append(bytes.TrimRight(out.Bytes(), "\n"), '\n')
}
