package cossdk_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

const (
	bucketName = "sdk-1250000000"
	secretID   = "AKIDexample"
	secretKey  = "key-of-a-test"
	mib        = 1 << 20
)

func TestPython(t *testing.T) {
	t.Parallel()
	require(t, tool{[]string{"python3", "-m", "pip", "--version"}, "install Python 3 with pip (Debian: python3-pip)"})
	dir := install(t, "python", "python/requirements.txt", func(ctx context.Context, dir string) *exec.Cmd {
		return exec.CommandContext(ctx, "python3", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile",
			"--no-deps", "--target", dir, "--requirement", "python/requirements.txt")
	})
	check(t, "python", "PYTHONPATH="+dir, "python3", "python/check.py")
}

func TestNode(t *testing.T) {
	t.Parallel()
	require(t, tool{[]string{"node", "--version"}, "install Node.js 18 or later (Debian: nodejs)"},
		tool{[]string{"npm", "--version"}, "install npm (Debian: npm)"})
	dir := install(t, "node", "node/package-lock.json", func(ctx context.Context, dir string) *exec.Cmd {
		for _, name := range []string{"package.json", "package-lock.json"} {
			text, err := os.ReadFile(filepath.Join("node", name))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		command := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
		command.Dir = dir
		return command
	})
	check(t, "node", "COS_SDK="+filepath.Join(dir, "node_modules"), "node", "node/check.js")
}

// check runs a script against a server: it reads what Go wrote, and Go what it
// wrote.
func check(t *testing.T, language, environment string, command ...string) {
	t.Helper()
	server, err := localcos.New(localcos.Config{
		Dir: t.TempDir(), Buckets: []string{bucketName}, Keys: map[string]localcos.Key{secretID: {Secret: secret.New(secretKey)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := server.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	bucket, err := cos.Open(cos.Config{
		Bucket: bucketName, Region: localcos.DefaultRegion, Endpoint: server.URL(), PartSize: mib,
		Credentials: cos.Static(secretID, secret.New(secretKey)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(bucket.Close)
	for key, content := range map[string]string{"go/whole": "from Go", "go/parts": strings.Repeat("part", 3*mib/4)} {
		if _, err := bucket.Put(t.Context(), key, strings.NewReader(content), cos.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}

	script := exec.CommandContext(t.Context(), command[0], append(command[1:], server.URL(), bucketName, localcos.DefaultRegion)...)
	script.Env = append(os.Environ(), environment, "COS_SECRET_ID="+secretID, "COS_SECRET_KEY="+secretKey,
		"PYTHONDONTWRITEBYTECODE=1", "NO_PROXY=", "no_proxy=")
	out, err := script.CombinedOutput()
	if err != nil {
		t.Fatalf("the SDK of %s: %v\n%s", language, err, out)
	}

	want := map[string][]byte{
		language + "/a b+c&ü": []byte("hellö"),
		language + "/parts":   append(append(bytes.Repeat([]byte("1"), mib), bytes.Repeat([]byte("2"), mib)...), '3'),
	}
	for o, err := range bucket.List(t.Context(), cos.ListOptions{Prefix: language + "/"}) {
		if err != nil {
			t.Fatal(err)
		}
		body, whole, err := bucket.Get(t.Context(), o.Key)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(body)
		if err != nil || !whole.HasCRC64 || !bytes.Equal(got, want[o.Key]) {
			t.Errorf("%s: got %d bytes (checked: %t), %v, want %d", o.Key, len(got), whole.HasCRC64, err, len(want[o.Key]))
		}
		_ = body.Close()
		delete(want, o.Key)
	}
	for key := range want {
		t.Errorf("%s is not there", key)
	}
}
