package integration

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/scf-etl/scf-etl/integration/kafkatest"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// administered is a real cluster that everybody may administer, and that has
// ACLs.
func administered(t *testing.T) *world {
	cluster := containers.New(t, kafkatest.Config{Settings: map[string]string{
		"authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
		"super.users":           "User:ANONYMOUS",
	}})
	config := kafka.Config{Brokers: cluster.Brokers}
	return newWorld(t, config, config)
}

// TestAdministration makes the calls that change a cluster, and those about
// groups, where kfake is not as a real broker is.
func TestAdministration(t *testing.T) {
	t.Parallel()
	w := administered(t)
	c := w.target
	must(t, c.CreateTopic(w.ctx, kafka.TopicSpec{Name: w.topic, Partitions: 2, Settings: map[string]string{"retention.ms": "100000"}}))

	t.Run("partitions are added and can be written to at once", func(t *testing.T) {
		must(t, c.CreatePartitions(w.ctx, w.topic, 5))
		for p := range int32(5) {
			_, err := c.Produce(w.ctx, w.topic, p, batch.Record{Value: []byte("v")})
			must(t, err)
		}
		if err := c.CreatePartitions(w.ctx, w.topic, 3); err == nil || !strings.Contains(err.Error(), "cannot shrink") {
			t.Errorf("error %v", err)
		}
	})

	t.Run("settings are set, to an empty value too, and removed", func(t *testing.T) {
		set := map[string]string{"segment.bytes": "2097152", "leader.replication.throttled.replicas": ""}
		must(t, c.AlterTopicSettings(w.ctx, w.topic, set, []string{"retention.ms", "retention.bytes"}))
		_, own, err := c.TopicSettings(w.ctx, w.topic)
		if diff := cmp.Diff(set, own); diff != "" || err != nil {
			t.Errorf("error %v, settings (-want +got):\n%s", err, diff)
		}
		err = c.AlterTopicSettings(w.ctx, w.topic, map[string]string{"retention.ms": "soon"}, nil)
		if err == nil || kafka.Retriable(err) || !strings.Contains(err.Error(), "retention.ms") {
			t.Errorf("error %v, want the broker's words", err)
		}
	})

	t.Run("stable offsets end before an open transaction", func(t *testing.T) {
		p, err := c.Transactional(w.ctx, w.topic, time.Minute)
		must(t, err)
		b, err := batch.Build(batch.Options{}, []batch.Record{{Value: []byte("v")}})
		must(t, err)
		offsets, err := p.Produce(w.ctx, w.topic, 0, []batch.Batch{b})
		if err != nil || !slices.Equal(offsets, []int64{1}) {
			t.Fatalf("offsets %v, error %v, want 1", offsets, err)
		}
		got, err := c.StableOffsets(w.ctx, w.topic, 0, 1)
		if diff := cmp.Diff(map[int32]int64{0: 1, 1: 1}, got); diff != "" || err != nil {
			t.Errorf("error %v, stable offsets (-want +got):\n%s", err, diff)
		}
		must(t, p.Abort(w.ctx))
		w.await(t, "the transaction's end", func() (bool, error) {
			got, err := c.StableOffsets(w.ctx, w.topic, 0)
			return got[0] == 3, err
		})
	})

	t.Run("ACLs are created once and found by the topic's name", func(t *testing.T) {
		want := []kafka.ACL{
			{Principal: "User:alice", Host: "*", Operation: kafka.OperationDescribe, Allow: true, ResourceName: "*"},
			{Principal: "User:alice", Host: "*", Operation: kafka.OperationAll, Allow: true, ResourceName: w.topic[:5], Prefixed: true},
			{Principal: "User:alice", Host: "10.0.0.7", Operation: kafka.OperationWrite, ResourceName: w.topic},
			{Principal: "User:bob", Host: "*", Operation: kafka.OperationAlterConfigs, Allow: true, ResourceName: w.topic},
		}
		other := kafka.ACL{Principal: "User:bob", Host: "*", Operation: kafka.OperationRead, Allow: true, ResourceName: "other"}
		for range 2 {
			must(t, c.CreateACLs(w.ctx, append(slices.Clone(want), other)))
		}
		w.await(t, "the ACLs", func() (bool, error) {
			got, err := c.TopicACLs(w.ctx, w.topic)
			return slices.Equal(want, got), err
		})
	})

	t.Run("everything that a group has committed is read, of any topic", func(t *testing.T) {
		must(t, c.CreateTopic(w.ctx, kafka.TopicSpec{Name: w.topic + "-2", Partitions: 1}))
		want := map[string]map[int32]kafka.Committed{
			w.topic:        {0: {Offset: 1, Metadata: "why"}, 4: {Offset: 0}},
			w.topic + "-2": {0: {Offset: 0}},
		}
		for topic, offsets := range want {
			must(t, c.Commit(w.ctx, "committed", topic, offsets))
		}
		got, err := c.CommittedAll(w.ctx, "committed")
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("error %v, committed (-want +got):\n%s", err, diff)
		}
		if got, err := c.CommittedAll(w.ctx, "nobody"); len(got) != 0 || err != nil {
			t.Errorf("committed %v, error %v of a group that there is not", got, err)
		}
	})

	groupsOfEveryProtocol(t, w)
}

