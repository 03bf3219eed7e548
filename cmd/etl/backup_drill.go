package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/backup"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

func (a *app) backupDrillCommand() *cobra.Command {
	var every time.Duration
	var include, exclude []string
	cmd := &cobra.Command{
		Use:   "drill",
		Short: "Restore the newest backup to a scratch cluster, and compare every record",
		Long: `Restore the newest backup, compare every record with it, and the next record of every
group, and report how much would be lost (RPO) and how long it took (RTO). It is
restored to an embedded cluster; with --target-brokers to that one, where the
topics are called drill.NAME, the groups drill.NAME, and the topics are deleted
afterwards. Exit code 1 where anything differs.`,
		Example: "  etl backup drill\n  etl backup drill --every 24h -o json     until Ctrl-C, or until one fails",
		Args:    cobra.NoArgs,
	}
	place, target := newPlaceFlag(cmd).forCluster(cmd), newClusterFlag(cmd, "DRILL_", "target-brokers")
	flags := cmd.Flags()
	flags.DurationVar(&every, "every", 0, "repeat it at this interval")
	flags.StringArrayVar(
		&include,
		"include",
		[]string{".*"},
		"topics to restore: a regular expression that matches the whole name; may be given again",
	)
	flags.StringArrayVar(&exclude, "exclude", nil, "topics not to restore")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		selected, err := mirror.NewSelection(include, exclude)
		if err != nil {
			return usagef("%v", err)
		}
		identities, err := backup.Identities(a.identities())
		if err != nil {
			return usagef("AGE_IDENTITIES: %v", err)
		}
		chain, err := place.chain(cmd.Context(), a)
		if err != nil {
			return err
		}
		for {
			config := backup.RestoreConfig{Chain: chain, Identities: identities, Select: selected.Match}
			if err := a.drill(cmd.Context(), target, config); err != nil || every <= 0 {
				return err
			}
			select {
			case <-cmd.Context().Done():
				return nil
			case <-time.After(every):
			}
		}
	}
	return cmd
}

// drill does it once.
func (a *app) drill(ctx context.Context, target *clusterFlag, config backup.RestoreConfig) (err error) {
	own := len(target.brokers) == 0 && a.environ[target.prefix+"BROKERS"] == ""
	if own {
		cluster, err := localkafka.Start(localkafka.Config{})
		if err != nil {
			return err
		}
		defer cluster.Close()
		config.Target, err = kafka.Open(
			ctx,
			kafka.Config{Brokers: cluster.Brokers(), MetadataTTL: 200 * time.Millisecond},
		)
		if err != nil {
			return err
		}
	} else {
		if config.Target, err = target.open(ctx, a); err != nil {
			return err
		}
		config.Job = fmt.Sprintf("drill-%d", time.Now().UnixMilli())
		if config.Topics, err = mirror.ParseTopicMap("*:drill.*"); err != nil {
			return err
		}
		config.RenameGroup = func(group string) string { return config.Job + "." + group }
	}
	defer config.Target.Close()
	busy := a.newBusy("drill:")
	busy.set([]string{"restore and compare"})
	drilled, err := backup.Drill(ctx, config, nil)
	busy.end()
	if !own {
		err = errors.Join(err, backup.Discard(context.WithoutCancel(ctx), config, drilled.Restored))
	}
	if err != nil {
		return err
	}
	if err := a.print(drilled, func(w io.Writer) { printDrilled(w, drilled) }); err != nil {
		return err
	}
	if !drilled.OK() {
		return errReported
	}
	return nil
}

func printDrilled(w io.Writer, d backup.Drilled) {
	for _, difference := range d.Differences {
		fmt.Fprintln(w, difference)
	}
	verdict := "restorable"
	if !d.OK() {
		verdict = "THE DRILL HAS FAILED"
	}
	fmt.Fprintf(
		w,
		"backup %d of %s: %d topics, %d records and %d positions of groups compared; RPO %v, RTO %v:\n%s\n",
		d.Restored.Plan.Sequence,
		moment(d.Restored.Plan.Time),
		len(
			d.Restored.Plan.Topics,
		),
		d.Records,
		d.Groups,
		d.RPO.Round(time.Second),
		d.RTO.Round(time.Millisecond),
		verdict,
	)
}
