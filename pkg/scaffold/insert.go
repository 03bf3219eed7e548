package scaffold

import (
	"fmt"
	"regexp"
	"strings"
)

// functionsLine begins the functions of a serverless.yml.
var functionsLine = regexp.MustCompile(`^functions:[ \t]*(#.*)?\r?\n?$`)

// Insert adds a block to the functions of a serverless.yml, behind the last of them, in
// the indentation of the others. Every other byte stays as it is. Functions that are not
// written line by line are [ErrFile].
func Insert(text, block string) (string, error) {
	lines := strings.SplitAfter(text, "\n")
	begin := -1
	for i, line := range lines {
		if functionsLine.MatchString(line) {
			begin = i
		}
	}
	if begin < 0 {
		return "", fmt.Errorf("serverless.yml %w: it has no line with nothing but functions: and below that a block for each function", ErrFile)
	}
	last, indent := begin, ""
	for i := begin + 1; i < len(lines); i++ {
		content := strings.TrimLeft(lines[i], " \t")
		switch indented, comment := content != lines[i], strings.HasPrefix(content, "#"); {
		case strings.TrimSpace(content) == "":
			continue
		case !indented && comment:
			continue // it may stand between two functions, or above what follows them
		case !indented:
			i = len(lines)
		default:
			last = i
			if indent == "" && !comment {
				indent = lines[i][:len(lines[i])-len(content)]
			}
		}
	}
	return strings.Join(lines[:last+1], "") + addition(lines[last], indent, block, last > begin) + strings.Join(lines[last+1:], ""), nil
}

// addition is the block as it goes behind a line: indented, with the line's end, and
// with an empty line above it where there are functions.
func addition(behind, indent, block string, more bool) string {
	end := "\n"
	if strings.HasSuffix(behind, "\r\n") {
		end = "\r\n"
	}
	if indent == "" {
		indent = "  "
	}
	var b strings.Builder
	if !strings.HasSuffix(behind, "\n") {
		b.WriteString(end)
	}
	if more {
		b.WriteString(end)
	}
	for line := range strings.Lines(block) {
		b.WriteString(indent + strings.TrimSuffix(line, "\n") + end)
	}
	return b.String()
}