// groupsOfEveryProtocol has members in groups of each kind that 4.2 has. But
// for the classic ones, DescribeGroups says of them that they are dead.
func groupsOfEveryProtocol(t *testing.T, w *world) {
	c, admin := w.target, w.connect(t, w.brokers[1]).SeedBrokers()[0]
	classic, err := c.Group(kafka.GroupConfig{ID: "classic", Topics: []string{w.topic}})
	must(t, err)
	defer classic.Close()
	generation, err := classic.Next(w.ctx)
	must(t, err)
	defer generation.Release()
	for _, request := range []kmsg.Request{consumerHeartbeat(w.topic), shareHeartbeat(w.topic), streamsHeartbeat(w.topic)} {
		w.await(t, "a member of a new group", func() (bool, error) { return heartbeat(w, admin, request) })
	}

	for group, protocol := range map[string]string{"classic": "consumer", "new": "consumer", "share": "share", "streams": "streams"} {
		t.Run("a group of the "+group+" protocol with a member is active", func(t *testing.T) {
			got, err := c.DescribeGroup(w.ctx, group)
			if err != nil || !got.Active() || got.ProtocolType != protocol {
				t.Errorf("got %+v, error %v", got, err)
			}
			request := kmsg.NewPtrDescribeGroupsRequest()
			request.Groups = []string{group}
			for version := int16(0); version <= 6; version++ {
				answer, err := request.RequestWith(w.ctx, w.connect(t, w.brokers[1], kgo.MaxVersions(describeGroupsIn(version))))
				must(t, err)
				if dead := answer.Groups[0].State == "Dead"; dead != (group != "classic") {
					t.Errorf("DescribeGroups %d says %q", version, answer.Groups[0].State)
				}
			}
		})
	}

	t.Run("members are told with what they read", func(t *testing.T) {
		for _, group := range []string{"classic", "new"} {
			w.await(t, "the member's partitions", func() (bool, error) {
				got, err := c.DescribeGroup(w.ctx, group)
				return err == nil && len(got.Members) == 1 && slices.Equal(got.Members[0].Assigned[w.topic], []int32{0, 1, 2, 3, 4}) &&
					got.Members[0].ClientID != "" && got.Members[0].Host != "", err
			})
		}
	})

	t.Run("all groups are listed, and those that were left are not active", func(t *testing.T) {
		generation.Release()
		must(t, classic.Close())
		leave := consumerHeartbeat(w.topic)
		leave.MemberEpoch = -1
		w.await(t, "leaving", func() (bool, error) { return heartbeat(w, admin, leave) })
		want := []kafka.GroupListing{
			{ID: "classic", ProtocolType: "consumer"}, {ID: "committed"}, {ID: "new", ProtocolType: "consumer"},
			{ID: "share", ProtocolType: "share"}, {ID: "streams", ProtocolType: "streams"},
		}
		got, err := c.Groups(w.ctx)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("error %v, groups (-want +got):\n%s", err, diff)
		}
		for _, group := range []string{"classic", "new", "committed", "nobody"} {
			w.await(t, group+" to be without members", func() (bool, error) {
				got, err := c.DescribeGroup(w.ctx, group)
				return err == nil && !got.Active(), err
			})
		}
	})
}

