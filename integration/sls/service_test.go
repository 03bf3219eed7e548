package sls

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator/api/apitest"
)

// testTimeout bounds one test, on a machine that has other things to do.
const testTimeout = 10 * time.Minute

// service is the folder of a service that the frameworks deploy.
type service struct {
	ctx       context.Context
	folder    string
	framework string // path of the program
	env       map[string]string
}

// newService is a service of its own with the project's plugin and built
// functions; file is its serverless.yml.
func newService(t *testing.T, framework string, file []byte) *service {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	t.Cleanup(cancel)
	s := &service{
		ctx: ctx, folder: t.TempDir(), framework: filepath.Join(frameworks(t), framework, "bin", "serverless.js"),
		env: map[string]string{
			"SLS_GEO_LOCATION": "no-cn", "SLS_TELEMETRY_DISABLED": "1", "SLS_NOTIFICATIONS_MODE": "off", "CI": "1",
			"TENCENTCLOUD_SECRET_ID": apitest.SecretID, "TENCENTCLOUD_SECRET_KEY": apitest.SecretKey, "ETL_BIN": etl(t),
			"COS_ENDPOINT": "", // no COS beside etl up, whose address and folder are those of the machine
		},
	}
	project, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	packages := filepath.Join(built.dir, "packages")
	if err := os.MkdirAll(packages, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, link := range [][2]string{
		{filepath.Join(project, "deploy"), "deploy"}, {functionBinaries(t), "bin"}, {packages, ".serverless"},
	} {
		if err := os.Symlink(link[0], filepath.Join(s.folder, link[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(s.folder, "serverless.yml"), file, 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// projectFile is the project's own serverless.yml.
func projectFile(t *testing.T) []byte {
	t.Helper()
	file, err := os.ReadFile(filepath.Join(root, "serverless.yml"))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// run runs a command of the framework.
func (s *service) run(arguments ...string) (output string, err error) {
	command := exec.CommandContext(s.ctx, "node", append([]string{s.framework}, arguments...)...)
	command.Dir = s.folder
	command.Env = s.environ()
	out, err := command.CombinedOutput()
	return string(out), err
}

func (s *service) environ() []string {
	env := os.Environ()
	for key, value := range s.env {
		env = append(env, key+"="+value)
	}
	return env
}

// must is run of a command that has to end well.
func (s *service) must(t *testing.T, arguments ...string) string {
	t.Helper()
	begun := time.Now()
	out, err := s.run(arguments...)
	if err != nil {
		t.Fatalf("sls %s: %v\n%s", strings.Join(arguments, " "), err, out)
	}
	t.Logf("sls %s: %.1f s", strings.Join(arguments, " "), time.Since(begun).Seconds())
	return out
}

// refused is run of a command that has to end with exit code 1, and to say want.
func (s *service) refused(t *testing.T, want string, arguments ...string) string {
	t.Helper()
	out, err := s.run(arguments...)
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 1 {
		t.Fatalf("sls %s: %v, want exit code 1\n%s", strings.Join(arguments, " "), err, out)
	}
	if !strings.Contains(out, want) {
		t.Errorf("sls %s: want %q in\n%s", strings.Join(arguments, " "), want, out)
	}
	return out
}

// api is a client of the platform that the service is deployed to.
func (s *service) api() apitest.Client {
	return apitest.Client{URL: s.env["TENCENTCLOUD_SCF_ENDPOINT"]}
}
