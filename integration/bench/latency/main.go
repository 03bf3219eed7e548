// Command latency measures what the local platform adds to a function: the
// time of an invocation beyond the function's own, and the time from producing
// a record to the call of the handler. The bench starts it; see its README.
//
//	latency -source HOST:PORT -topic TOPIC -code DIR -n N
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// outcome is printed, in milliseconds.
type outcome struct {
	Count            int     `json:"count"`
	DispatchMedian   float64 `json:"dispatchMedian"`
	DispatchP99      float64 `json:"dispatchP99"`
	ProduceToHandler float64 `json:"produceToHandlerMedian"`
	ProduceToP99     float64 `json:"produceToHandlerP99"`
}

// warmUp is how many invocations come before those that count.
const warmUp = 20

const (
	function = "stamp"
	instance = "ckafka-source"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "latency:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	broker := flag.String("source", "", "broker")
	topic := flag.String("topic", "", "topic of one partition, which exists and is empty")
	code := flag.String("code", "", "folder with the built function stamp")
	n := flag.Int("n", 1000, "how many invocations of each kind")
	flag.Parse()
	client, err := kafka.Open(ctx, kafka.Config{Brokers: []string{*broker}})
	if err != nil {
		return err
	}
	invoked := make(chan emulator.Invocation, 1)
	platform, err := emulator.New(emulator.Config{
		Clusters: map[string]kafka.Config{instance: {Brokers: []string{*broker}}},
		Hooks:    emulator.Hooks{Invoked: func(i emulator.Invocation) { invoked <- i }},
	})
	if err != nil {
		return errors.Join(err, client.Close())
	}
	m := &meter{client: client, platform: platform, topic: *topic, invoked: invoked, count: *n}
	done, err := m.run(ctx, *code)
	if err := errors.Join(err, platform.Close(), client.Close()); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(done)
}

type meter struct {
	client   *kafka.Client
	platform *emulator.Platform
	topic    string
	invoked  chan emulator.Invocation
	count    int
}

func (m *meter) run(ctx context.Context, code string) (done outcome, err error) {
	err = m.platform.Deploy(ctx, scf.Function{
		Key: function, Name: function, Handler: "main", Runtime: "Go1", MemorySize: 128, Timeout: 10,
		Events: []scf.Trigger{{Kafka: &scf.KafkaTrigger{
			InstanceID: instance, Topic: m.topic, ConsumerGroup: "latency-" + m.topic,
			MaxMsgNum: 1, TimeOut: 1, Retry: 1, Offset: scf.Earliest, Enabled: true,
		}}},
	}, code)
	if err != nil {
		return done, err
	}
	dispatch, err := m.times(ctx, m.dispatch)
	if err != nil {
		return done, fmt.Errorf("dispatch: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- m.platform.Run(ctx) }()
	produced, err := m.times(ctx, m.produce)
	stop()
	if err := errors.Join(err, <-ended); err != nil {
		return done, fmt.Errorf("produce: %w", err)
	}
	return outcome{
		Count:          m.count,
		DispatchMedian: quantile(dispatch, 0.5), DispatchP99: quantile(dispatch, 0.99),
		ProduceToHandler: quantile(produced, 0.5), ProduceToP99: quantile(produced, 0.99),
	}, nil
}

// times calls one until there are as many durations as asked for, sorted. They
// come a few milliseconds apart, so that each meets a platform at rest.
func (m *meter) times(ctx context.Context, one func(context.Context) (time.Duration, error)) ([]time.Duration, error) {
	tick := time.NewTicker(7 * time.Millisecond)
	defer tick.Stop()
	var all []time.Duration
	for i := range m.count + warmUp {
		d, err := one(ctx)
		if err != nil {
			return nil, err
		}
		if i >= warmUp {
			all = append(all, d)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	slices.Sort(all)
	return all, nil
}

func quantile(sorted []time.Duration, q float64) float64 {
	at := min(int(q*float64(len(sorted))), len(sorted)-1)
	return float64(sorted[at].Microseconds()) / 1000
}

// dispatch is the time of a whole invocation of a function that does nothing:
// all of it is overhead of the platform and of the function's start package.
func (m *meter) dispatch(ctx context.Context) (time.Duration, error) {
	payload, err := event.Kafka{Records: []event.KafkaRecord{{Topic: m.topic, Body: []byte("x")}}}.MarshalJSON()
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	i, err := m.platform.Invoke(ctx, function, payload, emulator.InvokeOptions{})
	took := time.Since(begun)
	if err != nil {
		return 0, err
	}
	<-m.invoked
	if i.Error != nil {
		return 0, i.Error
	}
	return took, nil
}

// produce is the time from before the produce request to the handler.
func (m *meter) produce(ctx context.Context) (time.Duration, error) {
	sent := time.Now()
	body := strconv.FormatInt(sent.UnixNano(), 10)
	record := batch.Record{Timestamp: sent.UnixMilli(), Value: []byte(body)}
	if _, err := m.client.Produce(ctx, m.topic, 0, record); err != nil {
		return 0, err
	}
	var i emulator.Invocation
	select {
	case i = <-m.invoked:
	case <-time.After(time.Minute):
		return 0, fmt.Errorf("a record was not handled within a minute: %+v", m.platform.Triggers())
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	if i.Error != nil {
		return 0, i.Error
	}
	var stamp struct {
		Handled int64  `json:"handled"`
		Body    string `json:"body"`
	}
	if err := json.Unmarshal(i.Payload, &stamp); err != nil {
		return 0, fmt.Errorf("answer %s: %w", i.Payload, err)
	}
	if stamp.Body != body {
		return 0, fmt.Errorf("the event had the record %s, not %s", stamp.Body, body)
	}
	return time.Duration(stamp.Handled - sent.UnixNano()), nil
}
