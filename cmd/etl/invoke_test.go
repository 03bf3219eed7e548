package main

import (
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/emulator"
)

func TestInvokeNamesTheEventThatAFunctionTakes(t *testing.T) {
	t.Parallel()
	for requirement, test := range map[string]struct {
		message string
		want    bool
	}{
		"an event of another kind is answered with where there is a sample": {
			"decode ckafka event: Records: there are none (byte 0)", true,
		},
		"another failure is told as it is": {"dial tcp 127.0.0.1:1: connection refused", false},
	} {
		t.Run(requirement, func(t *testing.T) {
			t.Parallel()
			var said, answer strings.Builder
			printInvocation(&answer, &said, emulator.Invocation{Error: &emulator.FunctionError{Message: test.message}})
			if got := strings.Contains(said.String(), "etl event ckafka"); got != test.want {
				t.Errorf("said %q", said.String())
			}
		})
	}
}
