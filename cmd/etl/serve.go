package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

func (a *app) serveCommand() *cobra.Command {
	options, store, embed := apiOptions{}, "", false
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run an empty local platform to deploy to, until Ctrl-C",
		Long: `Answer the API of Tencent SCF on this machine: what sls deploy and the official
SDKs deploy runs here, driven by its triggers, as etl up runs it. A line is printed
for each call and for each invocation. Functions, versions, aliases and triggers are
kept, and are there again at the next start; --data names where.

Which cluster a CKafka instance id is on this machine is said under
custom.local.ckafka in the nearest serverless.yml; without one no CKafka trigger can
be made.

Requests are signed with TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY of the
environment; where it has none, with local and local, which is for addresses of this
machine alone.`,
		Example: "  etl serve --embedded --cos localhost:9436    all that the functions of serverless.yml need, without Docker\n  etl serve --listen localhost:9000 --data /tmp/platform",
		Args:    cobra.NoArgs,
	}
	flag := newServiceFlag(cmd)
	cmd.Flags().StringVar(&options.address, "listen", apiAddress, "address to answer on")
	cmd.Flags().BoolVar(&embed, "embedded", false,
		fmt.Sprintf("start an embedded source on localhost:%d, with the topics of serverless.yml, and a target on localhost:%d", sourcePort, targetPort))
	cmd.Flags().StringVar(&store, "cos", "", "answer COS on this address too, as "+scf.DefaultCOSAddress+", for functions and for zips that no request can hold")
	cmd.Flags().StringVar(&options.state, "data", "",
		"folder that keeps the functions (default: one of the service in the user's cache)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		if _, _, err := a.apiKeys(options.address); err != nil {
			return err
		}
		service, folder, err := flag.nearest(a.environ)
		if err != nil {
			return err
		}
		if options.state == "" {
			cache, err := os.UserCacheDir()
			if err != nil {
				return usagef("no folder to keep the functions in, name one with --data: %v", err)
			}
			options.state = filepath.Join(cache, "scf-etl", cmp.Or(service.Name, "serve"))
		}
		stored := storeOptions{}
		if store != "" {
			if stored, err = storeAt(service, folder, store); err != nil {
				return err
			}
			if kept := cmd.Flags().Changed("data"); kept {
				stored.dir = filepath.Join(options.state, "cos")
			}
		}
		if embed {
			stop, failed := startEmbedded(service, "")
			if failed != nil {
				return failed
			}
			defer func() { err = errors.Join(err, stop()) }()
			a.sayEmbedded()
		}
		return a.serve(cmd.Context(), service, options, stored)
	}
	return cmd
}

// nearest is load for a command that can do without a file: then the service is
// empty.
func (f *serviceFlag) nearest(environ map[string]string) (*scf.Service, string, error) {
	service, folder, err := f.load(environ)
	if f.file == "" && errors.Is(err, errUsage) {
		return &scf.Service{Region: scf.DefaultRegion}, "", nil
	}
	return service, folder, err
}

// serve runs a platform with nothing but its API until ctx ends.
func (a *app) serve(ctx context.Context, service *scf.Service, options apiOptions, stored storeOptions) (err error) {
	lines := &invocationLines{w: a.stdout}
	config := platformConfig(service,
		emulator.Hooks{Invoked: lines.invoked, Trigger: lines.trigger, GivenUp: lines.givenUp})
	config.Keep = keepServed
	store, err := a.startStore(stored, lines.say)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.close()) }()
	config.Credentials, options.object = store.credentials(), store.open()
	platform, err := emulator.New(config)
	if err != nil {
		return err
	}
	store.platform.Store(platform)
	defer func() { err = errors.Join(err, platform.Close()) }()
	stop, err := a.serveAPI(ctx, platform, options, lines.say)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	if stored.address == "" {
		lines.say("no COS here: --cos %s answers it, for triggers on buckets and functions with a bucket", scf.DefaultCOSAddress)
	}
	lines.say("state in %s; %d functions of former runs; Ctrl-C stops", options.state, len(platform.Functions()))
	err = platform.Run(ctx)
	fmt.Fprintf(a.stdout, "stopped: %d invocations, %d failed\n", lines.count, lines.failed)
	return err
}

// keepServed is how many invocations GetFunctionLogs can tell of.
const keepServed = 1000
