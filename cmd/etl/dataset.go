package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/dataset"
	"github.com/scf-etl/scf-etl/pkg/dataset/load"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

func (a *app) datasetCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dataset",
		Short: "Look into a dataset of Parquet in COS: list, show, query, load, compact",
		Long: `Look into the dataset that the function load writes to COS. The bucket is named by the
environment, as for the function: COS_BUCKET, COS_REGION, COS_PREFIX, COS_SECRET_ID and
COS_SECRET_KEY (or TENCENTCLOUD_SECRETID, _SECRETKEY and _SESSIONTOKEN), and COS_ENDPOINT
for a bucket on this machine; --folder takes a folder of this machine instead.`,
		Example: "  etl dataset list\n  etl dataset query --measure count --by action",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		a.datasetListCommand(),
		a.datasetShowCommand(),
		a.datasetQueryCommand(),
		a.datasetLoadCommand(),
		a.datasetCompactCommand(),
	)
	return cmd
}

// datasetFlag is where a dataset is.
type datasetFlag struct{ bucket, endpoint, prefix, folder string }

func newDatasetFlag(cmd *cobra.Command) *datasetFlag {
	f := &datasetFlag{}
	flags := cmd.Flags()
	flags.StringVar(&f.bucket, "bucket", "", "bucket of the dataset (default $COS_BUCKET)")
	flags.StringVar(
		&f.endpoint,
		"endpoint",
		"",
		"address in place of the service, as http://localhost:9436 (default $COS_ENDPOINT)",
	)
	flags.StringVar(&f.prefix, "prefix", "", "folder in the bucket (default $COS_PREFIX, or dataset)")
	flags.StringVar(&f.folder, "folder", "", "a folder of this machine instead of a bucket")
	return f
}

// open gives the dataset, which may be empty, and what closes its store.
func (f *datasetFlag) open(a *app) (*dataset.Dataset, func(), error) {
	if f.folder != "" {
		folder, err := dataset.OpenFolder(f.folder)
		if err != nil {
			return nil, nil, err
		}
		return dataset.New(folder, f.prefix), func() { folder.Close() }, nil
	}
	config := cos.Config{
		Bucket: cmp.Or(f.bucket, a.environ["COS_BUCKET"]), Endpoint: cmp.Or(f.endpoint, a.environ["COS_ENDPOINT"]),
		Region: cmp.Or(a.environ["COS_REGION"], "ap-guangzhou"),
		Credentials: func(context.Context) (cos.Credentials, error) {
			c := cos.Credentials{
				SecretID:     cmp.Or(a.environ["COS_SECRET_ID"], a.environ["TENCENTCLOUD_SECRETID"]),
				SecretKey:    secret.New(cmp.Or(a.environ["COS_SECRET_KEY"], a.environ["TENCENTCLOUD_SECRETKEY"])),
				SessionToken: secret.New(a.environ["TENCENTCLOUD_SESSIONTOKEN"]),
			}
			if a.environ["COS_SECRET_ID"] != "" {
				c.SessionToken = secret.New("")
			}
			if c.SecretID == "" {
				return c, usagef("no key for the bucket: set COS_SECRET_ID and COS_SECRET_KEY")
			}
			return c, nil
		},
	}
	if config.Bucket == "" {
		return nil, nil, usagef("no bucket: set COS_BUCKET, or --bucket, or --folder for a folder of this machine")
	}
	bucket, err := cos.Open(config)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	return dataset.New(bucket, cmp.Or(f.prefix, a.environ["COS_PREFIX"], "dataset")), bucket.Close, nil
}

// folderLine is one folder of a dataset.
type folderLine struct {
	Folder  string `json:"folder"`
	Objects int    `json:"objects"`
	Bytes   int64  `json:"bytes"`
}

func (a *app) datasetListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "Show the folders of a dataset, with their objects", Example: "  etl dataset list",
		Long: "Show the folders of a dataset, with the number of their objects and their bytes.", Args: cobra.NoArgs,
	}
	place := newDatasetFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		d, closed, err := place.open(a)
		if err != nil {
			return err
		}
		defer closed()
		lines := []folderLine{}
		for o, err := range d.Objects(cmd.Context(), nil) {
			if err != nil {
				return err
			}
			folder := path.Dir(o.Path)
			if len(lines) == 0 || lines[len(lines)-1].Folder != folder {
				lines = append(lines, folderLine{Folder: folder})
			}
			line := &lines[len(lines)-1]
			line.Objects++
			line.Bytes += o.Size
		}
		return a.print(lines, func(w io.Writer) {
			rows := [][]string{{"FOLDER", "OBJECTS", "SIZE"}}
			for _, l := range lines {
				rows = append(rows, []string{printable(l.Folder), fmt.Sprint(l.Objects), inBytes(l.Bytes)})
			}
			table(w, rows)
		})
	}
	return cmd
}

