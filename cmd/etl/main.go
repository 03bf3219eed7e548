// Command etl is the command line of scf-etl: it runs the project's functions
// on this machine with the triggers of the cloud, and looks after what they
// do. Each subcommand is one file, and a call to a package.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
