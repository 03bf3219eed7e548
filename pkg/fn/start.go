package fn

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/tencentyun/scf-go-lib/cloudfunction"
)

// portKey is where the platform says on which port of localhost it wants to talk to the process. scf-go-lib listens
// there.
const portKey = "_LAMBDA_SERVER_PORT"

// answerGrace is how long a process that was told to stop stays after its last invocation: scf-go-lib writes the
// answer after Invoke has returned, and says nothing when it is out.
const answerGrace = 100 * time.Millisecond

// Exit codes of a function's process.
const (
	exitDone   = 0 // told to stop and stopped, or help shown
	exitFailed = 1 // configuration at fault, or the handler could not be closed
	exitUsage  = 2 // run by hand
)

// Start runs the function called name, as the one call of its main. It does not return.
//
// On the platform it serves invocations, as [Handler] says, until the process is killed or told to stop: by SIGTERM or
// SIGINT, at which it ends the context of a running invocation, waits for it, closes the handler and exits 0.
//
// The configuration is read from the environment of the process, and an invocation brings more: so the platform does
// it. If the process is started with some of the function's settings, the rest must be there too; faults are then all
// listed on stderr and the process exits 1 before it listens or connects. If it is started with none of them, they
// are expected with the first invocation, and faults are its answer, a [ConfigError] that ends the instance.
//
// Run by hand it says what it is, whether its configuration is complete and how to run it, and exits 2; with --help
// it lists its settings and exits 0.
func Start[C, E, R any](name string, new New[C, E, R]) {
	ctx, restore := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	context.AfterFunc(ctx, restore) // a second signal ends the process at once
	os.Exit(run(ctx, name, new, process{
		args:    os.Args[1:],
		environ: environ(os.Environ()),
		stdout:  os.Stdout,
		stderr:  os.Stderr,
		serve:   cloudfunction.StartHandler,
	}))
}

// process is what a function's process has from outside.
type process struct {
	args           []string
	environ        map[string]string
	stdout, stderr io.Writer
	serve          func(cloudfunction.Handler) // does not return
}

func environ(pairs []string) map[string]string {
	values := make(map[string]string, len(pairs))
	for _, pair := range pairs {
		key, value, _ := strings.Cut(pair, "=")
		values[key] = value
	}
	return values
}

// run is Start until ctx is done, and returns the exit code.
func run[C, E, R any](ctx context.Context, name string, new New[C, E, R], p process) int {
	instance, err := NewInstance(name, new, p.environ, p.stdout)
	if err != nil {
		fmt.Fprintln(p.stderr, err)
		return exitFailed
	}
	usage := usage{name: name, settings: slices.Concat(settingsOf(instance.settings.fields), settingsOf(instance.settings.runtime))}
	if helpAsked(p.args) {
		usage.help(p.stdout)
		return exitDone
	}
	faults := instance.settings.parse().faults
	if p.environ[portKey] == "" {
		usage.byHand(p.stderr, faults)
		return exitUsage
	}
	if len(faults) > 0 && instance.settings.begun() {
		listFaults(p.stderr, name, faults)
		return exitFailed
	}
	go p.serve(instance)
	<-ctx.Done()
	return stop(instance, p.stderr)
}

// stop closes the instance and leaves its last answer the time to be written.
func stop(instance io.Closer, stderr io.Writer) int {
	err := instance.Close()
	<-time.After(answerGrace)
	if err != nil {
		fmt.Fprintf(stderr, "stop: %v\n", err)
		return exitFailed
	}
	return exitDone
}

func helpAsked(args []string) bool {
	return slices.ContainsFunc(args, func(arg string) bool {
		return arg == "-h" || arg == "-help" || arg == "--help"
	})
}
