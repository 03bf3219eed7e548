package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// The ports of the embedded clusters: the defaults of serverless.yml.
const (
	sourcePort = 19092
	targetPort = 29092
)

func (a *app) upCommand() *cobra.Command {
	var embed, prebuilt, watch bool
	var data, api, record string
	cmd := &cobra.Command{
		Use:   "up [NAME...]",
		Short: "Run serverless.yml here, until Ctrl-C",
		Long: `Build the functions of serverless.yml, or those that are named, start them as the
cloud does, and drive them with their triggers. A line is printed for each invocation. Ctrl-C stops
the triggers, lets running invocations finish and commits what they have done.

Which cluster a CKafka instance id is on this machine is said under
custom.local.ckafka in serverless.yml; settings for what no document of the
platform says stand beside it. Timers fire by this machine's clock, in UTC+8, and
do not make up for what was due while nothing ran.

Where a function has a trigger on a bucket, or custom.local.cos.address in its
environment, COS answers on that address as well, with objects in
custom.local.cos.dir, and functions are given keys for it: those of
TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY, else local and local.

While it runs, a function is built and deployed anew when a file of it changes, or
of a package that it is built of; invocations that are running end on the old code.
Then its last event is given to it again, and the line of that says "repeat". A
repeat is a second delivery, as the cloud makes them too: what a function has done
by topic, partition and offset is not done twice, so that nothing of it is copied or
written again; an event that had failed is handled by the new code at once. A change
of serverless.yml takes a new start. --watch=false switches all of it off.

With --api ADDRESS the functions can also be looked at, changed and invoked by the
API of SCF, as etl serve answers it; nothing of that is kept.

etl status tells from elsewhere what the triggers are doing.`,
		Example: "  etl up\n  etl up dump clean            only these\n  etl up --embedded            with two embedded clusters, on ports 19092 and 29092\n" +
			"  etl up --prebuilt            where there is no Go: the binaries are built already",
	}
	flag, socket := newServiceFlag(cmd), newSocketFlag(cmd)
	cmd.ValidArgsFunction = flag.names(a)
	cmd.Flags().BoolVar(&prebuilt, "prebuilt", false, "build nothing: take the binaries that serverless.yml names")
	cmd.Flags().BoolVar(&watch, "watch", true, "build and deploy a function anew when its code changes; not with --prebuilt")
	cmd.Flags().BoolVar(&embed, "embedded", false, fmt.Sprintf("start an embedded source on localhost:%d and target on localhost:%d", sourcePort, targetPort))
	cmd.Flags().StringVar(&data, "data", "", "folder for the records of the embedded clusters (default: a temporary one)")
	cmd.Flags().StringVar(&api, "api", "", "answer the SCF API on this address too, as "+apiAddress)
	cmd.Flags().StringVar(&record, "record", "", "file that gets a line of JSON for each invocation, behind those that it has: etl cost reads it")
	cmd.RunE = func(cmd *cobra.Command, names []string) (err error) {
		if api != "" {
			if _, _, err := a.apiKeys(api); err != nil {
				return err
			}
		}
		if data != "" && !embed {
			return usagef("--data is for --embedded")
		}
		service, folder, err := flag.load(a.environ)
		if err != nil {
			return err
		}
		if err := choose(service, names); err != nil {
			return err
		}
		if embed {
			stop, err := startEmbedded(service, data)
			if err != nil {
				return err
			}
			a.sayEmbedded()
			defer func() { err = errors.Join(err, stop()) }()
		}
		pack := buildFunction
		if prebuilt {
			pack = takeFunction
		}
		recorder, err := openRecorder(record)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, recorder.close()) }()
		return a.up(cmd.Context(), service, folder, pack, upOptions{
			socket: *socket, api: api, watch: watch && !prebuilt, recorder: recorder,
		})
	}
	return cmd
}

// choose leaves the functions with these names in a service; none means all.
func choose(service *scf.Service, names []string) error {
	var chosen []scf.Function
	for _, name := range names {
		f, err := findFunction(service, name)
		if err != nil {
			return err
		}
		chosen = append(chosen, f)
	}
	if len(names) > 0 {
		service.Functions = chosen
	}
	return nil
}

