package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/dataset"
	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/scf"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

func (a *app) demoFlowCommand() *cobra.Command {
	f := &flowDemo{demo: demo{app: a}}
	cmd := &cobra.Command{
		Use:   "flow",
		Short: "See a log go from an API to a page of charts: extract, clean, load, report; all on this machine",
		Long: `Start an HTTP source with the access log of two days, an embedded Kafka cluster and a
bucket in a folder, and let the functions of serverless.yml do their work, as their
timers and triggers would: extract pulls the log into a topic, clean cleans it into
others, load writes those as Parquet, report makes a page of the second day. It prints
how many records there were after each step, and where the page is. Some lines are
none: they are in the dead letter. Exit code 0 where no record is missing.`,
		Example: "  etl demo flow\n  etl demo flow --records 200000 --out flow",
		Args:    cobra.NoArgs,
	}
	f.flag = newServiceFlag(cmd)
	cmd.Flags().IntVar(&f.records, "records", 20_000, "lines of the log")
	cmd.Flags().StringVar(&f.out, "out", "", "folder for the page, its data and the dataset (default bin/demo-flow beside serverless.yml)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if f.records < 100 || f.records > 10_000_000 {
			return usagef("--records is %d: want 100 to 10000000", f.records)
		}
		report, err := f.run(cmd.Context())
		if err = errors.Join(err, f.close()); err != nil {
			return err
		}
		if err := a.print(report, func(w io.Writer) { printFlow(w, report) }); err != nil {
			return err
		}
		if !report.addsUp() {
			return errReported
		}
		return nil
	}
	return cmd
}

// flowDemo is the story of a log, on one cluster.
type flowDemo struct {
	demo
	out    string
	bucket *cos.Bucket
	source *logSource
}

// flowReport is what `etl demo flow -o json` prints.
type flowReport struct {
	Source      int64         `json:"source"`       // lines that the API has
	Extracted   int64         `json:"extracted"`    // records in the topic access
	Clean       int64         `json:"log_clean"`    // in this topic
	Errors      int64         `json:"log_errors"`   // in this one
	DeadLetters int64         `json:"dead_letters"` // of every step
	Loaded      int64         `json:"loaded"`       // rows of the dataset
	OfTheDay    int64         `json:"of_the_day"`   // lines of the API that are about the second day, and are some
	Reported    int64         `json:"reported"`     // what the page says of that day
	Page        string        `json:"page"`
	Data        string        `json:"data"`
	Dataset     string        `json:"dataset"` // folder
	Took        time.Duration `json:"took_ns"`
}

func (r flowReport) addsUp() bool {
	return r.Extracted == r.Source && r.Clean+r.Errors+r.DeadLetters == r.Extracted && r.Loaded == r.Clean+r.Errors && r.Reported == r.OfTheDay
}

func printFlow(w io.Writer, r flowReport) {
	n := func(v int64) string { return fmt.Sprint(v) }
	table(w, [][]string{
		{"STEP", "FUNCTION", "WHERE", "RECORDS"},
		{"source", "", "HTTP API, in pages", n(r.Source)},
		{"extracted", "extract", "topic access", n(r.Extracted)},
		{"cleaned", "clean", "topic " + cleanTopic, n(r.Clean)},
		{"", "", "topic " + errorsTopic, n(r.Errors)},
		{"", "", "dead letter", n(r.DeadLetters)},
		{"loaded", "load", "Parquet in " + r.Dataset, n(r.Loaded)},
		{"reported", "report", "of the second day", n(r.Reported)},
	})
	fmt.Fprintf(w, "data   %s\npage   %s\n", r.Data, r.Page)
	verdict := "every record is in one place"
	if !r.addsUp() {
		verdict = "RECORDS ARE MISSING, OR THERE TWICE"
	}
	fmt.Fprintf(w, "in %v: %s\n", r.Took.Round(100*time.Millisecond), verdict)
}

const (
	flowBucket  = "flow-1250000000"
	flowDataset = "dataset" // as the default of serverless.yml
	flowKey     = "flow"
)