const memberID = "bWVtYmVyLW9mLXRlc3Q"

func consumerHeartbeat(topic string) *kmsg.ConsumerGroupHeartbeatRequest {
	request := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	request.Group, request.MemberID, request.RebalanceTimeoutMillis = "new", memberID, 60_000
	request.SubscribedTopicNames, request.Topics = []string{topic}, []kmsg.ConsumerGroupHeartbeatRequestTopic{}
	return request
}

func shareHeartbeat(topic string) *kmsg.ShareGroupHeartbeatRequest {
	request := kmsg.NewPtrShareGroupHeartbeatRequest()
	request.GroupID, request.MemberID, request.SubscribedTopicNames = "share", memberID, []string{topic}
	return request
}

func streamsHeartbeat(topic string) *kmsg.StreamsGroupHeartbeatRequest {
	request := kmsg.NewPtrStreamsGroupHeartbeatRequest()
	request.Group, request.MemberID, request.RebalanceTimeoutMillis, request.ProcessID = "streams", memberID, 60_000, kmsg.StringPtr("p")
	request.Topology = &kmsg.StreamsGroupHeartbeatRequestTopology{
		Subtopologies: []kmsg.StreamsGroupHeartbeatRequestTopologySubtopology{{SubtopologyID: "0", SourceTopics: []string{topic}}},
	}
	request.ActiveTasks, request.StandbyTasks, request.WarmupTasks = []kmsg.TaskIDs{}, []kmsg.TaskIDs{}, []kmsg.TaskIDs{}
	return request
}

// heartbeat says whether the broker has taken it. It is the only one, and so
// the coordinator: kgo cannot look for that of a streams group.
func heartbeat(w *world, admin *kgo.Broker, request kmsg.Request) (bool, error) {
	response, err := admin.Request(w.ctx, request)
	if err != nil {
		return false, err
	}
	var code int16
	switch answer := response.(type) {
	case *kmsg.ConsumerGroupHeartbeatResponse:
		code = answer.ErrorCode
	case *kmsg.ShareGroupHeartbeatResponse:
		code = answer.ErrorCode
	case *kmsg.StreamsGroupHeartbeatResponse:
		code = answer.ErrorCode
	}
	return code == 0, kerr.ErrorForCode(code)
}

// TestWithoutAuthorizer asks a real cluster that has none for its ACLs.
func TestWithoutAuthorizer(t *testing.T) {
	t.Parallel()
	w := real(t)
	if _, err := w.target.TopicACLs(w.ctx, w.topic); !errors.Is(err, kafka.ErrNoAuthorizer) {
		t.Errorf("error %v, want ErrNoAuthorizer", err)
	}
	err := w.target.CreateACLs(w.ctx, []kafka.ACL{{Principal: "User:alice", Host: "*", Operation: kafka.OperationRead, ResourceName: w.topic}})
	if !errors.Is(err, kafka.ErrNoAuthorizer) {
		t.Errorf("error %v, want ErrNoAuthorizer", err)
	}
}

// describeGroupsIn has a client speak one version of DescribeGroups.
func describeGroupsIn(version int16) *kversion.Versions {
	versions := kversion.Stable()
	versions.SetMaxKeyVersion(kmsg.DescribeGroups.Int16(), version)
	return versions
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
