package matrix

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// copyTimeout bounds one copy on a busy machine.
const copyTimeout = 5 * time.Minute

const instance = "ckafka-source"

// copying is one topic on its way from one release to another.
type copying struct {
	filled
	source, target cluster

	platform    *emulator.Platform
	environment map[string]string

	mu              sync.Mutex
	passed, rebuilt int
	errors          []string        // of failed invocations
	cured           map[string]bool // refusals, by mark
}

// targetTopic is where the topic goes.
func (c *copying) targetTopic() string { return "from-" + c.source.dashed() + "-" + c.topic }

func (c *copying) group() string { return "to-" + c.target.dashed() + "-" + c.topic }

// run copies the topic, does what an error says where there is one, compares,
// and gives the result in the words of the table.
func (c *copying) run(t *testing.T) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), copyTimeout)
	defer cancel()
	c.start(t, ctx)
	mark := ""
	for {
		refusal, ok := c.await(t, ctx)
		if !ok {
			break
		}
		t.Logf("refused: %s", refusal.said)
		mark += " " + refusal.mark
		switch refusal.cure {
		case createTopic:
			spec := kafka.TopicSpec{Name: c.targetTopic(), Partitions: len(c.codecs), Settings: map[string]string{"retention.ms": "-1"}}
			if err := c.target.CreateTopic(ctx, spec); err != nil {
				t.Fatal(err)
			}
		case otherCodec:
			c.environment["COMPRESSION"] = "lz4"
			c.deploy(t, ctx)
		case liftLimit:
			c.target.set(t, c.targetTopic(), "message.timestamp.after.max.ms", strconv.FormatInt(math.MaxInt64, 10))
		}
	}
	c.compare(t, ctx)
	return c.how() + mark
}

// start runs a platform with the function until the test ends.
func (c *copying) start(t *testing.T, ctx context.Context) {
	t.Helper()
	c.cured = map[string]bool{}
	c.environment = map[string]string{
		"JOB":            "matrix",
		"SOURCE_BROKERS": strings.Join(c.source.brokers, ","),
		"TARGET_BROKERS": strings.Join(c.target.brokers, ","),
		"TOPICS":         c.topic + ":" + c.targetTopic(),
	}
	for _, side := range []string{"SOURCE_", "TARGET_"} {
		c.environment[side+"DIAL_TIMEOUT"] = patience.String()
		c.environment[side+"REQUEST_TIMEOUT"] = patience.String()
	}
	platform, err := emulator.New(emulator.Config{
		Dir:          t.TempDir(),
		Clusters:     map[string]kafka.Config{instance: patient(c.source.brokers)},
		StartTimeout: patience,
		Kafka:        emulator.KafkaConfig{RetryInterval: 100 * time.Millisecond},
		Hooks:        emulator.Hooks{Invoked: c.invoked},
	})
	if err != nil {
		t.Fatal(err)
	}
	c.platform = platform
	c.deploy(t, ctx)
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- platform.Run(running) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := platform.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			c.report(t)
		}
	})
}

func (c *copying) deploy(t *testing.T, ctx context.Context) {
	t.Helper()
	err := c.platform.Deploy(ctx, scf.Function{
		Key: "dump", Name: "dump", Handler: "main", Runtime: "Go1", MemorySize: 512, Timeout: 300,
		Environment: c.environment,
		Events: []scf.Trigger{{Kafka: &scf.KafkaTrigger{
			InstanceID: instance, Topic: c.topic, ConsumerGroup: c.group(),
			MaxMsgNum: 1000, TimeOut: 1, Retry: 10_000, Offset: scf.Earliest, Enabled: true,
		}}},
	}, dumpPackage(t))
	if err != nil {
		t.Fatal(err)
	}
}

// invoked adds up what an invocation has done.
func (c *copying) invoked(i emulator.Invocation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i.Error != nil {
		c.errors = append(c.errors, strings.Join([]string{i.Error.Message, i.Error.LastLines, string(i.InitLog), string(i.Log)}, "\n"))
		return
	}
	var result mirror.Result
	if err := json.Unmarshal(i.Payload, &result); err != nil {
		c.errors = append(c.errors, fmt.Sprintf("the function's answer: %v", err))
		return
	}
	for _, p := range result.Partitions {
		c.passed += p.Passed
		c.rebuilt += p.Rebuilt
	}
}

