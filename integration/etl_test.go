package integration

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// etl runs a command of the command line between the clusters of the world,
// and returns what it printed.
func (w *world) etl(t *testing.T, arguments ...string) string {
	t.Helper()
	command := exec.CommandContext(w.ctx, etlBinary(t), arguments...)
	command.Env = append(os.Environ(),
		"SOURCE_BROKERS="+strings.Join(w.brokers[0].Brokers, ","),
		"TARGET_BROKERS="+strings.Join(w.brokers[1].Brokers, ","))
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("etl %s: %v\n%s", strings.Join(arguments, " "), err, out)
	}
	return string(out)
}

// namedCommand is a command that an error message says to run.
var namedCommand = regexp.MustCompile(`etl (offsets (?:show|reset)(?: [\w-]+)*)`)

// advice runs the command that an error names and that holds every word of
// which.
func (w *world) advice(t *testing.T, message string, which ...string) string {
	t.Helper()
	for _, found := range namedCommand.FindAllStringSubmatch(message, -1) {
		holds := true
		for _, word := range which {
			holds = holds && strings.Contains(found[1], word)
		}
		if holds {
			return w.etl(t, strings.Fields(found[1])...)
		}
	}
	t.Fatalf("the error names no command with %q: %s", which, message)
	return ""
}
