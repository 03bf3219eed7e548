package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/event"
)

func (a *app) eventCommand() *cobra.Command {
	return &cobra.Command{
		Use:       "event KIND",
		Short:     "Print a sample event: " + strings.Join(event.Kinds(), ", "),
		Long:      "Print a complete event of a trigger, as the platform sends it. Edit it and give it to etl invoke --event.",
		Example:   "  etl event ckafka\n  etl event ckafka > event.json && etl invoke dump --event event.json",
		Args:      cobra.ExactArgs(1),
		ValidArgs: event.Kinds(),
		RunE: func(_ *cobra.Command, args []string) error {
			sample, err := event.Sample(args[0])
			if err != nil {
				return usagef("%v", err)
			}
			_, err = a.stdout.Write(sample)
			return err
		},
	}
}
