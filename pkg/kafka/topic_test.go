package kafka_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

func TestTopic(t *testing.T) {
	t.Parallel()
	// why old releases: they are asked for topics in another version of Metadata
	for _, version := range []string{"", "2.3", "1.1", "0.10.2"} {
		t.Run("of a broker "+version, func(t *testing.T) {
			t.Parallel()
			cluster := brokers(t, localkafka.Config{Version: version, Topics: map[string]int32{"a": 3, "b": 1}})
			c := connect(t, kafka.Config{Brokers: cluster.Brokers()})

			t.Run("is described with its partitions in order", func(t *testing.T) {
				got, err := c.Topic(deadline(t), "a")
				if err != nil {
					t.Fatal(err)
				}
				if (got.ID.String() != "") != (version == "") {
					t.Errorf("topic id %q", got.ID)
				}
				epoch := int32(-1)
				if version == "" || version == "2.3" {
					epoch = got.Partitions[0].LeaderEpoch
					if epoch < 0 {
						t.Error("no leader epoch")
					}
				}
				want := kafka.Topic{Name: "a", ID: got.ID, Partitions: []kafka.Partition{
					{ID: 0, LeaderEpoch: epoch, Replicas: 1}, {ID: 1, LeaderEpoch: epoch, Replicas: 1}, {ID: 2, LeaderEpoch: epoch, Replicas: 1},
				}}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("topic (-want +got):\n%s", diff)
				}
			})

			t.Run("is unknown at once where there is none of the name", func(t *testing.T) {
				_, err := c.Topic(deadline(t), "missing")
				if !errors.Is(err, kafka.ErrUnknownTopic) || !kafka.Retriable(err) || strings.Count(err.Error(), "missing") != 1 {
					t.Errorf("error %v, want ErrUnknownTopic, retriable, with the name once", err)
				}
			})

			t.Run("is one of the list of all", func(t *testing.T) {
				topics, err := c.Topics(deadline(t))
				if err != nil {
					t.Fatal(err)
				}
				var names []string
				for _, topic := range topics {
					names = append(names, topic.Name)
				}
				if diff := cmp.Diff([]string{"a", "b"}, names); diff != "" {
					t.Errorf("names (-want +got):\n%s", diff)
				}
			})
		})
	}

	t.Run("has another id when it is created again", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t)
		spec := kafka.TopicSpec{Name: "t", Partitions: 1}
		var ids []string
		for range 2 {
			if err := c.CreateTopic(deadline(t), spec); err != nil {
				t.Fatal(err)
			}
			topic, err := c.Topic(deadline(t), "t")
			if err != nil {
				t.Fatal(err)
			}
			if ids = append(ids, topic.ID.String()); len(topic.ID.String()) != 32 {
				t.Errorf("id %q, want 32 digits", topic.ID)
			}
			if err := c.DeleteTopic(deadline(t), "t"); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Topic(deadline(t), "t"); !errors.Is(err, kafka.ErrUnknownTopic) {
				t.Errorf("error %v after deletion, want ErrUnknownTopic", err)
			}
		}
		if ids[0] == ids[1] {
			t.Errorf("both topics have the id %s", ids[0])
		}
	})

	t.Run("is asked for again while its answer is one of a moment", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		notYet := func(request *kmsg.MetadataRequest) kmsg.Response { return metadataError(request, 5) } // LEADER_NOT_AVAILABLE
		onlyOurs(fake, notYet, notYet)
		if _, err := c.Topic(deadline(t), "t"); err != nil {
			t.Error(err)
		}
	})

	t.Run("that is deleted while all are listed is left out", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		fake.ControlKey(int16(kmsg.Metadata), func(r kmsg.Request) (kmsg.Response, error, bool) {
			if r.GetVersion() != 10 { // kafka-go's own
				return nil, nil, false
			}
			response := r.ResponseKind().(*kmsg.MetadataResponse)
			response.Topics = []kmsg.MetadataResponseTopic{{Topic: kmsg.StringPtr("gone"), ErrorCode: 3}, {Topic: kmsg.StringPtr("t")}}
			return response, nil, true
		})
		topics, err := c.Topics(deadline(t))
		if len(topics) != 1 || topics[0].Name != "t" || err != nil {
			t.Errorf("topics %v, error %v, want t", topics, err)
		}
	})

	t.Run("that the user may not see is an error that says what is missing", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		onlyOurs(fake, func(request *kmsg.MetadataRequest) kmsg.Response { return metadataError(request, 29) })
		_, err := c.Topic(deadline(t), "t")
		if !errors.Is(err, kafka.ErrAuthorization) || !strings.HasPrefix(err.Error(), "describe topic t: not authorized (broker error 29): the user needs an ACL on the topic") {
			t.Errorf("error %v, want ErrAuthorization with advice", err)
		}
	})
}

