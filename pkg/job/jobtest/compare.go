package jobtest

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// asText shows bytes that are text as text. nil and empty stay apart.
var asText = cmp.FilterValues(func(a, b []byte) bool {
	return a != nil && b != nil && utf8.Valid(a) && utf8.Valid(b)
}, cmp.Transformer("text", func(b []byte) string { return string(b) }))

// faults says how an outcome differs from what its case wants.
func (got outcome) faults(c Case) []string {
	var faults []string
	want := outcome{outputs: c.Want, letters: c.WantDeadLetters}
	if diff := cmp.Diff(want.byTopic(), got.byTopic(), asText); diff != "" {
		faults = append(faults, "what is written, by topic (-want +got):\n"+diff)
	}
	if diff := cmp.Diff(want.letters, got.lettersAs(want.letters)); diff != "" {
		faults = append(faults, "dead letters (-want +got):\n"+diff+got.unwantedStacks(want.letters))
	}
	switch {
	case got.transient == nil && c.WantTransient != "":
		faults = append(faults, fmt.Sprintf("no transient error: want one with %q", c.WantTransient))
	case got.transient != nil && c.WantTransient == "":
		faults = append(faults, fmt.Sprintf("a transient error, which would stop the partition: %v", got.transient))
	case got.transient != nil && !strings.Contains(got.transient.Error(), c.WantTransient):
		faults = append(faults, fmt.Sprintf("the transient error is %q: want %q in it", got.transient, c.WantTransient))
	}
	return faults
}

// byTopic gives what can be compared of the outputs: nothing is promised about the
// order between topics, an output has no offset, and no headers are none.
func (got outcome) byTopic() map[string][]batch.Record {
	topics := map[string][]batch.Record{}
	for _, o := range got.outputs {
		o.Offset = 0
		if len(o.Headers) == 0 {
			o.Headers = nil
		}
		topics[o.Topic] = append(topics[o.Topic], o.Record)
	}
	return topics
}

// lettersAs gives the dead letters with the error that is wanted where it is a part of
// theirs.
func (got outcome) lettersAs(wanted []DeadLetter) []DeadLetter {
	var letters []DeadLetter
	for i, l := range got.letters {
		if i < len(wanted) && strings.Contains(l.Error, wanted[i].Error) {
			l.Error = wanted[i].Error
		}
		letters = append(letters, l)
	}
	if letters == nil && wanted != nil {
		letters = []DeadLetter{}
	}
	return letters
}

// unwantedStacks says where the code has panicked on records that are not to be panicked on.
func (got outcome) unwantedStacks(wanted []DeadLetter) string {
	expected := map[int]bool{}
	for _, l := range wanted {
		expected[l.Record] = true
	}
	var text strings.Builder
	for _, l := range got.letters {
		if stack := got.stacks[l.Record]; stack != "" && !expected[l.Record] {
			fmt.Fprintf(&text, "record %d panicked at:\n%s", l.Record, stack)
		}
	}
	return text.String()
}
