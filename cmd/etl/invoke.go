package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

func (a *app) invokeCommand() *cobra.Command {
	var from eventSource
	cmd := &cobra.Command{
		Use:   "invoke NAME",
		Short: "Invoke a function once, here",
		Long: `Build a function of serverless.yml, start it as the cloud would, invoke it once
and print its answer. The event comes from a file, from standard input (--event -),
from records that are in the source cluster (--from TOPIC:PARTITION:FIRST-LAST), or is
that of the function's timer, as if it were due now: --timer, or --timer=NAME of several.

This is no trial: the function works on the clusters that its environment names,
and dump moves the checkpoint of its job. JOB=trial gives it one of its own.`,
		Example: "  etl invoke dump --from orders:0:0-99\n  etl invoke migrate --timer\n  etl event ckafka > event.json && etl invoke dump --event event.json",
		Args:    cobra.ExactArgs(1),
	}
	service := newServiceFlag(cmd)
	cmd.ValidArgsFunction = service.names(a)
	source := sourceFlag(cmd)
	cmd.Flags().StringVarP(&from.file, "event", "e", "", "file with the event, or - for standard input")
	cmd.Flags().StringVar(&from.records, "from", "", "records of the source as the event: TOPIC:PARTITION:FIRST-LAST")
	cmd.Flags().StringVar(&from.timer, "timer", "", "the event of the function's timer, due now; --timer=NAME where it has several")
	cmd.Flags().Lookup("timer").NoOptDefVal = theOnlyTimer
	cmd.MarkFlagsOneRequired("event", "from", "timer")
	cmd.MarkFlagsMutuallyExclusive("event", "from", "timer")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx := cmd.Context()
		loaded, folder, err := service.load(a.environ)
		if err != nil {
			return err
		}
		function, err := findFunction(loaded, args[0])
		if err != nil {
			return err
		}
		payload, err := from.read(ctx, a, source, function)
		if err != nil {
			return err
		}
		function.Events = nil // nothing but this invocation
		loaded.Functions = []scf.Function{function}
		invocation, err := a.invokeOnce(ctx, loaded, folder, payload)
		if err != nil {
			return err
		}
		if err := a.print(invocation, func(w io.Writer) { printInvocation(w, a.stderr, invocation) }); err != nil {
			return err
		}
		if invocation.Error != nil {
			return errReported
		}
		return nil
	}
	return cmd
}

// invokeOnce runs the one function of a service on a platform of its own.
func (a *app) invokeOnce(ctx context.Context, service *scf.Service, folder string, payload []byte) (_ emulator.Invocation, err error) {
	options, err := storeFor(service, folder)
	if err != nil {
		return emulator.Invocation{}, err
	}
	store, err := a.joinStore(ctx, options)
	if err != nil {
		return emulator.Invocation{}, err
	}
	defer func() { err = errors.Join(err, store.close()) }()
	platform, err := emulator.New(emulator.Config{Region: service.Region, Credentials: store.credentials()})
	if err != nil {
		return emulator.Invocation{}, err
	}
	defer func() { err = errors.Join(err, platform.Close()) }()
	if err := deployAll(ctx, platform, service, folder, buildFunction); err != nil {
		return emulator.Invocation{}, err
	}
	return platform.Invoke(ctx, service.Functions[0].Name, payload, emulator.InvokeOptions{})
}

func printInvocation(stdout, stderr io.Writer, i emulator.Invocation) {
	fmt.Fprintf(stderr, "%s%s%s %v, billed %d ms, %d MB of %d MB\n", i.InitLog, i.Log, i.RequestID,
		i.Duration.Round(time.Millisecond), i.BilledMS, i.MaxRSS>>20, i.MemoryMB)
	if i.Error != nil {
		fmt.Fprintf(stderr, "failed: %v\n", i.Error)
		if kind := wrongEvent.FindStringSubmatch(i.Error.Error()); kind != nil {
			fmt.Fprintf(stderr, "the function takes another kind of event: etl event %s prints a sample\n", kind[1])
		}
		return
	}
	fmt.Fprintf(stdout, "%s\n", i.Payload)
}

