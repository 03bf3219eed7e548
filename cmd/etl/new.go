package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/scaffold"
)

func (a *app) newCommand() *cobra.Command {
	var trigger string
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "A new function, with a test that passes and its block in serverless.yml",
		Long: `Write functions/NAME, in the shape of the other functions, with a test that
passes, and add its block to serverless.yml, of which everything else stays as it
is. The function is complete: it can be tested, run by etl up and deployed at once.

With the trigger kafka it is a job on a topic: the function process in handler.go
is all of its code, and a table of records its test. With timer, cos and http it
is a handler of one event.

Where there is a function or folder of that name already, nothing is written.`,
		Example: "  etl new shout --trigger kafka\n  etl new tidy --trigger timer\n  etl new thumbnail --trigger cos\n  etl new hook --trigger http -o json",
		Args:    cobra.ExactArgs(1),
	}
	flag := newServiceFlag(cmd)
	cmd.ValidArgsFunction = cobra.NoFileCompletions
	cmd.Flags().StringVarP(&trigger, "trigger", "t", "", "what the function is for: "+strings.Join(scaffold.Triggers(), ", "))
	_ = cmd.MarkFlagRequired("trigger") // fails for a flag that there is not
	_ = cmd.RegisterFlagCompletionFunc("trigger", cobra.FixedCompletions(scaffold.Triggers(), cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		_, path, err := findService(flag.file)
		if err != nil {
			return err
		}
		made, err := scaffold.New(path, flag.options(a.environ), scaffold.Function{Name: args[0], Trigger: trigger})
		if errors.Is(err, scaffold.ErrName) || errors.Is(err, scaffold.ErrTrigger) {
			return usagef("%v", err)
		}
		if err != nil {
			return err
		}
		outcome := newOutcome{Created: made, Next: nextSteps(made)}
		return a.print(outcome, func(w io.Writer) { printNew(w, outcome) })
	}
	return cmd
}

// newOutcome is what etl new has written, and what comes then.
type newOutcome struct {
	scaffold.Created
	Next []string `json:"next"`
}

// nextSteps are the commands that follow: edit, test, run.
func nextSteps(c scaffold.Created) []string {
	return []string{"$EDITOR " + c.Folder + "/handler.go", "go test ./" + c.Folder, "etl up"}
}

func printNew(w io.Writer, o newOutcome) {
	for _, file := range o.Files {
		fmt.Fprintln(w, "written", file)
	}
	for _, file := range o.Changed {
		fmt.Fprintln(w, "changed", file)
	}
	fmt.Fprintf(w, "next:\n  %s\n", strings.Join(o.Next, "\n  "))
	if o.Trigger == "cos" {
		fmt.Fprintln(w, "while etl up runs, etl cos put FILE BUCKET/KEY invokes it")
	}
}
