package main

import (
	"flag"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/fn/fntest"
)

var update = flag.Bool("update", false, "write the generated part of README.md")

func TestReadme(t *testing.T) {
	t.Run("its table of settings is that of the code", func(t *testing.T) { fntest.Readme[Config](t, *update) })
}
