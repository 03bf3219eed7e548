// Command rename makes the repository somebody's own: it gives the module another path,
// in go.mod and everywhere that means the module.
//
//	go run ./internal/rename example.com/team/etl      # make rename MODULE=example.com/team/etl
//
// It works in the git repository of the current folder. What is not committed yet is
// refused without -force, so that git can show, and take back, what it has done.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	force := flag.Bool("force", false, "also with changes that are not committed")
	flag.Usage = func() { fmt.Fprintln(os.Stderr, "usage: rename [-force] MODULE") }
	flag.Parse()
	if flag.NArg() != 1 || flag.Arg(0) == "" {
		fmt.Fprintln(os.Stderr, "rename: which path? make rename MODULE=example.com/team/etl")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	changed, err := rename(ctx, ".", flag.Arg(0), *force)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "rename:", err)
		os.Exit(1)
	}
	fmt.Printf("%d files name the module %s now; next: go build ./... && git diff --stat\n", len(changed), flag.Arg(0))
}
