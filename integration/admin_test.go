package integration

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// connect gives a second client, for what an administrator does.
func (w *world) connect(t testing.TB, cluster kafka.Config, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	// a broker that is killed during a connection's first answer is no wrong setting
	client, err := kgo.NewClient(append(options, kgo.SeedBrokers(cluster.Brokers...), kgo.AlwaysRetryEOF())...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// addPartitions raises the number of a topic's partitions.
func (w *world) addPartitions(t *testing.T, cluster kafka.Config, count int32) {
	t.Helper()
	request := kmsg.NewPtrCreatePartitionsRequest()
	topic := kmsg.NewCreatePartitionsRequestTopic()
	topic.Topic, topic.Count = w.topic, count
	request.Topics = append(request.Topics, topic)
	response, err := request.RequestWith(w.ctx, w.connect(t, cluster))
	if err == nil {
		err = kerr.ErrorForCode(response.Topics[0].ErrorCode)
	}
	if err != nil {
		t.Fatalf("add partitions to %s: %v", w.topic, err)
	}
}

// set changes a setting of the topic.
func (w *world) set(t *testing.T, cluster kafka.Config, name, value string) {
	t.Helper()
	request := kmsg.NewPtrIncrementalAlterConfigsRequest()
	resource := kmsg.NewIncrementalAlterConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, w.topic
	config := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	config.Name, config.Value = name, &value
	resource.Configs = append(resource.Configs, config)
	request.Resources = append(request.Resources, resource)
	response, err := request.RequestWith(w.ctx, w.connect(t, cluster))
	if err == nil {
		err = kerr.ErrorForCode(response.Resources[0].ErrorCode)
	}
	if err != nil {
		t.Fatalf("set %s of %s: %v", name, w.topic, err)
	}
}
