package scaffold_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/scaffold"
)

func TestInsert(t *testing.T) {
	t.Parallel()
	const block = "# why\nnew:\n  handler: main\n"
	for requirement, test := range map[string]struct{ before, added, after string }{
		"behind the last function, above what follows and its comment": {
			"service: s\nfunctions: # all\n  # one\n  a:\n    handler: main # b\n", "\n  # why\n  new:\n    handler: main\n", "\n# of custom\ncustom: {}\n",
		},
		"at the end of the file": {
			"functions:\n  a:\n    handler: main\n", "\n  # why\n  new:\n    handler: main\n", "",
		},
		"behind a last line that does not end": {
			"functions:\n  a:\n    handler: main", "\n\n  # why\n  new:\n    handler: main\n", "",
		},
		"in the indentation of the others": {
			"functions:\n# not one\n    a:\n        handler: main\n", "\n    # why\n    new:\n      handler: main\n", "custom: {}\n",
		},
		"with the line ends of the others": {
			"functions:\r\n  a:\r\n    handler: main\r\n", "\r\n  # why\r\n  new:\r\n    handler: main\r\n", "custom: {}\r\n",
		},
		"as the first one": {
			"service: s\nfunctions:\n", "  # why\n  new:\n    handler: main\n", "\ncustom: {}\n",
		},
		"behind a comment that belongs to the last function": {
			"functions:\n  a:\n    handler: main\n    # memorySize: 128\n", "\n  # why\n  new:\n    handler: main\n", "\n\n",
		},
		"past a comment at the margin between two functions": {
			"functions:\n  a: {}\n# margin\n  b: {}\n", "\n  # why\n  new:\n    handler: main\n", "# custom\ncustom: {}\n",
		},
	} {
		t.Run(requirement, func(t *testing.T) {
			t.Parallel()
			got, err := scaffold.Insert(test.before+test.after, block)
			if want := test.before + test.added + test.after; err != nil || got != want {
				t.Errorf("got %q (%v), want %q", got, err, want)
			}
		})
	}
	for _, text := range []string{"", "service: s\n", "functions: {a: {handler: main}}\n", "functions: ${file(functions.yml)}\n", "  functions:\n    a: {}\n"} {
		t.Run("functions that are not written line by line are refused", func(t *testing.T) {
			t.Parallel()
			if got, err := scaffold.Insert(text, block); !errors.Is(err, scaffold.ErrFile) || !strings.Contains(err.Error(), "functions:") {
				t.Errorf("%q: got %q (%v), want ErrFile", text, got, err)
			}
		})
	}
}
