package sls

import "fmt"

// Bounds of one load. A service of hundreds of functions stays far below all of them; a bomb does not.
const (
	maxFileBytes = 256 << 10 // of one file
	maxFiles     = 100       // files read by file(...)
	maxBlank     = 100       // blank lines in a row: the YAML parser takes them off one by one, copying the text each time
	maxDepth     = 64        // of nested maps and lists
	maxTokens    = 20_000    // of one YAML file: the parser's time grows with the square of the keys
	maxValues    = 100_000   // values after aliases and variables are put in
	maxText      = 4 << 20   // bytes of text after variables are put in
	maxChain     = 500       // variables that lead to variables
	maxNested    = 16        // variables inside a variable: ${a:${b:${c:x}}}
	maxRounds    = 10        // a resolved value that holds variables again; the framework's own bound
)

// budget is what one load may still spend.
type budget struct{ values, text, files int }

func newBudget() *budget { return &budget{maxValues, maxText, maxFiles} }

func (b *budget) take(values, text int) error {
	b.values -= values
	b.text -= text
	if b.values < 0 {
		return fmt.Errorf("the configuration grows past %d values once aliases and variables are put in", maxValues)
	}
	if b.text < 0 {
		return fmt.Errorf("the configuration grows past %d bytes of text once aliases and variables are put in", maxText)
	}
	return nil
}
