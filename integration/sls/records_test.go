package sls

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// partitions of a topic of these tests.
const partitions = 3

// clusters are a source with the topics, and a target: real ones where Docker is
// required, else embedded ones.
func clusters(t *testing.T, topics ...string) (source, target string) {
	t.Helper()
	if os.Getenv("ETL_REQUIRE_DOCKER") == "1" {
		pair := containers.Pair(t)
		source, target = strings.Join(pair.Source.Brokers, ","), strings.Join(pair.Target.Brokers, ",")
	} else {
		source, target = embedded(t), embedded(t)
	}
	for _, topic := range topics {
		if err := connect(t, source).CreateTopic(t.Context(), kafka.TopicSpec{Name: topic, Partitions: partitions, Settings: sample.TopicSettings()}); err != nil {
			t.Fatal(err)
		}
	}
	return source, target
}

func embedded(t *testing.T) string {
	t.Helper()
	cluster, err := localkafka.Start(localkafka.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cluster.Close() })
	return strings.Join(cluster.Brokers(), ",")
}

func connect(t *testing.T, brokers string) *kafka.Client {
	t.Helper()
	c, err := kafka.Open(t.Context(), kafka.Config{Brokers: strings.Split(brokers, ","), DialTimeout: time.Minute, MetadataTTL: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// produce writes n records to each partition of a topic.
func produce(ctx context.Context, c *kafka.Client, topic string, n int, seed uint64) error {
	for p := range int32(partitions) {
		if _, err := c.Produce(ctx, topic, p, sample.Plain(n, 100, seed+uint64(p))...); err != nil {
			return err
		}
	}
	return nil
}

// awaitCopied waits until the target has every record of the topic, each once
// and nothing else, as etl verify sees it; records is how many there are.
func (s *service) awaitCopied(t *testing.T, topic string, records int64) {
	t.Helper()
	var out []byte
	for end := time.Now().Add(4 * time.Minute); time.Now().Before(end) && s.ctx.Err() == nil; time.Sleep(200 * time.Millisecond) {
		command := exec.CommandContext(s.ctx, etl(t), "verify", topic, "-o", "json")
		command.Dir, command.Env = s.folder, s.environ()
		var err error
		out, err = command.Output()
		var compared mirror.TopicComparison
		if err != nil || json.Unmarshal(out, &compared) != nil || !compared.Equal {
			continue
		}
		copied := int64(0)
		for _, p := range compared.Partitions {
			copied += p.Target.Records
		}
		if copied == records {
			return
		}
	}
	t.Fatalf("the %d records of topic %s are not copied:\n%s", records, topic, out)
}