// refusedNow gives a refusal among the errors that is new: an invocation may
// still be under way while a cure is given. Other errors may be of a moment.
func (c *copying) refusedNow() (refusal, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, text := range c.errors {
		if r, ok := refused(text); ok && !c.cured[r.mark] {
			c.cured[r.mark] = true
			r.said, _, _ = strings.Cut(text, "\n")
			return r, true
		}
	}
	return refusal{}, false
}

// how says what became of the source's batches.
func (c *copying) how() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.rebuilt == 0:
		return "passed on"
	case c.passed == 0:
		return "rebuilt"
	default:
		return "passed on and rebuilt"
	}
}

func (c *copying) report(t *testing.T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t.Logf("%d failed invocations", len(c.errors))
	for _, text := range c.errors[max(0, len(c.errors)-2):] {
		t.Log(text)
	}
}

// await returns once the trigger has committed all that the source holds, or
// the function has said what the target cannot do.
func (c *copying) await(t *testing.T, ctx context.Context) (refusal, bool) {
	t.Helper()
	var found refusal
	var refused bool
	poll(t, ctx, "the trigger's group at the end of the source", func() (bool, error) {
		if found, refused = c.refusedNow(); refused {
			return true, nil
		}
		partitions := c.partitions()
		end, err := c.source.Offsets(ctx, c.topic, kafka.Latest, partitions...)
		if err != nil {
			return false, err
		}
		committed, err := c.source.Committed(ctx, c.group(), c.topic, partitions...)
		if err != nil {
			return false, err
		}
		for _, p := range partitions {
			if committed[p].Offset < end[p] {
				return false, nil
			}
		}
		return true, nil
	})
	return found, refused
}

func (c *copying) partitions() []int32 {
	partitions := make([]int32, len(c.codecs))
	for i := range partitions {
		partitions[i] = int32(i)
	}
	return partitions
}

// compare wants in the target what was produced, and what the source says.
func (c *copying) compare(t *testing.T, ctx context.Context) {
	t.Helper()
	c.awaitStable(t, ctx)
	got, err := mirror.CompareTopics(ctx, c.source.Client, c.target.Client, c.topic, c.targetTopic(), mirror.CompareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var records int64
	for i, p := range got.Partitions {
		records += p.Target.Records
		if !p.Equal {
			t.Errorf("partition %d: %v", p.Partition, p.Difference)
		}
		if p.Source.Digest != c.digests[i] || p.Target.Digest != c.digests[i] {
			t.Errorf("partition %d: digests of source and target are %s and %s, what was produced has %s", p.Partition, p.Source.Digest, p.Target.Digest, c.digests[i])
		}
	}
	if !got.Ordered || records != c.records {
		t.Errorf("compared %d records (%s), want %d in order", records, got.Scope(), c.records)
	}
}

// awaitStable waits for the markers of the target's last transactions.
func (c *copying) awaitStable(t *testing.T, ctx context.Context) {
	t.Helper()
	poll(t, ctx, "the target without an open transaction", func() (bool, error) {
		for _, p := range c.partitions() {
			end, err := c.target.Offsets(ctx, c.targetTopic(), kafka.Latest, p)
			if err != nil {
				return false, err
			}
			got, err := c.target.FetchRecords(ctx, kafka.FetchRequest{
				Topic: c.targetTopic(), Partition: p, Offset: end[p], MaxWait: time.Millisecond, ReadCommitted: true,
			})
			if err != nil || got.LastStable != got.HighWatermark {
				return false, err
			}
		}
		return true, nil
	})
}

// poll asks until a condition holds.
func poll(t *testing.T, ctx context.Context, what string, holds func() (bool, error)) {
	t.Helper()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		ok, err := holds()
		if ok {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not in %v (%v)", what, copyTimeout, err)
		case <-ticker.C:
		}
	}
}
