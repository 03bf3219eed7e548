package main

import (
	"os"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// TestRunbook runs the commands of functions/backup/README.md in their order.
func TestRunbook(t *testing.T) {
	t.Parallel()
	source, target, environ := backedUp(t)
	if err := source.Commit(t.Context(), "billing", "orders", map[int32]kafka.Committed{0: {Offset: 25}}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../functions/backup/README.md")
	if err != nil {
		t.Fatal(err)
	}
	restored := t.TempDir() + "/restored"
	ran := 0
	for line := range strings.Lines(string(text)) {
		args := strings.Fields(line)
		if len(args) < 2 || args[0] != "etl" || args[1] == "serve" { // the test has what it would serve
			continue
		}
		for i := range args {
			if args[i] == "restored" {
				args[i] = restored
			}
		}
		if code, stdout, stderr := etl(t, environ, args[1:]...); code != exitDone {
			t.Fatalf("%s: exit code %d\n%s%s", strings.TrimSpace(line), code, stdout, stderr)
		}
		ran++
	}
	if ran < 12 {
		t.Errorf("%d commands were run", ran)
	}
	committed, err := target.CommittedAll(t.Context(), "billing")
	if err != nil || committed["orders"][0].Offset != 25 {
		t.Errorf("the group is at %v, %v", committed, err)
	}
	if _, err := os.Stat(restored + "/orders/0.jsonl"); err != nil {
		t.Error(err)
	}
}
