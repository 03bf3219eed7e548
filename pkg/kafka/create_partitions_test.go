package kafka_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

func TestCreatePartitions(t *testing.T) {
	t.Parallel()

	for _, version := range []string{"", "1.0"} {
		t.Run("makes partitions that can be written to at once, of a broker "+version, func(t *testing.T) {
			t.Parallel()
			cluster := brokers(t, localkafka.Config{Version: version, Brokers: 3, Topics: map[string]int32{"t": 2}})
			c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
			must(t, c.CreatePartitions(deadline(t), "t", 7))
			for p := range int32(7) {
				if _, err := c.ProduceBatches(deadline(t), "t", p, "", builds(t, 1)); err != nil {
					t.Error(err)
				}
			}
			if topic, err := c.Topic(deadline(t), "t"); err != nil || len(topic.Partitions) != 7 {
				t.Errorf("got %+v, error %v, want 7 partitions", topic, err)
			}
		})
	}

	t.Run("does nothing where there are as many", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Version: "0.11.0", Topics: map[string]int32{"t": 2}})
		must(t, connect(t, kafka.Config{Brokers: cluster.Brokers()}).CreatePartitions(deadline(t), "t", 2))
	})

	t.Run("says that a topic cannot shrink", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Topics: map[string]int32{"t": 3}})
		err := connect(t, kafka.Config{Brokers: cluster.Brokers()}).CreatePartitions(deadline(t), "t", 2)
		if err == nil || kafka.Retriable(err) || !strings.Contains(err.Error(), "give topic t 2 partitions: it has 3, and a topic cannot shrink") {
			t.Errorf("error %v", err)
		}
	})

	t.Run("needs a topic", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t)
		if err := c.CreatePartitions(deadline(t), "t", 2); !errors.Is(err, kafka.ErrUnknownTopic) {
			t.Errorf("error %v, want ErrUnknownTopic", err)
		}
	})

	t.Run("cannot be asked of brokers before 1.0", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Version: "0.11.0", Topics: map[string]int32{"t": 2}})
		err := connect(t, kafka.Config{Brokers: cluster.Brokers()}).CreatePartitions(deadline(t), "t", 3)
		if !errors.Is(err, kafka.ErrUnsupported) {
			t.Errorf("error %v, want ErrUnsupported", err)
		}
	})

	t.Run("is repeated where the broker is not the controller any more", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		refuse(fake, createPartitions("t", 41, ""))
		must(t, c.CreatePartitions(deadline(t), "t", 2))
	})

	t.Run("goes on where a busy broker ran out of time after it had begun", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Topics: map[string]int32{"t": 1}})
		c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
		begun := make(chan struct{})
		refuse(cluster.Fake(), func(request *kmsg.CreatePartitionsRequest) kmsg.Response {
			close(begun)
			return createPartitions("t", 7, "")(request)
		})
		done := make(chan error)
		go func() { done <- c.CreatePartitions(deadline(t), "t", 2) }()
		<-begun
		addPartitions(t, cluster.Brokers(), "t", 2)
		must(t, <-done)
	})

	t.Run("says so where the broker ran out of time and there are none", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		refuse(fake, createPartitions("t", 7, ""))
		err := c.CreatePartitions(deadline(t), "t", 2)
		if err == nil || !strings.HasPrefix(err.Error(), "await the leaders of new partitions of topic t: ") || !strings.Contains(err.Error(), "(broker error 7)") {
			t.Errorf("error %v, want what the broker said", err)
		}
	})

	t.Run("gives the words of a broker that refuses", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		refuse(fake, createPartitions("t", 60, "the topic is being reassigned"))
		err := c.CreatePartitions(deadline(t), "t", 2)
		if err == nil || !strings.HasPrefix(err.Error(), "give topic t 2 partitions: ") || !strings.HasSuffix(err.Error(), "the topic is being reassigned") {
			t.Errorf("error %v", err)
		}
	})

	t.Run("does not take an answer about another topic for its own", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		refuse(fake, createPartitions("u", 0, ""))
		if err := c.CreatePartitions(deadline(t), "t", 2); err == nil || !strings.Contains(err.Error(), "not about the topic") {
			t.Errorf("error %v", err)
		}
	})
}

// createPartitions answers for a topic.
func createPartitions(topic string, code int16, words string) func(*kmsg.CreatePartitionsRequest) kmsg.Response {
	return func(request *kmsg.CreatePartitionsRequest) kmsg.Response {
		response := request.ResponseKind().(*kmsg.CreatePartitionsResponse)
		answer := kmsg.NewCreatePartitionsResponseTopic()
		answer.Topic, answer.ErrorCode, answer.ErrorMessage = topic, code, kmsg.StringPtr(words)
		response.Topics = append(response.Topics, answer)
		return response
	}
}
