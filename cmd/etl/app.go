package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// The exit codes of every subcommand.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// app is what all subcommands share.
type app struct {
	stdout, stderr io.Writer
	environ        map[string]string
	format         string // of the output: text or json
	begun          bool   // a subcommand has begun its work: errors are no longer of usage
}

// run executes one command line and gives the exit code. It reads no
// environment but environ and writes nowhere but to stdout and stderr.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	out := &output{w: stdout}
	a := &app{stdout: out, stderr: stderr, environ: environment(environ)}
	root := a.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = out.err
	}
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errReported):
		return exitFailed
	case !a.begun || errors.Is(err, errUsage):
		fmt.Fprintf(stderr, "etl: %v\nSee: etl %s--help\n", err, commandPath(root, args))
		return exitUsage
	case ctx.Err() != nil:
		fmt.Fprintf(stderr, "etl: stopped: %v\n", err)
	default:
		fmt.Fprintf(stderr, "etl: %v\n", err)
	}
	return exitFailed
}

// output remembers that something could not be written: a full disk under a
// redirected report is a failure.
type output struct {
	w   io.Writer
	err error
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	if err != nil && o.err == nil {
		o.err = fmt.Errorf("write the output: %w", err)
	}
	return n, err
}

var (
	errUsage = errors.New("wrong usage")
	// errReported ends a command that has shown on stdout what is wrong.
	errReported = errors.New("reported")
)

func usagef(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errUsage, fmt.Sprintf(format, args...))
}

func environment(environ []string) map[string]string {
	m := make(map[string]string, len(environ))
	for _, pair := range environ {
		key, value, _ := strings.Cut(pair, "=")
		m[key] = value
	}
	return m
}

// commandPath names the subcommand that args were for, with a space after it.
func commandPath(root *cobra.Command, args []string) string {
	found, _, err := root.Find(args)
	if err != nil || found == root {
		return ""
	}
	return strings.TrimPrefix(found.CommandPath(), root.Name()+" ") + " "
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "etl",
		Short: "Event-driven ETL for Kafka on Tencent SCF, on this machine",
		Long: `etl runs the functions of serverless.yml on this machine, with the triggers of
the cloud, and looks after what they copy.

Clusters are named by the environment, as for the functions: SOURCE_BROKERS and
TARGET_BROKERS, and for TLS and SASL SOURCE_TLS, SOURCE_SASL, SOURCE_SASL_USER,
SOURCE_SASL_PASSWORD and so on. Passwords are never taken from the command line.

Exit codes: 0 done, 1 failed, 2 wrong usage.`,
		Example: `  etl demo                     see it work, without Docker and without a cluster
  etl up                       run serverless.yml here
  etl verify orders            compare a topic on two clusters`,
		Version:       readVersion().Version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if !slices.Contains([]string{"text", "json"}, a.format) {
				return usagef("-o is %q: want text or json", a.format)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.PersistentFlags().StringVarP(&a.format, "output", "o", "text", "format of the output: text or json")
	root.AddCommand(
		a.demoCommand(), a.newCommand(), a.upCommand(), a.serveCommand(), a.invokeCommand(), a.eventCommand(),
		a.statusCommand(), a.produceCommand(), a.consumeCommand(), a.cosCommand(), a.verifyCommand(), a.offsetsCommand(), a.migrateCommand(),
		a.backupCommand(), a.restoreCommand(), a.deadletterCommand(), a.cleanCommand(), a.extractCommand(),
		a.datasetCommand(), a.transcodeCommand(),
		a.packageCommand(), a.costCommand(), a.lintCommand(), a.doctorCommand(), a.versionCommand(),
	)
	a.notice(root)
	return root
}

// notice marks the moment at which a command begins its work: everything that
// can be wrong with its arguments and flags has been checked then.
func (a *app) notice(cmd *cobra.Command) {
	if work := cmd.RunE; work != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			a.begun = true
			return work(cmd, args)
		}
	}
	for _, sub := range cmd.Commands() {
		a.notice(sub)
	}
}

// print writes a value as JSON, or calls text to write it for people.
func (a *app) print(value any, text func(io.Writer)) error {
	if a.format == "json" {
		encoder := json.NewEncoder(a.stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(value)
	}
	text(a.stdout)
	return nil
}

// table writes rows in columns; the first row is the heading.
func table(w io.Writer, rows [][]string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	t.Flush()
}