func TestCreateTopic(t *testing.T) {
	t.Parallel()

	t.Run("makes a topic that can be written to at once", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Brokers: 3})
		c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
		if err := c.CreateTopic(deadline(t), kafka.TopicSpec{Name: "t", Partitions: 7}); err != nil {
			t.Fatal(err)
		}
		for p := range int32(7) {
			if _, err := c.ProduceBatches(deadline(t), "t", p, "", builds(t, 1)); err != nil {
				t.Error(err)
			}
		}
	})

	t.Run("says that there is one of the name", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t, "t")
		err := c.CreateTopic(deadline(t), kafka.TopicSpec{Name: "t", Partitions: 9})
		if !errors.Is(err, kafka.ErrTopicExists) || kafka.Retriable(err) {
			t.Errorf("error %v, want ErrTopicExists", err)
		}
	})

	// kfake looks at nothing else; integration/ has what a real broker refuses
	for name, spec := range map[string]kafka.TopicSpec{
		"no partitions":              {Name: "t"},
		"more replicas than brokers": {Name: "t", Partitions: 1, Replication: 3},
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			t.Parallel()
			c, _ := single(t)
			err := c.CreateTopic(deadline(t), spec)
			if err == nil || kafka.Retriable(err) || !strings.Contains(err.Error(), "create topic "+spec.Name) {
				t.Errorf("error %v, want one that names the topic, not retriable", err)
			}
		})
	}

	t.Run("is repeated where the broker is not the controller any more", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t)
		refuse(fake, func(request *kmsg.CreateTopicsRequest) kmsg.Response {
			response := request.ResponseKind().(*kmsg.CreateTopicsResponse)
			response.Topics = []kmsg.CreateTopicsResponseTopic{{Topic: "t", ErrorCode: 41}}
			return response
		})
		if err := c.CreateTopic(deadline(t), kafka.TopicSpec{Name: "t", Partitions: 1}); err != nil {
			t.Error(err)
		}
	})

	t.Run("goes on where a busy broker ran out of time after it had begun", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t") // which the broker has made meanwhile
		refuse(fake, func(request *kmsg.CreateTopicsRequest) kmsg.Response {
			response := request.ResponseKind().(*kmsg.CreateTopicsResponse)
			response.Topics = []kmsg.CreateTopicsResponseTopic{{Topic: "t", ErrorCode: 7}}
			return response
		})
		if err := c.CreateTopic(deadline(t), kafka.TopicSpec{Name: "t", Partitions: 1}); err != nil {
			t.Error(err)
		}
	})

	t.Run("says so where the broker ran out of time and there is no topic", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t)
		refuse(fake, func(request *kmsg.CreateTopicsRequest) kmsg.Response {
			response := request.ResponseKind().(*kmsg.CreateTopicsResponse)
			response.Topics = []kmsg.CreateTopicsResponseTopic{{Topic: "t", ErrorCode: 7}}
			return response
		})
		err := c.CreateTopic(deadline(t), kafka.TopicSpec{Name: "t", Partitions: 1})
		if err == nil || !strings.Contains(err.Error(), "(broker error 7)") {
			t.Errorf("error %v, want what the broker said", err)
		}
	})

	t.Run("gives the broker half of the request time-out to make it", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{})
		c := connect(t, kafka.Config{Brokers: cluster.Brokers(), RequestTimeout: time.Minute})
		var millis atomic.Int32
		observe(cluster.Fake(), func(request *kmsg.CreateTopicsRequest) { millis.Store(request.TimeoutMillis) })
		if err := c.CreateTopic(deadline(t), kafka.TopicSpec{Name: "t", Partitions: 1}); err != nil {
			t.Fatal(err)
		}
		if got := millis.Load(); got < 10_000 || got > 30_000 {
			t.Errorf("the broker has %d ms, want about 30,000", got)
		}
	})

	t.Run("asks a broker before 2.4 for its default of replicas", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Version: "2.3", Brokers: 3, BrokerConfigs: map[string]string{"default.replication.factor": "2"}})
		c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
		var replication atomic.Int32
		observe(cluster.Fake(), func(request *kmsg.CreateTopicsRequest) { replication.Store(int32(request.Topics[0].ReplicationFactor)) })
		if err := c.CreateTopic(deadline(t), kafka.TopicSpec{Name: "t", Partitions: 1}); err != nil {
			t.Fatal(err)
		}
		if n := replication.Load(); n != 2 {
			t.Errorf("%d replicas were asked for, want 2", n)
		}
	})
}

