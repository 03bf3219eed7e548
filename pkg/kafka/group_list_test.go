package kafka_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

func TestGroups(t *testing.T) {
	t.Parallel()

	for _, version := range []string{"", "2.4", "2.3", "0.11.0", "0.10.2"} {
		t.Run("are those of all brokers of release "+version+", by ID", func(t *testing.T) {
			t.Parallel()
			cluster := brokers(t, localkafka.Config{Version: version, Brokers: 3, Topics: map[string]int32{"t": 1}})
			c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
			asked := map[int32]bool{}
			cluster.Fake().ControlKey(int16(kmsg.ListGroups), func(kmsg.Request) (kmsg.Response, error, bool) {
				cluster.Fake().KeepControl()
				asked[cluster.Fake().CurrentNode()] = true
				return nil, nil, false
			})
			want := []kafka.GroupListing{}
			for i := range 8 { // more than there are brokers, so that they coordinate some each
				group := kafka.GroupListing{ID: fmt.Sprint("g", i)}
				must(t, c.Commit(deadline(t), group.ID, "t", committed(1)))
				want = append(want, group)
			}
			generation := next(t, join(t, c, kafka.GroupConfig{ID: "joined", Topics: []string{"t"}}))
			defer generation.Release()
			want = append(want, kafka.GroupListing{ID: "joined", ProtocolType: "consumer"})

			got, err := c.Groups(deadline(t))
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("error %v, groups (-want +got):\n%s", err, diff)
			}
			if len(asked) != 3 {
				t.Errorf("%d brokers were asked, want 3", len(asked))
			}
		})
	}

	t.Run("are none of a cluster that has none", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t)
		if got, err := c.Groups(deadline(t)); len(got) != 0 || err != nil {
			t.Errorf("groups %v, error %v", got, err)
		}
	})

	t.Run("that two brokers list are there once", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Brokers: 2})
		c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
		refuse(cluster.Fake(), listGroups(0, "g"), listGroups(0, "g"))
		got, err := c.Groups(deadline(t))
		if diff := cmp.Diff([]kafka.GroupListing{{ID: "g", ProtocolType: "consumer"}}, got); diff != "" || err != nil {
			t.Errorf("error %v, groups (-want +got):\n%s", err, diff)
		}
	})

	t.Run("are waited for while a coordinator loads them", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		must(t, c.Commit(deadline(t), "g", "t", committed(1)))
		loading := listGroups(kerr.CoordinatorLoadInProgress.Code)
		refuse(fake, loading, loading)
		if got, err := c.Groups(deadline(t)); len(got) != 1 || err != nil {
			t.Errorf("groups %v, error %v, want g", got, err)
		}
	})

	t.Run("are an error that names the broker which cannot be reached", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Brokers: 3})
		c := connect(t, kafka.Config{Brokers: cluster.Brokers(), RequestTimeout: 300 * time.Millisecond})
		cluster.Fake().ControlKey(int16(kmsg.ListGroups), func(kmsg.Request) (kmsg.Response, error, bool) {
			cluster.Fake().KeepControl()
			if cluster.Fake().CurrentNode() == 2 {
				return nil, errors.New("cut"), true
			}
			return nil, nil, false
		})
		got, err := c.Groups(deadline(t))
		if got != nil || err == nil || !strings.Contains(err.Error(), "list groups: broker 2 at "+cluster.Brokers()[2]) {
			t.Errorf("groups %v, error %v", got, err)
		}
	})

	t.Run("are not listed while one of their coordinators is missing, or moves", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t)
		leaders := []int32{-1, 0, 1, 1, 1} // the first list is not asked for, the second is of a moment of change
		fake.ControlKey(int16(kmsg.Metadata), func(r kmsg.Request) (kmsg.Response, error, bool) {
			fake.KeepControl()
			request := r.(*kmsg.MetadataRequest)
			if len(request.Topics) != 1 || len(leaders) == 0 {
				return nil, nil, false
			}
			leader := leaders[0]
			leaders = leaders[1:]
			return offsetsTopicLedBy(request, fake, leader), nil, true
		})
		lists := count(fake, kmsg.ListGroups)
		if got, err := c.Groups(deadline(t)); len(got) != 0 || err != nil {
			t.Errorf("groups %v, error %v", got, err)
		}
		if n := lists.Load(); n != 2 || len(leaders) != 0 {
			t.Errorf("listed %d times, want twice; %d answers were not needed", n, len(leaders))
		}
	})

	t.Run("that the user may not list are ErrAuthorization", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t)
		refuse(fake, listGroups(kerr.ClusterAuthorizationFailed.Code))
		if _, err := c.Groups(deadline(t)); !errors.Is(err, kafka.ErrAuthorization) {
			t.Errorf("error %v, want ErrAuthorization", err)
		}
	})
}

// listGroups answers with an error, or with groups of consumers.
func listGroups(code int16, ids ...string) func(*kmsg.ListGroupsRequest) kmsg.Response {
	return func(request *kmsg.ListGroupsRequest) kmsg.Response {
		response := request.ResponseKind().(*kmsg.ListGroupsResponse)
		response.ErrorCode = code
		for _, id := range ids {
			response.Groups = append(response.Groups, kmsg.ListGroupsResponseGroup{Group: id, ProtocolType: "consumer", GroupState: "Stable"})
		}
		return response
	}
}

// offsetsTopicLedBy answers for __consumer_offsets, which kfake does not have.
func offsetsTopicLedBy(request *kmsg.MetadataRequest, fake *kfake.Cluster, leader int32) kmsg.Response {
	response := request.ResponseKind().(*kmsg.MetadataResponse)
	var port int32
	fmt.Sscanf(fake.ListenAddrs()[0], "127.0.0.1:%d", &port)
	response.Brokers = []kmsg.MetadataResponseBroker{{NodeID: 0, Host: "127.0.0.1", Port: port}}
	partition := kmsg.NewMetadataResponseTopicPartition()
	partition.Leader = leader
	topic := kmsg.NewMetadataResponseTopic()
	topic.Topic, topic.Partitions = kmsg.StringPtr("__consumer_offsets"), []kmsg.MetadataResponseTopicPartition{partition}
	response.Topics = []kmsg.MetadataResponseTopic{topic}
	return response
}
