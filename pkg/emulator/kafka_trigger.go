package emulator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// kafkaTrigger is a member of a consumer group that delivers a topic to a
// function: a poller a partition.
type kafkaTrigger struct {
	platform *Platform
	function string
	name     string
	client   *kafka.Client

	set  scf.KafkaTrigger      // changed only while it is not running
	stop func(context.Context) // ends run and waits for it; nil while it is not running

	mu    sync.Mutex
	parts map[int32]*partition
	err   error // why the trigger as a whole cannot read
}

// errStopped is why an invocation was given up whose trigger, or the platform,
// would not wait.
var errStopped = errors.New("the trigger was stopped")

// newKafkaTrigger opens the cluster of a trigger and looks the topic up.
func (p *Platform) newKafkaTrigger(ctx context.Context, function string, s scf.KafkaTrigger) (*kafkaTrigger, error) {
	cluster, ok := p.config.Clusters[s.InstanceID]
	if !ok {
		return nil, fmt.Errorf("the CKafka instance %s is no cluster here: name its brokers in custom.local.ckafka", s.InstanceID)
	}
	client, err := kafka.Open(ctx, cluster)
	if err != nil {
		return nil, err
	}
	if _, err := client.Topic(ctx, s.Topic); err != nil {
		if errors.Is(err, kafka.ErrUnknownTopic) {
			err = fmt.Errorf("%w: the topic of a trigger must exist before the trigger", err)
		}
		return nil, errors.Join(err, client.Close())
	}
	return &kafkaTrigger{platform: p, function: function, name: s.Name(), client: client, set: s}, nil
}

// checkKafka refuses what the cloud refuses of a CKafka trigger.
func checkKafka(t scf.KafkaTrigger) error {
	err := errors.Join(
		between("maxMsgNum", t.MaxMsgNum, scf.MinMaxMsgNum, scf.MaxMaxMsgNum, "records"),
		between("timeOut", t.TimeOut, scf.MinBatchTime, scf.MaxBatchTime, "s"),
	)
	if t.Retry < 0 {
		err = errors.Join(err, fmt.Errorf("retry is %d, allowed are 0 and more", t.Retry))
	}
	if t.Offset < scf.Earliest {
		err = errors.Join(err, fmt.Errorf("offset is %d, allowed are %s", t.Offset, scf.OffsetForms))
	}
	return err
}

func (t *kafkaTrigger) key() triggerKey { return triggerKey{t.function, "ckafka", t.name} }

func (t *kafkaTrigger) settings() scf.Trigger {
	s := t.set
	return scf.Trigger{Kafka: &s}
}

func (t *kafkaTrigger) change(to scf.Trigger) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.set = *to.Kafka
}

func (t *kafkaTrigger) close() error { return t.client.Close() }

func (t *kafkaTrigger) config() KafkaConfig { return t.platform.config.Kafka }
func (t *kafkaTrigger) clock() Clock        { return t.platform.config.Clock }
func (t *kafkaTrigger) log() *slog.Logger   { return t.platform.config.Log }

func (t *kafkaTrigger) window() time.Duration {
	return time.Duration(t.set.TimeOut) * time.Second
}

// group is the consumer group. The cloud makes one up too where none is named.
func (t *kafkaTrigger) group() string {
	return cmp.Or(t.set.ConsumerGroup, "scf-"+t.function+"-"+t.name)
}

func (t *kafkaTrigger) backOff() backOff {
	return backOff{min: t.config().BackOffMin, max: t.config().BackOffMax}
}

// start begins to deliver, as long as the platform runs.
func (t *kafkaTrigger) start(run context.Context) {
	t.mu.Lock()
	t.parts, t.err = map[int32]*partition{}, nil
	t.mu.Unlock()
	ctx, cancel := context.WithCancel(run)
	// why: an invocation that has begun is finished, whatever ends the polling.
	invoking, giveUp := context.WithCancelCause(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		t.run(ctx, invoking)
	}()
	t.stop = func(patience context.Context) {
		cancel()
		// why: a stop that waits for a function must not hold up the end of Run.
		patience, enough := context.WithCancel(patience)
		defer enough()
		defer context.AfterFunc(run, func() { time.AfterFunc(t.platform.config.StopGrace, enough) })()
		select {
		case <-done:
		case <-patience.Done():
			giveUp(errStopped)
			<-done
		}
		giveUp(nil)
	}
}

// halt ends delivery. The invocation that is running is finished and its batch
// committed, unless patience ends before.
func (t *kafkaTrigger) halt(patience context.Context) {
	if t.stop != nil {
		t.stop(patience)
		t.stop = nil
	}
}

// run is a member of the group until the context ends.
func (t *kafkaTrigger) run(ctx, invoking context.Context) {
	pause := t.backOff()
	for ctx.Err() == nil {
		err := t.join(ctx, invoking, &pause)
		if ctx.Err() != nil {
			break
		}
		t.setError(err)
		t.log().Warn("trigger cannot read", "function", t.function, "trigger", t.name, "topic", t.set.Topic, "error", err)
		_ = wait(ctx, t.clock(), pause.next())
	}
	t.assign(nil)
}