func (f *flowDemo) run(ctx context.Context) (report flowReport, err error) {
	begun := time.Now()
	if err := f.begin(ctx); err != nil {
		return report, err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- f.platform.Run(running) }()
	err = f.steps(ctx, &report)
	stop()
	if err = errors.Join(err, <-ended); err != nil {
		return report, err
	}
	report.Took = time.Since(begun)
	return report, nil
}

// begin starts all that is there before the first step, and deploys the functions.
func (f *flowDemo) begin(ctx context.Context) error {
	folder, _, err := findService(f.flag.file)
	if err != nil {
		return err
	}
	if f.out == "" {
		f.out = filepath.Join(folder, "bin", "demo-flow")
	}
	if f.out, err = filepath.Abs(f.out); err != nil {
		return err
	}
	f.source = newLogSource(f.records)
	closeSource, err := f.source.start()
	if err != nil {
		return err
	}
	f.closers = append(f.closers, closeSource)
	if err := f.cluster(ctx); err != nil {
		return err
	}
	store, err := f.openBucket()
	if err != nil {
		return err
	}
	brokers := strings.Join(f.target.Brokers(), ",")
	// nothing of the caller's environment: cluster, bucket and source are the demo's own
	environ := map[string]string{
		"SOURCE_BROKERS": brokers, "TARGET_BROKERS": brokers, "SOURCE_URL": f.source.url(),
		"EXTRACT_FILE": filepath.Join(folder, "functions", "extract", "log.yaml"),
		"LOAD_TOPICS":  cleanTopic + "," + errorsTopic,
	}
	maps.Copy(environ, store)
	if f.service, f.folder, err = f.flag.load(environ); err != nil {
		return err
	}
	if f.log, err = logTrigger(f.service); err != nil {
		return err
	}
	if f.platform, err = emulator.New(platformConfig(f.service, emulator.Hooks{Invoked: f.invoked})); err != nil {
		return err
	}
	f.closers = append(f.closers, f.platform.Close)
	for _, topic := range []string{f.log.Topic, cleanTopic, errorsTopic} {
		if err := f.createTopic(ctx, topic); err != nil {
			return err
		}
	}
	return deployAll(ctx, f.platform, f.service, f.folder, buildFunction, "extract", "clean", "load", "report")
}

// openBucket starts a COS server on a temporary folder, and gives the environment by which functions find it.
func (f *flowDemo) openBucket() (map[string]string, error) {
	folder, err := os.MkdirTemp("", "etl-demo-flow-")
	if err != nil {
		return nil, err
	}
	f.closers = append(f.closers, func() error { return os.RemoveAll(folder) })
	const password = "demo-secret-key"
	server, err := localcos.New(localcos.Config{
		Dir: folder, Buckets: []string{flowBucket}, Keys: map[string]localcos.Key{flowKey: {Secret: secret.New(password)}},
	})
	if err != nil {
		return nil, err
	}
	f.closers = append(f.closers, server.Close)
	if err := server.Start("127.0.0.1:0"); err != nil {
		return nil, err
	}
	f.bucket, err = cos.Place{Bucket: flowBucket, Region: localcos.DefaultRegion, Endpoint: server.URL(), SecretID: flowKey, SecretKey: secret.New(password)}.Open(nil)
	return map[string]string{
		"COS_BUCKET": flowBucket, "COS_ENDPOINT": server.URL(), "COS_SECRET_ID": flowKey, "COS_SECRET_KEY": password,
	}, err
}

// steps lets one function after the other do its work, and counts.
func (f *flowDemo) steps(ctx context.Context, report *flowReport) (err error) {
	report.Source, report.OfTheDay = f.source.counts()
	if err := f.extract(ctx); err != nil {
		return err
	}
	if report.Extracted, err = countRecords(ctx, f.target, f.log.Topic); err != nil {
		return err
	}
	f.say("extracted   %d records", report.Extracted)
	places, err := f.cleaned(ctx)
	if err != nil {
		return err
	}
	report.Clean, report.Errors = places.Clean, places.Errors
	f.say("cleaned     %d records, and %d errors of the server", places.Clean, places.Errors)
	var loaded struct{ Records int64 }
	if err := f.fire(ctx, "load", time.Now(), &loaded); err != nil {
		return err
	}
	f.say("loaded      %d rows", loaded.Records)
	if err := f.report(ctx, report); err != nil {
		return err
	}
	if report.Loaded, err = f.rows(ctx); err != nil {
		return err
	}
	if places, err = f.cleaned(ctx); err == nil { // load has letters too
		report.DeadLetters = places.DeadLetters
	}
	return err
}