// wrongEvent is in what a function says of an event that it cannot read, see [event.DecodeError].
var wrongEvent = regexp.MustCompile(`decode (` + strings.Join(event.Kinds(), "|") + `) event: `)

// eventSource is where the event comes from: one of them is set.
type eventSource struct{ file, records, timer string }

// theOnlyTimer stands for --timer without a name; no timer can have this one.
const theOnlyTimer = "*"

func (s eventSource) read(ctx context.Context, a *app, source *clusterFlag, function scf.Function) ([]byte, error) {
	if s.timer != "" {
		return timerEvent(function, s.timer, time.Now())
	}
	if s.records == "" {
		return readEventFile(s.file)
	}
	position, err := parseFrom(s.records)
	if err != nil {
		return nil, err
	}
	client, err := source.open(ctx, a)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	return position.event(ctx, client)
}

// timerEvent is what a timer of the function sends at a time.
func timerEvent(function scf.Function, name string, due time.Time) ([]byte, error) {
	var names []string
	for _, trigger := range function.Events {
		t := trigger.Timer
		if t == nil {
			continue
		}
		if names = append(names, t.Name); t.Name == name {
			return event.Timer{TriggerName: name, Time: due, Message: t.Argument}.MarshalJSON()
		}
	}
	switch {
	case len(names) == 0:
		return nil, usagef("function %s has no timer: --event sends it an event of another kind", function.Key)
	case name == theOnlyTimer && len(names) == 1:
		return timerEvent(function, names[0], due)
	case name == theOnlyTimer:
		return nil, usagef("function %s has several timers: --timer=NAME with one of %s", function.Key, strings.Join(names, ", "))
	}
	return nil, usagef("function %s has no timer %q: it has %s", function.Key, name, strings.Join(names, ", "))
}

func readEventFile(file string) ([]byte, error) {
	var (
		payload []byte
		err     error
	)
	if file == "-" {
		payload, err = io.ReadAll(os.Stdin)
	} else {
		payload, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, fmt.Errorf("read the event: %w", err)
	}
	if !json.Valid(payload) {
		return nil, fmt.Errorf("the event in %s is not JSON: etl event KIND prints a sample", file)
	}
	return payload, nil
}

// position is a range of records, as --from names it.
type position struct {
	topic       string
	partition   int32
	first, last int64
}

var fromForm = regexp.MustCompile(`^([A-Za-z0-9._-]{1,249}):(\d{1,9}):(\d{1,18})-(\d{1,18})$`)

func parseFrom(text string) (position, error) {
	m := fromForm.FindStringSubmatch(text)
	if m == nil {
		return position{}, usagef("--from is %q: want TOPIC:PARTITION:FIRST-LAST, as orders:0:100-199", text)
	}
	partition, _ := strconv.ParseInt(m[2], 10, 32) // the form has checked the numbers
	first, _ := strconv.ParseInt(m[3], 10, 64)
	last, _ := strconv.ParseInt(m[4], 10, 64)
	if first > last {
		return position{}, usagef("--from is %q: the first offset is after the last", text)
	}
	return position{topic: m[1], partition: int32(partition), first: first, last: last}, nil
}

// event reads the records and makes of them what the trigger would send.
func (p position) event(ctx context.Context, client *kafka.Client) ([]byte, error) {
	var e event.Kafka
	for next := p.first; next <= p.last; {
		fetched, err := client.FetchRecords(ctx, kafka.FetchRequest{
			Topic: p.topic, Partition: p.partition, Offset: next, MinBytes: 1, MaxBytes: 1 << 20, MaxWait: time.Second, ReadCommitted: true,
		})
		if err != nil {
			return nil, err
		}
		for _, r := range fetched.Records {
			if r.Offset <= p.last {
				e.Records = append(e.Records, event.KafkaRecord{Topic: p.topic, Partition: p.partition, Offset: r.Offset, Key: r.Key, Body: r.Value})
			}
		}
		if fetched.Next == next {
			break // the log ends here
		}
		next = fetched.Next
	}
	if len(e.Records) == 0 {
		return nil, fmt.Errorf("%s/%d has no records from offset %d to %d", p.topic, p.partition, p.first, p.last)
	}
	return e.AppendJSON(nil), nil
}
