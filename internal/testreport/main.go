// Command testreport reads `go test -json` and prints what a person wants to
// know: the line of each package, the output of what failed, and at the end
// every skipped test with its reason. It exits with 1 when a test failed or
// none ran.
//
//	go test -json ./... | go run ./internal/testreport
package main

import (
	"fmt"
	"os"
)

func main() {
	result, err := report(os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
		os.Exit(1)
	}
	if !result.ok() {
		os.Exit(1)
	}
}
