package kafka_test

import (
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

// TestLeaderIsFound: of a topic or partition that is newer than what the client
// has heard.
func TestLeaderIsFound(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"", "2.3"} {
		cluster := brokers(t, localkafka.Config{Version: version, Brokers: 3, Topics: map[string]int32{"old": 1}})
		c := connect(t, kafka.Config{Brokers: cluster.Brokers(), MetadataTTL: time.Hour})
		other := connect(t, kafka.Config{Brokers: cluster.Brokers()})
		must(t, other.CreateTopic(deadline(t), kafka.TopicSpec{Name: "new", Partitions: 3, Replication: 1}))
		addPartitions(t, cluster.Brokers(), "old", 3)
		for _, topic := range []string{"old", "new"} {
			t.Run("at once, of topic "+topic+" of a broker "+version, func(t *testing.T) {
				t.Parallel()
				for p := range int32(3) {
					_, err := c.ProduceBatches(deadline(t), topic, p, "", builds(t, 1))
					must(t, err)
					got, err := c.FetchRecords(deadline(t), kafka.FetchRequest{Topic: topic, Partition: p})
					if len(got.Records) != 1 || err != nil {
						t.Errorf("records %v of %s/%d, error %v, want one", got.Records, topic, p, err)
					}
				}
			})
		}
	}
}

// TestLeaderMoves: a leader that is somewhere else now is an error to be
// retried, and then found.
func TestLeaderMoves(t *testing.T) {
	t.Parallel()
	const ttl = 400 * time.Millisecond
	for name, try := range map[string]func(*testing.T, *kafka.Client) error{
		"Fetch": func(t *testing.T, c *kafka.Client) error {
			var buf kafka.Buffer
			_, err := c.Fetch(deadline(t), kafka.FetchRequest{Topic: "t"}, &buf)
			return err
		},
		"ProduceBatches": func(t *testing.T, c *kafka.Client) error {
			_, err := c.ProduceBatches(deadline(t), "t", 0, "", []batch.Batch{build(t, batch.None, values("%d", 1)...)})
			return err
		},
	} {
		t.Run("are retriable for "+name+", and found", func(t *testing.T) {
			t.Parallel()
			cluster := brokers(t, localkafka.Config{Brokers: 3, Topics: map[string]int32{"t": 1}})
			c := connect(t, kafka.Config{Brokers: cluster.Brokers(), MetadataTTL: ttl})
			must(t, try(t, c))
			failed := 0
			for range 5 {
				leader := cluster.Fake().LeaderFor("t", 0)
				must(t, cluster.Fake().MoveTopicPartition("t", 0, (leader+1)%3))
				begun := time.Now()
				until(t, "the new leader", func() bool {
					err := try(t, c)
					if err == nil {
						return true
					}
					failed++
					if !kafka.Retriable(err) {
						t.Fatalf("error %v, want a retriable one", err)
					}
					return false
				})
				if spent := time.Since(begun); spent > 25*ttl {
					t.Errorf("the new leader was found after %v", spent)
				}
			}
			if failed == 0 {
				t.Error("no call failed: nothing was tested")
			}
		})
	}

	t.Run("are waited out by what is repeated", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Brokers: 3, Topics: map[string]int32{"t": 1}})
		c := connect(t, kafka.Config{Brokers: cluster.Brokers(), MetadataTTL: ttl})
		for range 3 {
			leader := cluster.Fake().LeaderFor("t", 0)
			must(t, cluster.Fake().MoveTopicPartition("t", 0, (leader+1)%3))
			_, err := c.Offsets(deadline(t), "t", kafka.Latest, 0)
			must(t, err)
			_, err = c.Produce(deadline(t), "t", 0, values("%d", 1)...)
			must(t, err)
			topic, err := c.Topic(deadline(t), "t")
			must(t, err)
			if want := cluster.Fake().LeaderFor("t", 0); topic.Partitions[0].Leader != want {
				t.Errorf("leader %d, want %d", topic.Partitions[0].Leader, want)
			}
		}
	})

	t.Run("of a coordinator are waited out", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Brokers: 3, Topics: map[string]int32{"t": 1}})
		c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
		p := producer(t, c, "id")
		for i := range 3 {
			must(t, put(t, p, "t", 0, one(t, "a")), p.CommitOffsets(deadline(t), "g", "t", committed(int64(i))))
			cluster.Fake().RehashCoordinators()
			must(t, p.Commit(deadline(t)))
		}
		must(t, p.Fence(deadline(t)))
		if got, err := c.Committed(deadline(t), "g", "t", 0); got[0].Offset != 2 || err != nil {
			t.Errorf("committed %v, error %v, want 2", got, err)
		}
	})
}
