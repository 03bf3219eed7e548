package sls

import (
	"fmt"
	"os"
	"testing"

	"github.com/scf-etl/scf-etl/integration/kafkatest"
)

// containers are the two real clusters that all tests share.
var containers kafkatest.Shared

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "sls-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	built.dir = dir
	code := containers.Run(m)
	os.RemoveAll(dir)
	os.Exit(code)
}