// sayEmbedded says where the embedded clusters are, for other terminals.
func (a *app) sayEmbedded() {
	fmt.Fprintf(a.stdout, "embedded clusters: export SOURCE_BROKERS=localhost:%d TARGET_BROKERS=localhost:%d\n", sourcePort, targetPort)
}

// embeddedPartitions is what a topic gets on the embedded source.
const embeddedPartitions = 4

// startEmbedded starts both clusters on the ports of serverless.yml, the
// source with the topics of the triggers.
func startEmbedded(service *scf.Service, data string) (stop func() error, err error) {
	topics := map[string]int32{}
	for _, f := range service.Functions {
		for _, e := range f.Events {
			if e.Kafka != nil {
				topics[e.Kafka.Topic] = embeddedPartitions
			}
		}
	}
	source := localkafka.Config{Ports: []int{sourcePort}, Topics: topics}
	target := localkafka.Config{Ports: []int{targetPort}}
	if data != "" {
		source.Dir, target.Dir = filepath.Join(data, "source"), filepath.Join(data, "target")
	}
	first, err := localkafka.Start(source)
	if err != nil {
		return nil, fmt.Errorf("embedded source cluster on port %d: %w", sourcePort, inUse(err))
	}
	second, err := localkafka.Start(target)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("embedded target cluster on port %d: %w", targetPort, inUse(err)), first.Close())
	}
	return func() error { return errors.Join(first.Close(), second.Close()) }, nil
}

// inUse says what it means that a port is taken.
func inUse(err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w; another etl up, serve or demo is running: stop it first", err)
	}
	return err
}

// upOptions are what up does beside running a service.
type upOptions struct {
	socket   socketFlag // tells the status
	api      string     // address of the SCF API; empty for none
	watch    bool       // builds anew what changes
	recorder *recorder
}

// up runs a service until ctx ends.
func (a *app) up(ctx context.Context, service *scf.Service, folder string, pack packager, o upOptions) (err error) {
	lines := &invocationLines{w: a.stdout, recorder: o.recorder}
	config := platformConfig(service, emulator.Hooks{Invoked: lines.invoked, Trigger: lines.trigger, GivenUp: lines.givenUp})
	config.KeepEvents = o.watch
	options, err := storeFor(service, folder)
	if err != nil {
		return err
	}
	store, err := a.startStore(options, lines.say)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.close()) }()
	config.Credentials = store.credentials()
	platform, err := emulator.New(config)
	if err != nil {
		return err
	}
	store.platform.Store(platform)
	rebuilder := &rebuilder{platform: platform, service: service, folder: folder, pack: pack, say: lines.say}
	defer func() {
		err = errors.Join(err, platform.Close())
		rebuilder.repeats.Wait()
	}()
	begun := time.Now()
	if o.watch {
		if err := rebuilder.begin(ctx); err != nil {
			return err
		}
	}
	if err := deployAll(ctx, platform, service, folder, pack); err != nil {
		if errors.Is(err, syscall.ECONNREFUSED) {
			err = fmt.Errorf("%w; start the cluster, or name it in SOURCE_BROKERS and TARGET_BROKERS, or let etl up --embedded start both", err)
		}
		return err
	}
	stop, err := a.tellStatus(ctx, o.socket, folder, platform.Triggers)
	if err != nil {
		return err
	}
	defer stop()
	took := time.Since(begun).Round(time.Millisecond)
	fmt.Fprintf(a.stdout, "deployed in %v: %s; Ctrl-C stops\n", took, functionKeys(service))
	printTriggers(a.stdout, platform.Triggers())
	if o.api != "" {
		stop, err := a.serveAPI(ctx, platform, apiOptions{address: o.api, object: store.open()}, lines.say)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, stop()) }()
	}
	if o.watch {
		stop := rebuilder.start(ctx)
		defer stop()
	}
	err = platform.Run(ctx)
	fmt.Fprintf(a.stdout, "stopped: %d invocations, %d failed\n", lines.count, lines.failed)
	return err
}

