package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

func (a *app) lintCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "lint",
		Short:   "Check serverless.yml against the limits of the platform",
		Long:    "Check serverless.yml: variables, names, memory, time-outs, environment, triggers.\nExit code 1 where there is an error; warnings alone are no failure.",
		Example: "  etl lint\n  etl lint --config serverless.yml -o json",
		Args:    cobra.NoArgs,
	}
	flag := newServiceFlag(cmd)
	cmd.RunE = func(*cobra.Command, []string) error {
		service, _, err := flag.load(a.environ)
		var unreadable *scf.LoadError
		if errors.As(err, &unreadable) {
			return errors.Join(a.print(unreadable.Findings, func(w io.Writer) { printLint(w, nil, unreadable.Findings) }), errReported)
		}
		if err != nil {
			return err
		}
		findings := service.Lint()
		if err := a.print(findings, func(w io.Writer) { printLint(w, service, findings) }); err != nil {
			return err
		}
		for _, f := range findings {
			if f.Severity == scf.Error {
				return errReported
			}
		}
		return nil
	}
	return cmd
}

func printLint(w io.Writer, service *scf.Service, findings []scf.Finding) {
	for _, f := range findings {
		fmt.Fprintln(w, f)
	}
	if len(findings) == 0 {
		fmt.Fprintf(w, "%s: %d functions, nothing to mend\n", service.Name, len(service.Functions))
	}
}