// patience is how long a rebalance waits for the batch in flight: no function
// runs longer.
func (t *kafkaTrigger) patience() time.Duration {
	const least, margin = time.Minute, 10 * time.Second
	t.platform.mu.Lock()
	defer t.platform.mu.Unlock()
	d := t.platform.functions[t.function]
	if d == nil {
		return least // it was removed, and the trigger is about to be
	}
	longest := least
	for _, f := range d.all() {
		longest = max(longest, f.timeout()+margin)
	}
	return longest
}

// join is one membership: one generation after the other, until an error.
func (t *kafkaTrigger) join(ctx, invoking context.Context, pause *backOff) (err error) {
	group, err := t.client.Group(kafka.GroupConfig{
		ID: t.group(), Topics: []string{t.set.Topic},
		SessionTimeout: t.config().SessionTimeout, PartitionWatch: t.config().PartitionWatch,
		RebalanceTimeout: t.patience(),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, group.Close()) }()
	for {
		generation, err := group.Next(ctx)
		if err != nil {
			return err
		}
		pause.reset()
		t.setError(nil)
		t.serve(ctx, invoking, generation)
	}
}

// serve polls the partitions of one generation until it ends.
func (t *kafkaTrigger) serve(ctx, invoking context.Context, g *kafka.Generation) {
	defer g.Release()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(g.Context(), cancel)()
	numbers := g.Assigned[t.set.Topic]
	t.assign(numbers)
	positions, err := t.positions(ctx, g, numbers)
	if err != nil {
		return // the context's
	}
	var wg sync.WaitGroup
	for _, n := range numbers {
		p := t.poller(invoking, g, t.part(n), positions[n])
		wg.Go(func() { p.run(ctx) })
	}
	<-ctx.Done()
	wg.Wait()
}

// poller makes the poller of one partition.
func (t *kafkaTrigger) poller(invoking context.Context, g *kafka.Generation, part *partition, at position) *poller {
	number := part.get().Partition
	part.begin(at)
	reader := &partitionReader{client: t.client, topic: t.set.Topic, partition: number, readCommitted: !t.config().ReadUncommitted}
	return &poller{
		trigger: t, part: part, retry: t.set.Retry,
		batcher: &batcher{
			topic: t.set.Topic, partition: number, clock: t.clock(), position: at.start, pause: t.backOff(),
			cut:  cutting{records: t.set.MaxMsgNum, window: t.window(), bytes: scf.MaxSyncPayload, encoder: t.config().encoder},
			read: reader.read,
			seen: func(next, end int64) { part.seen(end) },
			failed: func(ctx context.Context, offset int64, err error) int64 {
				return t.readFailed(ctx, part, offset, err)
			},
		},
		invoke: func(payload []byte) (*FunctionError, error) {
			i, err := t.platform.invoke(invoking, t.function, payload, InvokeOptions{Trigger: t.name, Qualifier: t.set.Qualifier})
			return i.Error, err
		},
		commit: func(next int64) (gone bool, err error) {
			err = g.Commit(t.set.Topic, number, next)
			return errors.Is(err, kafka.ErrNotCoordinated) || g.Context().Err() != nil, err
		},
	}
}

// assign makes the status fit a new assignment.
func (t *kafkaTrigger) assign(numbers []int32) {
	t.mu.Lock()
	var stopped []*partition
	for n, p := range t.parts {
		if !slices.Contains(numbers, n) {
			stopped = append(stopped, p)
		}
	}
	for _, n := range numbers {
		if t.parts[n] == nil {
			t.parts[n] = &partition{trigger: t, status: PartitionStatus{Partition: n, State: Stopped, Committed: -1, HighWatermark: -1, Lag: -1, Retry: t.set.Retry}}
		}
	}
	t.mu.Unlock()
	for _, p := range stopped {
		p.set(func(s *PartitionStatus) { s.State, s.Reason, s.Count, s.First, s.Last = Stopped, "", 0, 0, 0 })
	}
}

func (t *kafkaTrigger) part(n int32) *partition {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.parts[n]
}

func (t *kafkaTrigger) setError(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.err = err
}

// status is what the trigger is doing.
func (t *kafkaTrigger) status() TriggerStatus {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := TriggerStatus{
		Function: t.function, Kind: "ckafka", Name: t.name, Topic: t.set.Topic, Group: t.group(), Enabled: t.set.Enabled,
		MaxMsgNum: t.set.MaxMsgNum, TimeOut: t.window(), Retry: t.set.Retry,
		RetryInterval: t.config().RetryInterval, AfterLastRetry: t.config().AfterLastRetry, Oversize: t.config().Oversize,
	}
	if t.err != nil {
		s.Error = t.err.Error()
	}
	for _, p := range t.parts {
		s.Partitions = append(s.Partitions, p.get())
	}
	slices.SortFunc(s.Partitions, func(a, b PartitionStatus) int { return int(a.Partition - b.Partition) })
	return s
}
