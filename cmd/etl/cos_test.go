package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

func TestCOS(t *testing.T) {
	t.Parallel()
	const bucket = "uploads-1250000000"
	server, err := localcos.New(localcos.Config{
		Dir: t.TempDir(), Buckets: []string{bucket}, Keys: map[string]localcos.Key{localKey: {Secret: secret.New(localKey)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	if err := server.Start("localhost:0"); err != nil {
		t.Fatal(err)
	}
	environ := []string{"COS_ENDPOINT=" + server.URL()}
	file := filepath.Join(t.TempDir(), "o.txt")
	if err := os.WriteFile(file, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}

	t.Run("an object is put, listed, read and removed, with the keys of this machine", func(t *testing.T) {
		want(t, environ, exitDone, []string{"cos", "put", file, bucket + "/in/o.txt"}, "7 bytes put to "+bucket+"/in/o.txt")
		want(t, environ, exitDone, []string{"cos", "list", bucket + "/in/"}, "in/o.txt", "7")
		if got := want(t, environ, exitDone, []string{"cos", "get", bucket + "/in/o.txt"}); got != "content" {
			t.Errorf("got %q", got)
		}
		want(t, environ, exitDone, []string{"cos", "remove", bucket + "/in/o.txt"}, "removed")
		if out := want(t, environ, exitDone, []string{"cos", "list", bucket}); strings.Contains(out, "o.txt") {
			t.Errorf("got %s", out)
		}
	})

	t.Run("what is wrong is named, with what helps", func(t *testing.T) {
		want(t, environ, exitUsage, []string{"cos", "put", file, "uploads/in"}, "BUCKET/KEY", "APPID")
		want(t, environ, exitFailed, []string{"cos", "get", bucket + "/none"}, "does not exist")
		want(t, environ, exitFailed, []string{"cos", "list", "other-1250000000"}, "the bucket does not exist")
		want(t, []string{"COS_ENDPOINT="}, exitUsage, []string{"cos", "list", bucket}, "TENCENTCLOUD_SECRET_ID")
	})
}
