package kafka_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

// TestCloseLeavesNothing looks for goroutines of kafka-go. It is not parallel,
// because other tests have some.
func TestCloseLeavesNothing(t *testing.T) {
	cluster := brokers(t, localkafka.Config{Topics: map[string]int32{"t": 1}})
	for range 10 {
		c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
		_, err := c.Produce(deadline(t), "t", 0, values("%d", 1)...)
		must(t, err, c.Close())
	}
	until(t, "the goroutines to end", func() bool {
		stacks := make([]byte, 1<<20)
		return !strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "segmentio/kafka-go")
	})
}
