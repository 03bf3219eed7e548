package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/doctor"
)

func TestDoctor(t *testing.T) {
	t.Parallel()
	environ, source, _ := twoClusters(t)
	fill(t, source, "orders", 1, 100)
	path := "PATH=" + os.Getenv("PATH")

	t.Run("clusters that answer are ok", func(t *testing.T) {
		t.Parallel()
		code, stdout, _ := etl(t, environ, "doctor")
		if code != exitDone || strings.Contains(stdout, "FAIL") || !strings.Contains(stdout, "target transactions") {
			t.Errorf("exit code %d\n%s", code, stdout)
		}
	})
	t.Run("a topic that is named is the one looked at", func(t *testing.T) {
		t.Parallel()
		code, stdout, _ := etl(t, environ, "doctor", "payments")
		if code != exitFailed || !strings.Contains(stdout, "topic payments") || strings.Contains(stdout, "topic orders\n") {
			t.Errorf("exit code %d\n%s", code, stdout)
		}
	})
	t.Run("a cluster that is away is a failure with a fix", func(t *testing.T) {
		t.Parallel()
		code, stdout, _ := etl(t, []string{path, "SOURCE_BROKERS=127.0.0.1:1", "SOURCE_DIAL_TIMEOUT=1s"}, "doctor")
		if code != exitFailed || !strings.Contains(stdout, "FAIL") || !strings.Contains(stdout, "fix:") {
			t.Errorf("exit code %d\n%s", code, stdout)
		}
	})
	t.Run("as JSON it is the same report, in sections", func(t *testing.T) {
		t.Parallel()
		code, stdout, stderr := etl(t, []string{path, "SOURCE_BROKERS=127.0.0.1:1"}, "doctor", "-o", "json")
		var report doctor.Report
		if err := json.Unmarshal([]byte(stdout), &report); err != nil || code != exitFailed || len(report) < 4 || report.Count(doctor.Fail) == 0 {
			t.Errorf("exit code %d, %v\n%s%s", code, err, stdout, stderr)
		}
	})
	t.Run("a function that is not in serverless.yml is wrong usage", func(t *testing.T) {
		t.Parallel()
		if code, _, stderr := etl(t, environ, "doctor", "--function", "dmup"); code != exitUsage || !strings.Contains(stderr, "dump") {
			t.Errorf("exit code %d, %q", code, stderr)
		}
	})
}
