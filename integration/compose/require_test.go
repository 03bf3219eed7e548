package compose

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/integration/kafkatest"
)

// require skips the test, and says why, unless make compose-test asks for it.
func require(t *testing.T) {
	t.Helper()
	if os.Getenv("ETL_COMPOSE") != "1" {
		t.Skip("builds an image and runs for minutes, has a target of its own: make compose-test")
	}
	kafkatest.Require(t)
}

// installed gives the command of each Compose that is here: v2 as a plugin of
// docker, and the program of its own that 1.29 is.
func installed(t *testing.T) [][]string {
	t.Helper()
	var found [][]string
	for _, command := range [][]string{{"docker", "compose"}, {"docker-compose"}} {
		out, err := exec.CommandContext(t.Context(), command[0], append(command[1:], "version")...).CombinedOutput()
		if err != nil {
			continue
		}
		version, _, _ := strings.Cut(string(out), "\n")
		t.Logf("%s: %s", strings.Join(command, " "), version)
		found = append(found, command)
	}
	if len(found) > 0 {
		return found
	}
	const reason = "no Compose is here: install Docker's compose plugin, or Debian's docker-compose"
	if os.Getenv("ETL_REQUIRE_DOCKER") == "1" {
		t.Fatal(reason)
	}
	t.Skip(reason)
	return nil
}
