package kafka_test

import (
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

func TestCluster(t *testing.T) {
	t.Parallel()
	t.Run("brokers have the addresses that clients are told, topics their replicas and rights", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Brokers: 2, Topics: map[string]int32{"t": 3}})
		got, err := connect(t, kafka.Config{Brokers: cluster.Brokers()}).Cluster(deadline(t), "t", "none")
		must(t, err)
		if len(got.Brokers) != 2 || got.Brokers[0].Address != cluster.Brokers()[0] || got.Controller < 0 {
			t.Errorf("got %+v", got)
		}
		if len(got.Topics) != 2 {
			t.Fatalf("got %+v", got.Topics)
		}
		for _, topic := range got.Topics {
			switch {
			case topic.Name == "none":
				if !errors.Is(topic.Err, kafka.ErrUnknownTopic) {
					t.Errorf("error of a missing topic is %v", topic.Err)
				}
			case len(topic.Partitions) != 3 || topic.Partitions[2].ID != 2 || topic.Partitions[0].InSync < 1:
				t.Errorf("got %+v", topic)
			case !topic.Operations.Known() || !topic.Operations.Allow(kafka.OperationRead):
				t.Errorf("rights are %+v", topic.Operations)
			}
		}
	})
	t.Run("no topic is described where none is named", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t, "t")
		got, err := c.Cluster(deadline(t))
		if err != nil || len(got.Topics) != 0 {
			t.Errorf("got %+v, error %v", got, err)
		}
	})
	t.Run("brokers before 2.3 do not tell rights", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Version: "2.2", Topics: map[string]int32{"t": 1}})
		c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
		got, err := c.Cluster(deadline(t), "t")
		must(t, err)
		group, err := c.GroupOperations(deadline(t), "g")
		must(t, err)
		if got.Operations.Known() || got.Topics[0].Operations.Known() || group.Known() || group.Allow(kafka.OperationRead) {
			t.Errorf("got %+v and %+v", got, group)
		}
	})
}

func TestAskingForRights(t *testing.T) {
	t.Parallel()
	t.Run("a group that does not exist has rights", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t)
		got, err := c.GroupOperations(deadline(t), "nobody")
		if err != nil || !got.Known() || !got.Allow(kafka.OperationRead) {
			t.Errorf("got %+v, error %v", got, err)
		}
	})
	t.Run("a group that the user may not see is ErrAuthorization", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t)
		fake.ControlKey(int16(kmsg.DescribeGroups), func(r kmsg.Request) (kmsg.Response, error, bool) {
			fake.KeepControl()
			answer := r.ResponseKind().(*kmsg.DescribeGroupsResponse)
			group := kmsg.NewDescribeGroupsResponseGroup()
			group.Group, group.ErrorCode = "g", kerr.GroupAuthorizationFailed.Code
			answer.Groups = append(answer.Groups, group)
			return answer, nil, true
		})
		if _, err := c.GroupOperations(deadline(t), "g"); !errors.Is(err, kafka.ErrAuthorization) {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("a topic that could be created is not created by asking", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t, "there")
		spec := kafka.TopicSpec{Name: "new", Partitions: 2, Settings: map[string]string{"retention.ms": "1000"}}
		begun := time.Now()
		must(t, c.CheckCreate(deadline(t), spec))
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("it took %v: nobody waits for a topic that is not created", took)
		}
		if _, err := c.Topic(deadline(t), "new"); !errors.Is(err, kafka.ErrUnknownTopic) {
			t.Errorf("error is %v", err)
		}
		if err := c.CheckCreate(deadline(t), kafka.TopicSpec{Name: "there", Partitions: 1}); !errors.Is(err, kafka.ErrTopicExists) {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("broker settings can be read", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t)
		got, err := c.BrokerSettings(deadline(t), 0)
		if err != nil || got["transaction.max.timeout.ms"] == "" {
			t.Errorf("got %v, error %v", got, err)
		}
	})
}

func TestQuotas(t *testing.T) {
	t.Parallel()
	c, fake := single(t)
	setQuota(t, fake, "user", "alice", "consumer_byte_rate", 1000)
	setQuota(t, fake, "user", "bob", "consumer_byte_rate", 1)
	t.Run("are those of the user, and of nobody else", func(t *testing.T) {
		t.Parallel()
		got, err := c.Quotas(deadline(t), "alice")
		must(t, err)
		if want := (kafka.Quota{User: "alice", Key: "consumer_byte_rate", Value: 1000}); len(got) != 1 || got[0] != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
	t.Run("cannot be asked of brokers before 2.6", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Version: "2.5"})
		_, err := connect(t, kafka.Config{Brokers: cluster.Brokers()}).Quotas(deadline(t), "alice")
		if !errors.Is(err, kafka.ErrUnsupported) {
			t.Errorf("error is %v", err)
		}
	})
}

func setQuota(t *testing.T, fake *kfake.Cluster, kind, name, key string, value float64) {
	t.Helper()
	request := kmsg.NewPtrAlterClientQuotasRequest()
	entry := kmsg.NewAlterClientQuotasRequestEntry()
	entity := kmsg.NewAlterClientQuotasRequestEntryEntity()
	entity.Type, entity.Name = kind, kmsg.StringPtr(name)
	op := kmsg.NewAlterClientQuotasRequestEntryOp()
	op.Key, op.Value = key, value
	entry.Entity = append(entry.Entity, entity)
	entry.Ops = append(entry.Ops, op)
	request.Entries = append(request.Entries, entry)
	client, err := kgo.NewClient(kgo.SeedBrokers(fake.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	_, err = request.RequestWith(t.Context(), client)
	must(t, err)
}
