package kafka_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

func TestAlterTopicSettings(t *testing.T) {
	t.Parallel()

	for _, version := range []string{"", "2.3"} {
		t.Run("sets and removes what is named, and leaves the rest, of a broker "+version, func(t *testing.T) {
			t.Parallel()
			cluster := brokers(t, localkafka.Config{Version: version})
			c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
			must(t, c.CreateTopic(deadline(t), kafka.TopicSpec{Name: "t", Partitions: 1, Replication: 1, Settings: map[string]string{
				"retention.ms": "1000", "cleanup.policy": "compact", "max.message.bytes": "2000000",
			}}))
			must(t, c.AlterTopicSettings(deadline(t), "t",
				map[string]string{"cleanup.policy": "delete", "segment.bytes": "1048576"}, []string{"retention.ms", "min.insync.replicas"}))
			_, own, err := c.TopicSettings(deadline(t), "t")
			want := map[string]string{"cleanup.policy": "delete", "segment.bytes": "1048576", "max.message.bytes": "2000000"}
			if diff := cmp.Diff(want, own); diff != "" || err != nil {
				t.Errorf("error %v, settings (-want +got):\n%s", err, diff)
			}
		})
	}

	t.Run("sends an empty value as one, in one request", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		requests := make(chan *kmsg.IncrementalAlterConfigsRequest, 9)
		observe(fake, func(request *kmsg.IncrementalAlterConfigsRequest) { requests <- request })
		must(t, c.AlterTopicSettings(deadline(t), "t", map[string]string{"leader.replication.throttled.replicas": ""}, []string{"retention.ms"}))
		if n := len(requests); n != 1 {
			t.Fatalf("%d requests, want one", n)
		}
		configs := (<-requests).Resources[0].Configs
		if value := configs[0].Value; value == nil || *value != "" {
			t.Errorf("value %v, want an empty one", value)
		}
		if value := configs[1].Value; value != nil {
			t.Errorf("value %v of what is removed, want none", value)
		}
	})

	t.Run("of nothing needs no broker", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t)
		must(t, c.AlterTopicSettings(deadline(t), "t", nil, nil))
	})

	t.Run("needs a topic", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t)
		err := c.AlterTopicSettings(deadline(t), "t", map[string]string{"retention.ms": "1"}, nil)
		if !errors.Is(err, kafka.ErrUnknownTopic) || !strings.HasPrefix(err.Error(), "change settings of topic t: ") {
			t.Errorf("error %v, want ErrUnknownTopic", err)
		}
	})

	t.Run("cannot be asked of brokers before 2.3", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Version: "2.2", Topics: map[string]int32{"t": 1}})
		err := connect(t, kafka.Config{Brokers: cluster.Brokers()}).AlterTopicSettings(deadline(t), "t", nil, []string{"retention.ms"})
		if !errors.Is(err, kafka.ErrUnsupported) {
			t.Errorf("error %v, want ErrUnsupported", err)
		}
	})

	t.Run("is repeated where the broker asks for it, and gives the words of one that refuses", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		refuse(fake, altered("t", 41, ""), altered("t", 40, "Invalid value x for configuration retention.ms"))
		err := c.AlterTopicSettings(deadline(t), "t", map[string]string{"retention.ms": "x"}, nil)
		if err == nil || kafka.Retriable(err) || !strings.HasSuffix(err.Error(), "Invalid value x for configuration retention.ms") {
			t.Errorf("error %v", err)
		}
	})

	t.Run("does not take an answer about another topic for its own", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		refuse(fake, altered("u", 0, ""))
		if err := c.AlterTopicSettings(deadline(t), "t", nil, []string{"retention.ms"}); err == nil {
			t.Error("no error")
		}
	})
}

// altered answers for a topic.
func altered(topic string, code int16, words string) func(*kmsg.IncrementalAlterConfigsRequest) kmsg.Response {
	return func(request *kmsg.IncrementalAlterConfigsRequest) kmsg.Response {
		response := request.ResponseKind().(*kmsg.IncrementalAlterConfigsResponse)
		answer := kmsg.NewIncrementalAlterConfigsResponseResource()
		answer.ResourceType, answer.ResourceName, answer.ErrorCode, answer.ErrorMessage = kmsg.ConfigResourceTypeTopic, topic, code, kmsg.StringPtr(words)
		response.Resources = append(response.Resources, answer)
		return response
	}
}
