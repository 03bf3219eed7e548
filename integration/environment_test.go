package integration

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestWrongEnvironment(t *testing.T) {
	t.Parallel()
	t.Run("the built function lists every fault and exits before it listens or connects", func(t *testing.T) {
		t.Parallel()
		function := exec.CommandContext(t.Context(), filepath.Join(dumpPackage(t), "main"))
		function.Env = []string{
			"_LAMBDA_SERVER_PORT=1", // a port that it could not listen on
			"JOB=a.b", "MODE=both", "COMPRESSION=brotli",
			"SOURCE_BROKERS=nowhere", "SOURCE_SASL=PLAIN", "SOURCE_SASL_USER=u", "TARGET_TLS=maybe", "TARGET_SASL_PASSWORD=hunter2",
		}
		out, err := function.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 {
			t.Fatalf("%v, want exit code 1\n%s", err, out)
		}
		for _, want := range []string{"JOB", "MODE", "COMPRESSION", "SOURCE_BROKERS", "SOURCE_SASL", "TARGET_TLS", "TARGET_BROKERS"} {
			if !strings.Contains(string(out), want) {
				t.Errorf("%s is not among the faults:\n%s", want, out)
			}
		}
		if strings.Contains(string(out), "hunter2") {
			t.Errorf("the password is shown:\n%s", out)
		}
	})
}
