package main

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/fn"
)

var update = flag.Bool("update", false, "write the generated part of README.md")

func TestReadme(t *testing.T) {
	t.Run("its table of settings is that of the code", func(t *testing.T) {
		const begin, end = "by `go test ./functions/clean -update` -->\n", "<!-- end of settings -->"
		text, err := os.ReadFile("README.md")
		if err != nil {
			t.Fatal(err)
		}
		before, rest, ok := strings.Cut(string(text), begin)
		_, after, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			t.Fatal("README.md has no place for the settings")
		}
		want := before + begin + "\n" + fn.Table(fn.Describe[Config]()) + "\n" + end + after
		if *update {
			if err := os.WriteFile("README.md", []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
		if string(text) != want {
			t.Error("README.md is out of date: run go test ./functions/clean -update")
		}
	})
}
