package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/transform"
)

func (a *app) cleanCommand() *cobra.Command {
	var rules, kept string
	cmd := &cobra.Command{
		Use:   "clean --rules FILE [FILE...]",
		Short: "Apply the rules of a log-cleaning job to lines",
		Long: `Apply a rules file to lines, from files or from standard input, and print what
comes out, a line each. Each line is a record; of several files they follow on
each other. What was counted goes to standard error, and so does each line that
failed, with its number and the reason, unless --deadletter names a file for them.
Keys of pseudonyms are taken from the environment, by the names in the rules.

Exit code 1 says that lines failed and were not kept.`,
		Example: "  etl clean --rules rules.yaml < access.log\n  etl clean --rules rules.yaml --deadletter failed.log access.log > clean.json",
	}
	cmd.Flags().StringVar(&rules, "rules", "", "rules file (needed)")
	cmd.Flags().StringVar(&kept, "deadletter", "", "file for the lines that failed, unchanged")
	_ = cmd.MarkFlagRequired("rules") // it exists
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := a.newCleaner(rules)
		if err != nil {
			return err
		}
		if kept == "" {
			return c.run(cmd.Context(), cmd.InOrStdin(), args)
		}
		file, err := os.Create(kept)
		if err != nil {
			return err
		}
		c.kept = bufio.NewWriter(file)
		err = c.run(cmd.Context(), cmd.InOrStdin(), args)
		return errors.Join(err, c.kept.Flush(), file.Close())
	}
	return cmd
}

// cleaner puts lines through rules.
type cleaner struct {
	*app
	transformer *transform.Transformer
	out         *bufio.Writer
	kept        *bufio.Writer // nil: failed lines are only reported
	line        int64
	progress    *progress        // nil where lines are seen to come out
	topics      map[string]int64 // outputs
}

func (a *app) newCleaner(name string) (*cleaner, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	rules, err := transform.Load(name, text, transform.Options{Secret: func(env string) (string, bool) {
		value, ok := a.environ[env]
		return value, ok
	}})
	if err != nil {
		return nil, err
	}
	c := &cleaner{app: a, transformer: rules.New(), out: bufio.NewWriter(a.stdout), topics: map[string]int64{}}
	if !a.onTerminal() {
		c.progress = a.newProgress("lines cleaned")
	}
	return c, nil
}

// run cleans all files, or standard input where there are none, and tells what
// was counted in any case.
func (c *cleaner) run(ctx context.Context, stdin io.Reader, files []string) error {
	err := c.clean(ctx, stdin, files)
	err = errors.Join(err, c.out.Flush())
	if c.progress != nil {
		c.progress.end()
	}
	counted := c.transformer.Counters()
	c.report(counted)
	if err == nil && counted.Failed > 0 && c.kept == nil {
		return errReported
	}
	return err
}

func (c *cleaner) clean(ctx context.Context, stdin io.Reader, files []string) error {
	if len(files) == 0 {
		return c.lines(ctx, stdin)
	}
	for _, name := range files {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		err = c.lines(ctx, file)
		file.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// lines reads lines of any length. The last one need not have an end.
func (c *cleaner) lines(ctx context.Context, from io.Reader) error {
	in := bufio.NewReaderSize(from, 64<<10)
	for ctx.Err() == nil {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			if err := c.one(bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

func (c *cleaner) one(line []byte) error {
	c.line++
	if c.progress != nil && c.line%1000 == 0 {
		c.progress.set(c.line, 0)
	}
	record := transform.Record{Record: batch.Record{Offset: c.line - 1, Timestamp: -1, Value: line}}
	err := c.transformer.Transform(record, func(o transform.Output) error {
		c.topics[o.Topic]++
		return writeLine(c.out, o.Value)
	})
	var failed *transform.Error
	if !errors.As(err, &failed) {
		return err
	}
	if c.kept == nil {
		fmt.Fprintf(c.stderr, "line %d: %v\n", c.line, failed)
		return nil
	}
	return writeLine(c.kept, line)
}

func writeLine(w *bufio.Writer, line []byte) error {
	_, err := w.Write(line)
	return errors.Join(err, w.WriteByte('\n'))
}

func (c *cleaner) report(n transform.Counters) {
	fmt.Fprintf(c.stderr, "%d lines: %d passed, %d filtered, %d duplicate, %d failed\n", n.In, n.Passed, n.Filtered, n.Duplicate, n.Failed)
	var topics []string
	for _, topic := range slices.Sorted(maps.Keys(c.topics)) {
		if topic != "" {
			topics = append(topics, fmt.Sprintf("%s %d", topic, c.topics[topic]))
		}
	}
	if len(topics) > 0 {
		fmt.Fprintf(c.stderr, "records by topic: %s\n", strings.Join(topics, ", "))
	}
}
