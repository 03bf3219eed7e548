// Command supply looks for what should not be passed on: known vulnerabilities
// that the code reaches, secrets in the tree and its history, and dependencies of
// the plugin that are not audited.
//
//	go run ./internal/supply                    # all checks, as make supply runs them
//	go run ./internal/supply secrets            # one of vulnerabilities, secrets, npm
//
// A finding is printed and makes the exit code 1, unless the file .ci/allowed
// names it, with the reason. So does a check that cannot be made.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
)

// finding is something that a check has found.
type finding struct {
	name string // as .ci/allowed names it: the check, a blank, what it is
	text string // for people
}

// check looks for findings. An error means that it could not look.
type check struct {
	name string
	run  func(context.Context, config) ([]finding, error)
}

// checks are all there are, in the order in which they run.
func checks() []check {
	return []check{{"secrets", secrets}, {"npm", npm}, {"vulnerabilities", vulnerabilities}}
}

// config is what the checks look at, and with what.
type config struct {
	root      string // the repository
	tools     string // go.mod of the tools
	vulndb    string // version of the module golang.org/x/vulndb
	database  string // URL of a database of vulnerabilities instead of that; empty for none
	toolchain string // GOTOOLCHAIN whose standard library is looked at; empty for the one that is here
	say       io.Writer
}

func main() {
	c := config{say: os.Stdout, database: os.Getenv("GOVULNDB")}
	flag.StringVar(&c.root, "root", ".", "the repository")
	flag.StringVar(&c.tools, "tools", "tools/go.mod", "go.mod that pins the tools")
	flag.StringVar(&c.vulndb, "vulndb", "latest", "version of golang.org/x/vulndb, where GOVULNDB names no database")
	flag.StringVar(&c.toolchain, "toolchain", "", "Go whose standard library is looked at, like go1.26.11")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, c, flag.Args())
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "supply:", err)
		os.Exit(1)
	}
}

// errFindings says that a check has found something, which was printed.
var errFindings = errors.New("mend what was found, or name it in .ci/allowed with the reason")

// run makes the checks that are named; none means all.
func run(ctx context.Context, c config, names []string) error {
	allowed, err := readAllowed(c.root)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !slices.ContainsFunc(checks(), func(k check) bool { return k.name == name }) {
			return fmt.Errorf("no check %q: there are secrets, npm and vulnerabilities", name)
		}
	}
	failed := false
	for _, check := range checks() {
		if len(names) > 0 && !slices.Contains(names, check.name) {
			continue
		}
		found, err := check.run(ctx, c)
		if err != nil {
			return fmt.Errorf("%s: %w", check.name, err)
		}
		kept, excused := allowed.split(found)
		fmt.Fprintf(c.say, "%s: %d found, %d of them allowed\n", check.name, len(found), len(excused))
		for _, f := range kept {
			failed = true
			fmt.Fprintf(c.say, "  %s\n    %s\n", f.name, strings.ReplaceAll(f.text, "\n", "\n    "))
		}
	}
	if failed {
		return errFindings
	}
	return nil
}
