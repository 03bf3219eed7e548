package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/caarlos0/env/v11"
	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// clusterFlag is a cluster that a command needs: its settings are those of the
// functions, from the environment, and a flag may name other brokers.
type clusterFlag struct {
	prefix  string // SOURCE_ or TARGET_
	flag    string
	brokers []string
}

func sourceFlag(cmd *cobra.Command) *clusterFlag {
	return newClusterFlag(cmd, "SOURCE_", "source-brokers")
}

func targetFlag(cmd *cobra.Command) *clusterFlag {
	return newClusterFlag(cmd, "TARGET_", "target-brokers")
}

func newClusterFlag(cmd *cobra.Command, prefix, name string) *clusterFlag {
	f := &clusterFlag{prefix: prefix, flag: name}
	cmd.Flags().StringSliceVar(&f.brokers, name, nil, "bootstrap brokers, host:port, comma separated (default $"+prefix+"BROKERS)")
	return f
}

// open connects to the cluster.
func (f *clusterFlag) open(ctx context.Context, a *app) (*kafka.Client, error) {
	var config kafka.Config
	err := env.ParseWithOptions(&config, env.Options{Environment: a.environ, Prefix: f.prefix})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	if len(f.brokers) > 0 {
		config.Brokers = f.brokers
	}
	if len(config.Brokers) == 0 {
		return nil, usagef("no brokers: set %sBROKERS or give --%s host:port", f.prefix, f.flag)
	}
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("%w: settings %s*: %w", errUsage, f.prefix, err)
	}
	client, err := kafka.Open(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("%s cluster (%sBROKERS): %w; etl doctor says more", strings.ToLower(strings.TrimSuffix(f.prefix, "_")), f.prefix, err)
	}
	return client, nil
}