func (a *app) datasetShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "show", Short: "Show the columns of a dataset", Example: "  etl dataset show",
		Long: "Show the columns of a dataset, those of its folders first, as its last object has them.", Args: cobra.NoArgs,
	}
	place := newDatasetFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		d, closed, err := place.open(a)
		if err != nil {
			return err
		}
		defer closed()
		columns, err := d.Columns(cmd.Context())
		if err != nil {
			return err
		}
		return a.print(columns, func(w io.Writer) {
			rows := [][]string{{"COLUMN", "TYPE"}}
			for _, c := range columns {
				rows = append(rows, []string{printable(c.Name), string(c.Type)})
			}
			table(w, rows)
		})
	}
	return cmd
}

func (a *app) datasetLoadCommand() *cobra.Command {
	c := load.Config{FromEarliest: true}
	var change, schema string
	cmd := &cobra.Command{
		Use:   "load TOPIC...",
		Short: "Load what topics have into a dataset, as the function load does",
		Long: `Load what topics have into a dataset, from the cluster that SOURCE_BROKERS and the other
SOURCE_* name. Stopped, it goes on where it was when it is run again; it shares its log
with the function load, and both may run at the same time. A record that does not fit
stops its partition: the function has a dead letter for it.`,
		Example: "  etl dataset load events\n  etl dataset load events --schema events.yaml",
		Args:    cobra.MinimumNArgs(1),
	}
	place := newDatasetFlag(cmd)
	source := sourceFlag(cmd)
	cmd.Flags().
		StringVar(&change, "schema-change", "refuse", "a member that the schema does not have: refuse, add or ignore")
	cmd.Flags().StringVar(&schema, "schema", "", "file with the schema; without it that of the dataset, or inferred")
	cmd.RunE = func(cmd *cobra.Command, topics []string) error {
		if schema != "" {
			text, err := os.ReadFile(schema)
			if err != nil {
				return err
			}
			parsed, err := load.ParseSchema(schema, text)
			if err != nil {
				return fmt.Errorf("%w: %w", errUsage, err)
			}
			c.Schema = &parsed
		}
		if err := c.Change.UnmarshalText([]byte(change)); err != nil {
			return usagef("--schema-change is %q: %v", change, err)
		}
		d, closed, err := place.open(a)
		if err != nil {
			return err
		}
		defer closed()
		client, err := source.open(cmd.Context(), a)
		if err != nil {
			return err
		}
		defer client.Close()
		c.Source, c.Dataset = client, d
		loader, err := load.New(c)
		if err != nil {
			return err
		}
		result, err := loader.LoadAll(cmd.Context(), topics...)
		if errors.Is(err, kafka.ErrUnknownTopic) {
			return err
		}
		return errors.Join(err, a.print(result, func(w io.Writer) {
			fmt.Fprintf(w, "%d records in %d objects, %s\n", result.Records, result.Objects, inBytes(result.Bytes))
		}))
	}
	return cmd
}

func (a *app) datasetCompactCommand() *cobra.Command {
	var days int
	cmd := &cobra.Command{
		Use:   "compact",
		Short: "Merge the small objects of hours that have ended",
		Long: `Merge the small objects of hours that have ended, as the timer of the function load does.
Objects that an invocation could still write stay for half an hour.`,
		Example: "  etl dataset compact",
		Args:    cobra.NoArgs,
	}
	place := newDatasetFlag(cmd)
	cmd.Flags().IntVar(&days, "days", 7, "how many days back")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		d, closed, err := place.open(a)
		if err != nil {
			return err
		}
		defer closed()
		loader, err := load.New(load.Config{Source: nothing{}, Dataset: d, CompactDays: days})
		if err != nil {
			return err
		}
		result, err := loader.Compact(cmd.Context())
		return errors.Join(err, a.print(result, func(w io.Writer) {
			fmt.Fprintf(w, "%d objects of %d folders became %d\n", result.Objects, result.Folders, result.Merges)
		}))
	}
	return cmd
}

// nothing is the source of a compaction, which asks for none.
type nothing struct{ *kafka.Client }

// rowsOf gives the rows of an answer by name.
func rowsOf(answer dataset.Answer) []map[string]any {
	rows := make([]map[string]any, 0, len(answer.Rows))
	for _, row := range answer.Rows {
		named := map[string]any{}
		for i, c := range answer.Columns {
			named[c.Name] = row[i]
		}
		rows = append(rows, named)
	}
	return slices.Clip(rows)
}