// extract fires until the source has no more.
func (f *flowDemo) extract(ctx context.Context) error {
	const most = 20
	for range most {
		var done struct{ Done bool }
		if err := f.fire(ctx, "extract", time.Now(), &done); err != nil || done.Done {
			return err
		}
	}
	return fmt.Errorf("after %d firings of extract the source still has more", most)
}

// report fires at ten past midnight after the second day, and takes what was made.
func (f *flowDemo) report(ctx context.Context, report *flowReport) error {
	var made struct{ Page, Data string }
	if err := f.fire(ctx, "report", flowDay().AddDate(0, 0, 1).Add(10*time.Minute), &made); err != nil {
		return err
	}
	report.Page, report.Data = filepath.Join(f.out, "report.html"), filepath.Join(f.out, "report.json")
	report.Dataset = filepath.Join(f.out, flowDataset)
	if err := os.RemoveAll(report.Dataset); err != nil { // of a run before
		return err
	}
	for key, file := range map[string]string{made.Page: report.Page, made.Data: report.Data} {
		if err := f.download(ctx, key, file); err != nil {
			return err
		}
	}
	for o, err := range dataset.New(f.bucket, flowDataset).Objects(ctx, nil) {
		if err == nil {
			err = f.download(ctx, o.Key, filepath.Join(report.Dataset, filepath.FromSlash(o.Path)))
		}
		if err != nil {
			return err
		}
	}
	text, err := os.ReadFile(report.Data)
	if err != nil {
		return err
	}
	var page struct {
		Parts []struct{ Value json.RawMessage }
	}
	if err := json.Unmarshal(text, &page); err != nil {
		return fmt.Errorf("the data of the page: %w", err)
	}
	if len(page.Parts) == 0 || json.Unmarshal(page.Parts[0].Value, &report.Reported) != nil {
		return errors.New("the data of the page does not begin with a whole number: functions/report/report.yaml was changed")
	}
	return nil
}

// fire invokes a function as its timer would at a moment.
func (f *flowDemo) fire(ctx context.Context, key string, at time.Time, result any) error {
	function, err := findFunction(f.service, key)
	if err != nil {
		return err
	}
	payload, err := json.Marshal(event.Timer{TriggerName: timerName(function), Time: at})
	if err != nil {
		return err
	}
	i, err := f.platform.Invoke(ctx, function.Name, payload, emulator.InvokeOptions{Trigger: timerName(function)})
	switch {
	case err != nil:
		return err
	case i.Error != nil:
		return fmt.Errorf("%s: %w", key, i.Error)
	}
	if err := json.Unmarshal(i.Payload, result); err != nil {
		return fmt.Errorf("%s: its result: %w", key, err)
	}
	return nil
}

func timerName(f scf.Function) string {
	for _, e := range f.Events {
		if e.Timer != nil {
			return e.Timer.Name
		}
	}
	return f.Key
}

// rows counts those of the dataset.
func (f *flowDemo) rows(ctx context.Context) (int64, error) {
	answer, err := dataset.New(f.bucket, flowDataset).Query(ctx, dataset.Query{Measures: []dataset.Measure{{Name: "n", Op: dataset.Count}}})
	if err != nil {
		return 0, err
	}
	n, _ := answer.Rows[0][0].(int64)
	return n, nil
}

func (f *flowDemo) download(ctx context.Context, key, file string) error {
	body, _, err := f.bucket.Get(ctx, key)
	if err != nil {
		return err
	}
	defer body.Close()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	to, err := os.Create(file)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, body)
	return errors.Join(err, to.Close())
}

func (f *flowDemo) say(format string, args ...any) {
	fmt.Fprintf(f.app.stderr, format+"\n", args...)
}
