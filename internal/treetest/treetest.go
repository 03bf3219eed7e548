// Package treetest gives tests a copy of this repository, to change it and to build what
// it has become.
package treetest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Copy copies the files of the repository that are tracked, or would be after git add,
// into a folder of the test, and returns that. Outside of a git repository it skips the test.
func Copy(t testing.TB) string {
	t.Helper()
	root, err := exec.CommandContext(t.Context(), "git", "rev-parse", "--show-toplevel").Output()
	if err != nil {
		t.Skipf("not in a git repository, whose files are to be copied: %v", err)
	}
	from, to := strings.TrimSpace(string(root)), t.TempDir()
	for _, name := range files(t, from) {
		if err := copyFile(filepath.Join(to, name), filepath.Join(from, name)); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// files lists what Copy copies, but for what has been removed.
func files(t testing.TB, root string) []string {
	t.Helper()
	list := exec.CommandContext(t.Context(), "git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range bytes.SplitSeq(out, []byte{0}) {
		path := filepath.FromSlash(string(name))
		if info, err := os.Lstat(filepath.Join(root, path)); err == nil && info.Mode().IsRegular() {
			names = append(names, path)
		}
	}
	return names
}

func copyFile(to, from string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, text, info.Mode().Perm())
}

// Environ is the environment for commands in a copy: that of the test, with builds that do not
// depend on the folder, so that what one copy has compiled is there for the next.
func Environ() []string {
	return append(os.Environ(), "GOFLAGS=-trimpath", "CGO_ENABLED=0", "GOWORK=off")
}

// Run runs a command in a copy and gives what it prints. A failure fails the test.
func Run(t testing.TB, dir, name string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, args...)
	command.Dir, command.Env = dir, Environ()
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// Commit makes a copy a git repository with one commit, of all that it holds.
func Commit(t testing.TB, dir string) {
	t.Helper()
	Run(t, dir, "git", "init", "--quiet")
	Run(t, dir, "git", "add", "--all")
	Run(t, dir, "git", "-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false", "commit", "--quiet", "--message", "all")
}
