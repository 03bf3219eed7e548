package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/pack"
)

// packable makes a folder with a serverless.yml and the binary that it names.
func packable(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":     "module example.com/small\n\ngo 1.26.0\n",
		"main.go":    "package main\n\nfunc main() {}\n",
		"rules.yaml": "a: 1\n",
		"serverless.yml": `service: etl
provider: {name: tencent}
functions:
  small: {handler: main, binary: bin/small, package: {patterns: ["*.yaml"]}}
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", "bin/small", ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

func TestPackage(t *testing.T) {
	t.Parallel()
	dir := packable(t)
	yml := filepath.Join(dir, "serverless.yml")
	key := filepath.Join(dir, "test.key")
	text, err := os.ReadFile("../../pkg/pack/testdata/test.key")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, text, 0o600); err != nil {
		t.Fatal(err)
	}
	const public = "../../pkg/pack/testdata/test.pub"

	t.Run("a package is listed with its size and files, and is not verified without a signature", func(t *testing.T) {
		t.Parallel()
		code, stdout, stderr := etl(t, nil, "package", "-c", yml, "--into", "plain", "-o", "json")
		var made []pack.Package
		if err := json.Unmarshal([]byte(stdout), &made); code != 0 || err != nil {
			t.Fatalf("exit code %d, %v, %s%s", code, err, stdout, stderr)
		}
		if len(made) != 1 || made[0].Bytes == 0 || strings.Join(made[0].Files, " ") != "main rules.yaml" {
			t.Errorf("made %+v", made)
		}
		code, _, stderr = etl(t, nil, "package", "verify", "-c", yml, "--from", "plain", "--key", public)
		if code != exitFailed || !strings.Contains(stderr, "there is none") {
			t.Errorf("exit code %d, %s", code, stderr)
		}
	})
	t.Run("what is signed with a key and its password from the environment is verified", func(t *testing.T) {
		t.Parallel()
		code, stdout, stderr := etl(t, []string{signPasswordVariable + "=test"}, "package", "small", "-c", yml, "--into", "signed", "--sign-key", key)
		if code != 0 || !strings.Contains(stdout, "SIGNED") || !strings.Contains(stdout, "small.zip") {
			t.Fatalf("exit code %d, %s%s", code, stdout, stderr)
		}
		code, stdout, stderr = etl(t, nil, "package", "verify", "-c", yml, "--from", "signed", "--key", public)
		if code != 0 || !strings.Contains(stdout, "small.zip: signed by key 31545345544C5445") {
			t.Errorf("exit code %d, %s%s", code, stdout, stderr)
		}
	})
	t.Run("a wrong password packs nothing", func(t *testing.T) {
		t.Parallel()
		code, _, stderr := etl(t, []string{signPasswordVariable + "=wrong"}, "package", "-c", yml, "--into", "wrong", "--sign-key", key)
		if code != exitFailed || !strings.Contains(stderr, "the password is wrong") {
			t.Errorf("exit code %d, %s", code, stderr)
		}
		if _, err := os.Stat(filepath.Join(dir, "wrong")); !os.IsNotExist(err) {
			t.Error(err)
		}
	})
}

func TestPackageFFmpeg(t *testing.T) {
	t.Parallel()
	dir := packable(t)
	small, err := os.ReadFile(filepath.Join(dir, "bin/small"))
	if err != nil {
		t.Fatal(err)
	}
	yml := "service: etl\nprovider: {name: tencent}\nfunctions:\n  video: {handler: main, binary: bin/transcode}\n  small: {handler: main, binary: bin/small}\n"
	for name, content := range map[string]string{
		"bin/transcode": string(small), "ffmpeg": string(small), "ffprobe": string(small), "serverless.yml": yml,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	at := filepath.Join(dir, "serverless.yml")

	t.Run("ffmpeg and the ffprobe beside it lie in the zip of what runs them, and in no other", func(t *testing.T) {
		t.Parallel()
		code, stdout, stderr := etl(t, nil, "package", "-c", at, "--into", "with", "--ffmpeg", filepath.Join(dir, "ffmpeg"), "-o", "json")
		var made []pack.Package
		if err := json.Unmarshal([]byte(stdout), &made); code != 0 || err != nil {
			t.Fatalf("exit code %d, %v, %s%s", code, err, stdout, stderr)
		}
		for _, p := range made {
			want := "main"
			if p.Function == "video" {
				want = "main ffmpeg ffprobe"
			}
			if got := strings.Join(p.Files, " "); got != want {
				t.Errorf("%s has %s, want %s", p.Function, got, want)
			}
		}
	})
	t.Run("something else than ffmpeg is wrong usage, and so is a function that does not run it", func(t *testing.T) {
		t.Parallel()
		for _, args := range [][]string{{"--ffmpeg", "other"}, {"small", "--ffmpeg", filepath.Join(dir, "ffmpeg")}} {
			if code, _, stderr := etl(t, nil, append([]string{"package", "-c", at}, args...)...); code != exitUsage {
				t.Errorf("%v: exit code %d, %s", args, code, stderr)
			}
		}
	})
}
