package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/dataset"
	"github.com/scf-etl/scf-etl/pkg/report"
)

func (a *app) reportCommand() *cobra.Command {
	r := &reportRun{app: a}
	cmd := &cobra.Command{
		Use:   "report FILE",
		Short: "Make a report of a dataset: a page of charts, numbers and tables, and its data as JSON",
		Long: `Make the report that a file describes, as the function report does, of a dataset in a
folder or in a bucket, and write report.html and report.json into a folder. The page
needs nothing else: it opens in any browser, here and on a phone.

The file says which period the report is about, such as yesterday: of the moment that
--at names, or of now. A mistake in the file, or a column that the dataset does not
have, is told with its place in the file, and nothing is written.

With --bucket the dataset is in a bucket: see etl cos --help for which one is meant.`,
		Example: "  etl report report.yaml --data dataset --out report\n" +
			"  etl report report.yaml --bucket data-1250000000/dataset --at 2026-11-27T00:10:00+08:00 -o json",
		Args: cobra.ExactArgs(1),
	}
	flags := cmd.Flags()
	flags.StringVar(&r.data, "data", "", "folder of the dataset")
	flags.StringVar(&r.bucket, "bucket", "", "BUCKET/PREFIX of the dataset, instead of a folder")
	flags.StringVar(&r.out, "out", ".", "folder for report.html and report.json; made where it is missing")
	flags.StringVar(&r.at, "at", "", "moment that the report is made at, as 2026-11-27T00:10:00+08:00 (default now)")
	_ = cmd.MarkFlagDirname("data") // it exists
	_ = cmd.MarkFlagDirname("out")
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return r.run(cmd.Context(), args[0]) }
	return cmd
}

// reportRun is one call of etl report.
type reportRun struct {
	*app
	data, bucket, out, at string
}

// reportDone is what `etl report -o json` prints.
type reportDone struct {
	report.Summary
	HTML string `json:"html"` // files
	JSON string `json:"json"`
}

func (r *reportRun) run(ctx context.Context, file string) error {
	at := time.Now()
	if r.at != "" {
		var err error
		if at, err = time.Parse(time.RFC3339, r.at); err != nil {
			return usagef("--at is %q: want a moment as 2026-11-27T00:10:00+08:00", r.at)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	spec, err := report.Load(file, text)
	if err != nil {
		return err
	}
	data, end, err := r.open(ctx)
	if err != nil {
		return err
	}
	defer end()
	made, err := report.Run(ctx, spec, data, at)
	if err != nil {
		return err
	}
	done := reportDone{
		Summary: made.Summary("", "", time.Time{}), HTML: filepath.Join(r.out, "report.html"), JSON: filepath.Join(r.out, "report.json"),
	}
	if err := r.write(ctx, made, done); err != nil {
		return err
	}
	return r.print(done, func(w io.Writer) { printReportDone(w, done) })
}

// open opens the dataset: one that is not there is an error here, where somebody waits for the page.
func (r *reportRun) open(ctx context.Context) (data *dataset.Dataset, end func(), err error) {
	switch {
	case (r.data == "") == (r.bucket == ""):
		return nil, nil, usagef("name the dataset: with --data DIR, or with --bucket BUCKET/PREFIX")
	case r.bucket != "":
		bucket, prefix, err := r.bucketOf(r.bucket)
		if err != nil {
			return nil, nil, err
		}
		if data, err = dataset.Open(ctx, bucket, prefix); err != nil {
			bucket.Close()
			return nil, nil, err
		}
		return data, bucket.Close, nil
	}
	folder, err := dataset.OpenFolder(r.data)
	if err != nil {
		return nil, nil, err
	}
	if data, err = dataset.Open(ctx, folder, ""); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("--data %s: %w", r.data, err), folder.Close())
	}
	return data, func() { folder.Close() }, nil
}

func (r *reportRun) write(ctx context.Context, made *report.Report, to reportDone) error {
	page, err := made.HTML(ctx)
	if err != nil {
		return err
	}
	data, err := made.JSON()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	return errors.Join(os.WriteFile(to.JSON, data, 0o644), os.WriteFile(to.HTML, page, 0o644))
}

func printReportDone(w io.Writer, done reportDone) {
	fmt.Fprintf(w, "%s, %s\n", done.Title, done.Period.Label)
	var rows [][]string
	for _, n := range done.Numbers {
		rows = append(rows, []string{"  " + strings.Join(strings.Fields(n.Title), " "), n.Text})
	}
	table(w, rows)
	fmt.Fprintf(w, "%s\n%s\n", done.HTML, done.JSON)
}