func functionKeys(service *scf.Service) string {
	var keys []string
	for _, f := range service.Functions {
		keys = append(keys, f.Key)
	}
	return strings.Join(keys, ", ")
}

// platformConfig takes what serverless.yml says of this machine.
func platformConfig(service *scf.Service, hooks emulator.Hooks) emulator.Config {
	local := service.Local
	config := emulator.Config{
		Region:       service.Region,
		Clusters:     map[string]kafka.Config{},
		IdleTimeout:  local.IdleTimeout,
		MaxInstances: local.MaxInstances,
		Kafka: emulator.KafkaConfig{
			RetryInterval:    local.RetryInterval,
			AfterLastRetry:   emulator.Policy(local.AfterLastRetry),
			Oversize:         emulator.Policy(local.Oversize),
			ReadUncommitted:  local.ReadUncommitted,
			EmptyNullKey:     local.EmptyNullKey,
			CapitalPartition: local.CapitalPartition,
			BackOffMin:       local.BackOffMin,
			BackOffMax:       local.BackOffMax,
		},
		Async: emulator.AsyncConfig{RetryInterval: local.AsyncRetryInterval},
		Hooks: hooks,
	}
	for id, c := range local.Clusters {
		config.Clusters[id] = kafka.Config{
			Brokers: c.Brokers,
			TLS:     c.TLS, TLSCAFile: c.TLSCAFile, TLSCertFile: c.TLSCertFile, TLSKeyFile: c.TLSKeyFile, TLSServerName: c.TLSServerName,
			SASL: c.SASL, User: c.User, Password: c.Password,
		}
	}
	return config
}

// invocationLines prints one line an invocation and one a change of a trigger
// that somebody should know of.
type invocationLines struct {
	mu            sync.Mutex
	w             io.Writer
	recorder      *recorder
	count, failed int
}

func (l *invocationLines) invoked(i emulator.Invocation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	outcome := "ok"
	l.count++
	l.recorder.add(i)
	if i.Error != nil {
		l.failed++
		outcome = "FAILED " + i.Error.Error()
	}
	what, result := i.Trigger, ""
	if i.Repeat {
		what = strings.TrimSuffix("repeat of "+i.Trigger, " of ")
		result = " " + beginning(i.Payload)
	}
	if letters := deadLettersOf(i.Payload); letters > 0 {
		outcome += fmt.Sprintf(", %d to the dead letter", letters)
	}
	start := ""
	if i.ColdStart() {
		start = fmt.Sprintf(" cold start %v,", i.Init.Round(time.Millisecond))
	}
	function := i.Function
	if i.Version != "" && i.Version != "$LATEST" {
		function += ":" + i.Version
	}
	fmt.Fprintf(l.w, "%s %s %s%s event %d B, billed %d ms, %d MB: %s%s\n", i.Start.Format(time.TimeOnly), function, what,
		start, i.EventBytes, i.BilledMS, i.MaxRSS>>20, outcome, result)
}

// beginning gives what fits on a line of a function's answer.
func beginning(answer []byte) string {
	const most = 300
	if len(answer) > most {
		return strings.ToValidUTF8(string(answer[:most]), "") + "..."
	}
	return string(answer)
}

// say prints a line of something else.
func (l *invocationLines) say(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.w, format+"\n", args...)
}

// deadLettersOf reads how many records a job has put into the dead letter; 0 for what
// says nothing of it.
func deadLettersOf(payload []byte) (n int64) {
	var result mirror.Result
	if json.Unmarshal(payload, &result) != nil {
		return 0
	}
	for _, p := range result.Partitions {
		n += p.DeadLetters
	}
	return n
}

func (l *invocationLines) trigger(e emulator.TriggerEvent) {
	if e.Status.Reason == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.w, "%s %s/%d %s: %s\n", e.Function, e.Topic, e.Status.Partition, e.Status.State, e.Status.Reason)
}

func (l *invocationLines) givenUp(g emulator.GivenUp) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.w, "%s %s GIVEN UP: %s\n", g.Function, g.Trigger, g.Reason)
}