func TestDeleteTopic(t *testing.T) {
	t.Parallel()
	c, _ := single(t)
	t.Run("says at once that there is none", func(t *testing.T) {
		t.Parallel()
		if err := c.DeleteTopic(deadline(t), "missing"); !errors.Is(err, kafka.ErrUnknownTopic) || !strings.Contains(err.Error(), "delete topic missing") {
			t.Errorf("error %v, want ErrUnknownTopic", err)
		}
	})
}

func TestTopicSettings(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"", "2.3", "1.0"} {
		t.Run("of a broker "+version+" tells the topic's own from the broker's", func(t *testing.T) {
			t.Parallel()
			cluster := brokers(t, localkafka.Config{Version: version})
			c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
			want := map[string]string{"cleanup.policy": "compact", "max.message.bytes": "2000000"}
			if err := c.CreateTopic(deadline(t), kafka.TopicSpec{Name: "t", Partitions: 1, Replication: 1, Settings: want}); err != nil {
				t.Fatal(err)
			}
			all, own, err := c.TopicSettings(deadline(t), "t")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, own); diff != "" {
				t.Errorf("own settings (-want +got):\n%s", diff)
			}
			if all["cleanup.policy"] != "compact" || all["retention.ms"] == "" {
				t.Errorf("all settings are %v", all)
			}
			if n, err := c.MaxMessageBytes(deadline(t), "t"); n != 2_000_000 || err != nil {
				t.Errorf("largest batch %d, error %v, want 2000000", n, err)
			}
		})
	}

	t.Run("are unknown of an unknown topic", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t)
		if _, _, err := c.TopicSettings(deadline(t), "missing"); !errors.Is(err, kafka.ErrUnknownTopic) {
			t.Errorf("error %v, want ErrUnknownTopic", err)
		}
		if _, err := c.MaxMessageBytes(deadline(t), "missing"); !errors.Is(err, kafka.ErrUnknownTopic) {
			t.Errorf("error %v, want ErrUnknownTopic", err)
		}
	})

	t.Run("cannot be asked of a broker before 0.11", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Version: "0.10.2", Topics: map[string]int32{"t": 1}})
		c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
		if _, _, err := c.TopicSettings(deadline(t), "t"); !errors.Is(err, kafka.ErrUnsupported) || kafka.Retriable(err) {
			t.Errorf("error %v, want ErrUnsupported", err)
		}
	})
}
