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
)

func (a *app) invokeCommand() *cobra.Command {
	var file, from string
	cmd := &cobra.Command{
		Use:   "invoke NAME",
		Short: "Invoke a function once, here",
		Long: `Build a function of serverless.yml, start it as the cloud would, invoke it once
and print its answer. The event comes from a file, from standard input (--event -)
or from records that are in the source cluster: --from TOPIC:PARTITION:FIRST-LAST.

This is no trial: the function works on the clusters that its environment names,
and dump moves the checkpoint of its job. JOB=trial gives it one of its own.`,
		Example: "  etl invoke dump --from orders:0:0-99\n  etl event ckafka > event.json && etl invoke dump --event event.json",
		Args:    cobra.ExactArgs(1),
	}
	service := newServiceFlag(cmd)
	cmd.ValidArgsFunction = service.names(a)
	source := sourceFlag(cmd)
	cmd.Flags().StringVarP(&file, "event", "e", "", "file with the event, or - for standard input")
	cmd.Flags().StringVar(&from, "from", "", "records of the source as the event: TOPIC:PARTITION:FIRST-LAST")
	cmd.MarkFlagsOneRequired("event", "from")
	cmd.MarkFlagsMutuallyExclusive("event", "from")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx := cmd.Context()
		payload, err := readEvent(ctx, a, source, file, from)
		if err != nil {
			return err
		}
		invocation, err := a.invokeOnce(ctx, service, args[0], payload)
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

// invokeOnce runs a function on a platform of its own.
func (a *app) invokeOnce(ctx context.Context, flag *serviceFlag, name string, payload []byte) (_ emulator.Invocation, err error) {
	service, folder, err := flag.load(a.environ)
	if err != nil {
		return emulator.Invocation{}, err
	}
	function, err := findFunction(service, name)
	if err != nil {
		return emulator.Invocation{}, err
	}
	function.Events = nil // nothing but this invocation
	service.Functions = append(service.Functions[:0:0], function)
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
	return platform.Invoke(ctx, function.Name, payload, emulator.InvokeOptions{})
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

// readEvent gives the event that a flag names.
func readEvent(ctx context.Context, a *app, source *clusterFlag, file, from string) ([]byte, error) {
	if from == "" {
		return readEventFile(file)
	}
	position, err := parseFrom(from)
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
