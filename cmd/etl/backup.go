package main

import (
	"context"
	"fmt"

	"github.com/caarlos0/env/v11"
	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/backup"
	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

func (a *app) backupCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backup",
		Short: "Look after backups of clusters in COS: run, list, show, verify, drill, prune",
		Long: `Look after the backups that the function backup writes to COS. The bucket is named
by the environment, as for the function: COS_BUCKET, COS_REGION, COS_PREFIX,
COS_SECRET_ID and COS_SECRET_KEY (or TENCENTCLOUD_SECRETID, _SECRETKEY and
_SESSIONTOKEN), and COS_ENDPOINT for a bucket on this machine. Backups that are
encrypted need AGE_IDENTITIES, the secret keys of age. etl restore brings a backup
into a cluster.`,
		Example: "  etl backup list\n  etl backup verify\n  etl backup drill",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		a.backupRunCommand(),
		a.backupListCommand(),
		a.backupShowCommand(),
		a.backupVerifyCommand(),
		a.backupDrillCommand(),
		a.backupPruneCommand(),
	)
	return cmd
}

// placeFlag is where backups are, and whose.
type placeFlag struct {
	bucket, endpoint, prefix, cluster string
}

func newPlaceFlag(cmd *cobra.Command) *placeFlag {
	f := &placeFlag{}
	flags := cmd.Flags()
	flags.StringVar(&f.bucket, "bucket", "", "bucket of the backups (default $COS_BUCKET)")
	flags.StringVar(
		&f.endpoint,
		"endpoint",
		"",
		"address in place of the service, as http://localhost:9436 (default $COS_ENDPOINT)",
	)
	flags.StringVar(&f.prefix, "prefix", "", "folder in the bucket (default $COS_PREFIX, or backup)")
	return f
}

// forCluster adds the flag that says whose backup is meant.
func (f *placeFlag) forCluster(cmd *cobra.Command) *placeFlag {
	cmd.Flags().
		StringVar(&f.cluster, "cluster", "", "id of the cluster whose backup it is; needed where there are several")
	return f
}

// read completes the place by the environment.
func (f *placeFlag) read(a *app) (backup.Place, error) {
	var place backup.Place
	if err := env.ParseWithOptions(&place, env.Options{Environment: a.environ, Prefix: "COS_"}); err != nil {
		return place, fmt.Errorf("%w: %w", errUsage, err)
	}
	for _, one := range []struct{ flag, setting *string }{{&f.bucket, &place.Bucket}, {&f.endpoint, &place.Endpoint}, {&f.prefix, &place.Prefix}} {
		if *one.flag != "" {
			*one.setting = *one.flag
		}
	}
	if err := place.Validate(); err != nil {
		return place, fmt.Errorf("%w: settings COS_*: %w", errUsage, err)
	}
	return place, nil
}

// store opens the bucket.
func (f *placeFlag) store(a *app) (backup.Store, backup.Place, error) {
	place, err := f.read(a)
	if err != nil {
		return nil, place, err
	}
	store, err := place.Open(func(context.Context) (cos.Credentials, error) {
		c := cos.Credentials{
			SecretID:     a.environ["TENCENTCLOUD_SECRETID"],
			SecretKey:    secret.New(a.environ["TENCENTCLOUD_SECRETKEY"]),
			SessionToken: secret.New(a.environ["TENCENTCLOUD_SESSIONTOKEN"]),
		}
		if c.SecretID == "" {
			return c, usagef("no key for the bucket: set COS_SECRET_ID and COS_SECRET_KEY")
		}
		return c, nil
	})
	return store, place, err
}

// chain opens the backup that is meant.
func (f *placeFlag) chain(ctx context.Context, a *app) (*backup.Chain, error) {
	store, place, err := f.store(a)
	if err != nil {
		return nil, err
	}
	return backup.Find(ctx, store, place.Prefix, f.cluster)
}

// inBytes writes a number of bytes for people.
func inBytes(n int64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 10<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}
