package main

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestPack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	binary := filepath.Join(dir, "dump")
	content := []byte("\x7fELF and so on")
	if err := os.WriteFile(binary, content, 0o600); err != nil {
		t.Fatal(err)
	}

	t.Run("the zip holds the binary as main, which everyone may execute", func(t *testing.T) {
		t.Parallel()
		to := filepath.Join(t.TempDir(), "new", "dump.zip")
		if err := packFile(to, binary); err != nil {
			t.Fatal(err)
		}
		archive, err := zip.OpenReader(to)
		if err != nil {
			t.Fatal(err)
		}
		defer archive.Close()
		if len(archive.File) != 1 || archive.File[0].Name != "main" || archive.File[0].Mode() != 0o755 {
			t.Fatalf("files are %+v", archive.File)
		}
		main, err := archive.File[0].Open()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(main)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, content) {
			t.Errorf("main is %q", got)
		}
	})

	t.Run("the same binary of another time and mode gives the same zip", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		other := filepath.Join(dir, "other")
		if err := os.WriteFile(other, content, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(other, time.Unix(1, 0), time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
		zips := [2][]byte{}
		for i, from := range []string{binary, other} {
			to := filepath.Join(dir, filepath.Base(from)+".zip")
			if err := packFile(to, from); err != nil {
				t.Fatal(err)
			}
			var err error
			if zips[i], err = os.ReadFile(to); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(zips[0], zips[1]) {
			t.Error("the zips differ")
		}
	})

	t.Run("a binary that is not there is an error that names it", func(t *testing.T) {
		t.Parallel()
		if err := packFile(filepath.Join(t.TempDir(), "x.zip"), "no/such/binary"); !os.IsNotExist(err) {
			t.Errorf("error is %v", err)
		}
	})
}
