package kafkatest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/integration/kafkatest"
)

func TestNodes(t *testing.T) {
	t.Parallel()
	kafkatest.Require(t)

	t.Run("records outlive a node that is killed, and it comes back", func(t *testing.T) {
		t.Parallel()
		nodes := clusters.NewNodes(t, 3, kafkatest.Config{Heap: "-Xms128m -Xmx384m"})
		all := &kafkatest.Cluster{Brokers: nodes.Brokers}
		topic := createTopic(t, all)
		produce(t, all, topic, "before")
		leader := leaderOf(t, all, topic)
		if err := nodes.Node(leader).Kill(t.Context()); err != nil {
			t.Fatal(err)
		}
		produce(t, all, topic, "without it")
		if now := leaderOf(t, all, topic); now == leader {
			t.Errorf("node %d was killed and leads", leader)
		}
		if err := nodes.Node(leader).Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		produce(t, all, topic, "after")
		if diff := cmp.Diff([]string{"before", "without it", "after"}, consume(t, all, topic, 3)); diff != "" {
			t.Errorf("records (-want +got):\n%s", diff)
		}
	})
}

func leaderOf(t *testing.T, cluster *kafkatest.Cluster, topic string) int32 {
	t.Helper()
	request := kmsg.NewPtrMetadataRequest()
	one := kmsg.NewMetadataRequestTopic()
	one.Topic = kmsg.StringPtr(topic)
	request.Topics = append(request.Topics, one)
	response, err := request.RequestWith(t.Context(), connect(t, cluster))
	if err != nil {
		t.Fatal(err)
	}
	return response.Topics[0].Partitions[0].Leader
}
