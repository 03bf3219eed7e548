package kafka_test

import (
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

func TestCoordinators(t *testing.T) {
	t.Parallel()

	t.Run("are looked up once for a group and once for a transactional id, whatever is sent to them", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		var asked atomic.Int64
		fake.ControlKey(int16(kmsg.FindCoordinator), func(kmsg.Request) (kmsg.Response, error, bool) {
			asked.Add(1)
			fake.KeepControl()
			return nil, nil, false
		})
		p := producer(t, c, "id")
		for i := range 5 {
			must(t, put(t, p, "t", 0, one(t, "a")), p.CommitOffsets(deadline(t), "g", "t", committed(int64(i))), p.Commit(deadline(t)))
		}
		must(t, p.Fence(deadline(t)))
		if got, err := c.Committed(deadline(t), "g", "t", 0); got[0].Offset != 4 || err != nil {
			t.Errorf("committed %v, error %v, want 4", got, err)
		}
		if n := asked.Load(); n != 2 {
			t.Errorf("%d requests for a coordinator, want 2", n)
		}
	})

	t.Run("are looked up again after they have moved, with every move", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Brokers: 3, Topics: map[string]int32{"t": 1}})
		c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
		p := producer(t, c, "id")
		for i := range 10 {
			cluster.Fake().RehashCoordinators()
			must(t, put(t, p, "t", 0, one(t, "a")), p.CommitOffsets(deadline(t), "g", "t", committed(int64(i))), p.Commit(deadline(t)))
			cluster.Fake().RehashCoordinators()
			must(t, c.Commit(deadline(t), "other", "t", committed(int64(i))))
		}
		must(t, p.Fence(deadline(t)))
		for _, group := range []string{"g", "other"} {
			if got, err := c.Committed(deadline(t), group, "t", 0); got[0].Offset != 9 || err != nil {
				t.Errorf("group %s: committed %v, error %v, want 9", group, got, err)
			}
		}
	})
}
