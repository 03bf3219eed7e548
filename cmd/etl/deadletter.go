package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/deadletter/objects"
	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// deadLetterVariable names the topic where no flag does, as for the functions.
const (
	deadLetterVariable = "DEADLETTER_TOPIC"
	defaultDeadLetter  = "deadletter"
)

func (a *app) deadletterCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "deadletter",
		Short: "Look at records that could not be handled, and send them on their way again",
		Long: `Look at the records that functions could not handle, and send them on their way
again. They are in a topic of the target cluster, with all that they had and the
reason why.

  list       what is there, by reason, function and topic
  show       one of them: error, stack, headers, key and value
  redrive    send them again, each once; first it only shows what it would do`,
		Example: "  etl deadletter list\n  etl deadletter show 0:12\n  etl deadletter redrive --reason panic --execute",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.deadletterListCommand(), a.deadletterShowCommand(), a.deadletterRedriveCommand())
	return cmd
}

// deadletterFlags are those of all subcommands.
type deadletterFlags struct {
	topic  string
	target *clusterFlag
}

func (f *deadletterFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.topic, "topic", "", "dead-letter topic (default $"+deadLetterVariable+", else "+defaultDeadLetter+")")
	f.target = targetFlag(cmd)
}

// open connects to the cluster of the topic.
func (f *deadletterFlags) open(ctx context.Context, a *app) (deadletter.Topic, error) {
	client, err := f.target.open(ctx, a)
	if err != nil {
		return deadletter.Topic{}, err
	}
	topic := deadletter.Topic{Client: client, Name: cmp.Or(f.topic, a.environ[deadLetterVariable], defaultDeadLetter)}
	topic.Objects, err = a.letterObjects()
	return topic, err
}

// letterObjects is where records are that are not in their letters; nil without keys
// that may read them.
func (a *app) letterObjects() (deadletter.Objects, error) {
	credentials := a.cosCredentials()
	if credentials == nil {
		return nil, nil
	}
	return objects.New(cos.Config{Endpoint: a.environ["DEADLETTER_ENDPOINT"], Credentials: credentials})
}

// explain adds what a missing topic means.
func explain(err error) error {
	if errors.Is(err, kafka.ErrUnknownTopic) {
		return fmt.Errorf("%w; a dead-letter topic is there once a record could not be handled, --topic names another", err)
	}
	return err
}

// letterFlags choose letters.
type letterFlags struct {
	partitions       []int32
	from, to         int64
	reason, function string
	topic, err, key  string
	since, until     string
}

// letterFilters are the flags that choose fewer than all.
var letterFilters = []string{"partition", "from-offset", "to-offset", "reason", "function", "from-topic", "error", "key", "since", "until"}

func (f *letterFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.Int32SliceVar(&f.partitions, "partition", nil, "partitions of the dead-letter topic, comma separated")
	flags.Int64Var(&f.from, "from-offset", 0, "first offset in each partition")
	flags.Int64Var(&f.to, "to-offset", 0, "last offset in each partition")
	flags.StringVar(&f.reason, "reason", "", "rejected, panic, killed, too-large or behind")
	flags.StringVar(&f.function, "function", "", "function that could not handle the record")
	flags.StringVar(&f.topic, "from-topic", "", "topic of the record")
	flags.StringVar(&f.err, "error", "", "words in the error")
	flags.StringVar(&f.key, "key", "", "key of the record")
	flags.StringVar(&f.since, "since", "", "failed then or later: 2026-01-02T15:04:05Z, or 2h for two hours ago")
	flags.StringVar(&f.until, "until", "", "failed before")
	_ = cmd.RegisterFlagCompletionFunc("reason", cobra.FixedCompletions(reasons(), cobra.ShellCompDirectiveNoFileComp)) // the flag is there
}

func reasons() []cobra.Completion {
	return []cobra.Completion{
		string(deadletter.Rejected), string(deadletter.Panicked), string(deadletter.Killed), string(deadletter.TooLarge), string(deadletter.Behind),
	}
}

// read gives what the flags choose.
func (f *letterFlags) read(cmd *cobra.Command) (deadletter.Selection, deadletter.Filter, error) {
	sel := deadletter.Selection{Partitions: f.partitions, From: f.from}
	filter := deadletter.Filter{Reason: deadletter.Reason(f.reason), Function: f.function, Topic: f.topic, Error: f.err}
	if cmd.Flags().Changed("to-offset") {
		sel.To = f.to + 1
	}
	if f.from < 0 || f.to < 0 {
		return sel, filter, usagef("--from-offset and --to-offset are offsets, from 0 on")
	}
	if cmd.Flags().Changed("key") {
		filter.Key = []byte(f.key)
	}
	var err error
	if filter.Since, err = parseMoment("since", f.since); err != nil {
		return sel, filter, err
	}
	if filter.Until, err = parseMoment("until", f.until); err != nil {
		return sel, filter, err
	}
	sel.Since = filter.Since
	return sel, filter, nil
}

// parseMoment reads a time, or how long ago it was.
func parseMoment(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return time.Now().Add(-ago), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, usagef("--%s is %q: want a time, as 2026-01-02T15:04:05Z, or how long ago, as 2h", flag, text)
	}
	return at, nil
}

// printReading says what else is in the topic.
func printReading(w io.Writer, r deadletter.Reading) {
	if r.NotLetters == 0 {
		return
	}
	fmt.Fprintf(w, "%d records are no letters, or parts of which others are missing:\n", r.NotLetters)
	for _, o := range r.Others {
		fmt.Fprintf(w, "  %s  %s\n", o.Position, o.Error)
	}
}
