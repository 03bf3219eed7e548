package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/doctor"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

func (a *app) doctorCommand() *cobra.Command {
	var function string
	cmd := &cobra.Command{
		Use:   "doctor [TOPIC...]",
		Short: "Check the machine, the clusters and the topics, each line with the fix",
		Long: `Check what this machine, serverless.yml and the two clusters allow a copy to do:
every broker by itself, TLS and login, versions, limits, the topics of the
triggers or those that are named, where the copy is, and the rights of the user.
Each line is ok, warn, FAIL or skip, and says how to mend what it found.

Nothing is created, written or committed. One thing leaves a trace: to find out
whether the user may use transactional ids, etl.JOB.doctor is fenced in the
target, which no copy uses; the cluster forgets it by itself, after 7 days by
default. The first use of such ids has a cluster make __transaction_state.

It takes seconds, and two minutes at most. Exit code 1 where a line is FAIL.`,
		Example: "  etl doctor\n  etl doctor orders payments\n" +
			"  SOURCE_BROKERS=localhost:19092 TARGET_BROKERS=localhost:29092 etl doctor -o json",
	}
	service := newServiceFlag(cmd)
	source, target := sourceFlag(cmd), targetFlag(cmd)
	cmd.Flags().StringVar(&function, "function", "", "function whose settings count (default: the first one with TARGET_BROKERS)")
	cmd.RunE = func(cmd *cobra.Command, topics []string) error {
		loaded, _, loadErr := service.load(a.environ)
		if loadErr == nil && function != "" {
			if _, err := findFunction(loaded, function); err != nil {
				return err
			}
		}
		if loadErr != nil && service.file != "" && !errors.As(loadErr, new(*scf.LoadError)) {
			return loadErr
		}
		busy := a.newBusy("checking")
		report := doctor.Run(cmd.Context(), doctor.Config{
			Environ: a.environ, Service: loaded, LoadError: loadErr, Function: function,
			Source: source.brokers, Target: target.brokers, Topics: topics,
			Progress: busy.set,
		})
		busy.end()
		if err := a.print(report, func(w io.Writer) { printReport(w, report) }); err != nil {
			return err
		}
		if err := cmd.Context().Err(); err != nil {
			return fmt.Errorf("not everything was looked at: %w", err)
		}
		if report.Count(doctor.Fail) > 0 {
			return errReported
		}
		return nil
	}
	return cmd
}

// printReport writes a report as a table for each section. A fix has a line of
// its own, to be copied.
func printReport(w io.Writer, report doctor.Report) {
	for _, section := range report {
		fmt.Fprintln(w, section.Title)
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, f := range section.Findings {
			mark := string(f.Status)
			if f.Status == doctor.Fail {
				mark = strings.ToUpper(mark)
			}
			fmt.Fprintf(t, "  %s\t%s\t%s\n", mark, f.Check, f.Found)
			if f.Fix != "" {
				fmt.Fprintf(t, "  \t\t  fix: %s\n", f.Fix)
			}
		}
		t.Flush()
		fmt.Fprintln(w)
	}
	verdict := "everything that was looked at is in order"
	if n := report.Count(doctor.Fail); n > 0 {
		verdict = fmt.Sprintf("%d FAIL: a copy does not work until that is mended", n)
	}
	if n := report.Count(doctor.Warn); n > 0 {
		verdict += fmt.Sprintf("; %d warn", n)
	}
	if n := report.Count(doctor.Skip); n > 0 {
		verdict += fmt.Sprintf("; %d skip, not looked at", n)
	}
	fmt.Fprintln(w, verdict)
}
