package kafka

import (
	"context"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

func TestCoordinatorGone(t *testing.T) {
	t.Parallel()

	t.Run("a coordinator that has left the cluster while nothing was sent to it is looked up again", func(t *testing.T) {
		t.Parallel()
		cluster, err := localkafka.Start(localkafka.Config{Brokers: 3, Topics: map[string]int32{"t": 1}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cluster.Close() })
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		c, err := Open(ctx, Config{Brokers: cluster.Brokers(), MetadataTTL: 50 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		commit := func(next int64) {
			t.Helper()
			if err := c.Commit(ctx, "g", "t", map[int32]Committed{0: {Offset: next}}); err != nil {
				t.Fatal(err)
			}
		}
		commit(1)
		gone := cluster.Fake().CoordinatorFor("g")
		if err := cluster.Fake().RemoveNode(gone); err != nil {
			t.Fatal(err)
		}
		cluster.Fake().RehashCoordinators()
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for known := 3; known > 2; <-tick.C { // until kafka-go has noticed it
			seen, err := c.client.Metadata(ctx, &kafkago.MetadataRequest{})
			if err != nil {
				t.Fatal(err)
			}
			known = len(seen.Brokers)
		}
		commit(2)
		if c.routes.known[coordinated{"g", kafkago.CoordinatorKeyTypeConsumer}] == gone {
			t.Errorf("broker %d is still taken for the coordinator", gone)
		}
	})
}
