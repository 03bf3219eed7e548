package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// serviceFlag is the serverless.yml that a command needs.
type serviceFlag struct {
	file  string
	stage string
}

func newServiceFlag(cmd *cobra.Command) *serviceFlag {
	f := &serviceFlag{}
	cmd.Flags().StringVarP(&f.file, "config", "c", "", "serverless.yml to read (default: the nearest one upwards from here)")
	cmd.Flags().StringVarP(&f.stage, "stage", "s", "", "stage, for ${sls:stage} and the functions' names")
	return f
}

// load reads the file with its variables, which come from environ.
func (f *serviceFlag) load(environ map[string]string) (*scf.Service, string, error) {
	folder, path, err := findService(f.file)
	if err != nil {
		return nil, "", err
	}
	service, err := scf.Load(path, f.options(environ))
	return service, folder, err
}

// options says what the file's variables are.
func (f *serviceFlag) options(environ map[string]string) scf.Options {
	return scf.Options{
		Stage: f.stage,
		LookupEnv: func(key string) (string, bool) {
			value, ok := environ[key]
			return value, ok
		},
	}
}

// names completes the functions of serverless.yml.
func (f *serviceFlag) names(a *app) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		service, _, err := f.load(a.environ)
		if err != nil || len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var names []string
		for _, function := range service.Functions {
			names = append(names, function.Key)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// deployAll packages functions and puts them on the platform; names chooses some
// by their key, none means all.
func deployAll(
	ctx context.Context, platform *emulator.Platform, service *scf.Service, folder string, pack packager, names ...string,
) error {
	built, err := os.MkdirTemp("", "etl-build-")
	if err != nil {
		return fmt.Errorf("build the functions: %w", err)
	}
	defer os.RemoveAll(built) // the platform has copied what it needs
	for _, f := range service.Functions {
		if len(names) > 0 && !slices.Contains(names, f.Key) {
			continue
		}
		code, err := pack(ctx, folder, f, built)
		if err != nil {
			return err
		}
		if err := platform.Deploy(ctx, f, code); err != nil {
			return fmt.Errorf("deploy %s: %w", f.Key, err)
		}
	}
	return nil
}

// findFunction gives a function by its key or its full name.
func findFunction(service *scf.Service, name string) (scf.Function, error) {
	var keys []string
	for _, f := range service.Functions {
		if f.Key == name || f.Name == name {
			return f, nil
		}
		keys = append(keys, f.Key)
	}
	return scf.Function{}, usagef("no function %q in serverless.yml: it has %v", name, keys)
}
