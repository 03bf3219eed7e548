package kafka_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

func TestDescribeGroup(t *testing.T) {
	t.Parallel()

	for _, version := range []string{"", "3.6", "2.3", "0.10.2"} {
		t.Run("of a broker "+version, func(t *testing.T) {
			t.Parallel()
			cluster := brokers(t, localkafka.Config{Version: version, Brokers: 2, Topics: map[string]int32{"t": 3}})
			c := connect(t, kafka.Config{Brokers: cluster.Brokers()})

			t.Run("tells members with what they are assigned, and then that they are gone", func(t *testing.T) {
				group, err := c.Group(kafka.GroupConfig{ID: "g", Topics: []string{"t"}, HeartbeatInterval: 100 * time.Millisecond})
				must(t, err)
				defer group.Close()
				generation := next(t, group)
				defer generation.Release()
				got, err := c.DescribeGroup(deadline(t), "g")
				must(t, err)
				if len(got.Members) != 1 {
					t.Fatalf("got %+v, want one member", got)
				}
				if m := got.Members[0]; m.ID == "" || m.ClientID == "" || m.Host == "" {
					t.Errorf("member is %+v", m)
				}
				if got.State != "Stable" || got.ProtocolType != "consumer" || !got.Active() {
					t.Errorf("got %+v", got)
				}
				if diff := cmp.Diff(map[string][]int32{"t": {0, 1, 2}}, got.Members[0].Assigned); diff != "" {
					t.Errorf("assigned (-want +got):\n%s", diff)
				}
				generation.Release()
				must(t, group.Close())
				until(t, "the group to be empty", func() bool {
					got, err := c.DescribeGroup(deadline(t), "g")
					must(t, err)
					return got.State == "Empty" && len(got.Members) == 0 && !got.Active()
				})
			})

			t.Run("tells that one which was only committed for is empty", func(t *testing.T) {
				must(t, c.Commit(deadline(t), "committed", "t", committed(1)))
				wantGroup(t, c, "committed", kafka.GroupDescription{State: "Empty"}, false)
			})

			t.Run("tells that one which nobody knows is dead", func(t *testing.T) {
				wantGroup(t, c, "nobody", kafka.GroupDescription{State: "Dead"}, false)
			})
		})
	}
}

// TestDescribeGroupOfKIP848: DescribeGroups calls such groups dead, without an
// error in the versions that kafka-go has.
func TestDescribeGroupOfKIP848(t *testing.T) {
	t.Parallel()

	t.Run("tells members, and then that they are gone", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Brokers: 2, Topics: map[string]int32{"t": 3}})
		c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
		cluster.Fake().ControlKey(int16(kmsg.DescribeGroups), func(r kmsg.Request) (kmsg.Response, error, bool) {
			cluster.Fake().KeepControl()
			return deadAsReal(r.(*kmsg.DescribeGroupsRequest)), nil, true
		})
		const id = "bWVtYmVyLW9mLXRlc3Q"
		heartbeat(t, cluster, id, 0)
		got, err := c.DescribeGroup(deadline(t), "new")
		if err != nil || len(got.Members) != 1 || got.ProtocolType != "consumer" || !got.Active() {
			t.Fatalf("got %+v, error %v, want one member", got, err)
		}
		if m := got.Members[0]; m.ID != id || m.ClientID == "" || m.Host == "" {
			t.Errorf("member is %+v", m)
		}
		heartbeat(t, cluster, id, -1)
		wantGroup(t, c, "new", kafka.GroupDescription{State: "Empty", ProtocolType: "consumer"}, false)
	})

	t.Run("tells what each member is assigned now, in order of their IDs", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t)
		refuse(fake, func(request *kmsg.ConsumerGroupDescribeRequest) kmsg.Response {
			return consumerGroupAnswer(request, "g")
		})
		wantGroup(t, c, "g", consumerGroupSeen, true)
	})

	t.Run("is active in a state that is unknown, or of a kind whose members are not told", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t)
		for _, state := range []string{"Assigning", "Reconciling", "NotReady", "", "Empty"} {
			refuse(fake, func(request *kmsg.ListGroupsRequest) kmsg.Response {
				response := request.ResponseKind().(*kmsg.ListGroupsResponse)
				response.Groups = []kmsg.ListGroupsResponseGroup{{Group: "other"}, {Group: "g", ProtocolType: "streams", GroupState: state}}
				return response
			})
			wantGroup(t, c, "g", kafka.GroupDescription{State: state, ProtocolType: "streams"}, state != "Empty")
		}
	})

	t.Run("is dead where the broker has the protocol turned off", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t)
		refuse(fake, consumerGroupError(kerr.UnsupportedVersion.Code))
		wantGroup(t, c, "g", kafka.GroupDescription{State: "Dead"}, false)
	})

	t.Run("is not taken for dead while the coordinator loads, or by one who may not see it", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t)
		refuse(fake, consumerGroupError(kerr.CoordinatorLoadInProgress.Code), consumerGroupError(kerr.TopicAuthorizationFailed.Code))
		got, err := c.DescribeGroup(deadline(t), "g")
		if !errors.Is(err, kafka.ErrAuthorization) || !strings.HasPrefix(err.Error(), "describe group g: ") {
			t.Errorf("got %+v, error %v, want ErrAuthorization", got, err)
		}
	})
}

func TestDescribeGroupIsRefused(t *testing.T) {
	t.Parallel()

	t.Run("by a coordinator that loads for a moment only", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		must(t, c.Commit(deadline(t), "g", "t", committed(1)))
		loading := describeGroup(func(group *kmsg.DescribeGroupsResponseGroup) { group.ErrorCode = kerr.CoordinatorLoadInProgress.Code })
		refuse(fake, loading, loading)
		wantGroup(t, c, "g", kafka.GroupDescription{State: "Empty"}, false)
	})

	for name, answer := range map[string]func(*kmsg.DescribeGroupsRequest) kmsg.Response{
		"nothing":       func(request *kmsg.DescribeGroupsRequest) kmsg.Response { return request.ResponseKind() },
		"another group": describeGroup(func(group *kmsg.DescribeGroupsResponseGroup) { group.Group = "h" }),
		"a member whose assignment is cut short": describeGroup(func(group *kmsg.DescribeGroupsResponseGroup) {
			member := kmsg.NewDescribeGroupsResponseGroupMember()
			member.MemberAssignment = []byte{0, 1, 0, 0, 0, 9}
			group.ProtocolType, group.Members = "consumer", append(group.Members, member)
		}),
	} {
		t.Run("where the answer is "+name, func(t *testing.T) {
			t.Parallel()
			c, fake := single(t)
			refuse(fake, answer)
			if got, err := c.DescribeGroup(deadline(t), "g"); err == nil || !strings.HasPrefix(err.Error(), "describe group g: ") {
				t.Errorf("got %+v, error %v", got, err)
			}
		})
	}

	t.Run("but not for what workers of other protocols are assigned", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t)
		refuse(fake, describeGroup(func(group *kmsg.DescribeGroupsResponseGroup) {
			member := kmsg.NewDescribeGroupsResponseGroupMember()
			member.MemberID, member.MemberAssignment = "m", []byte{0, 1, 0, 0, 0, 9}
			group.State, group.ProtocolType, group.Members = "Stable", "connect", append(group.Members, member)
		}))
		wantGroup(t, c, "g", kafka.GroupDescription{State: "Stable", ProtocolType: "connect", Members: []kafka.GroupMember{{ID: "m"}}}, true)
	})
}

// wantGroup looks at a description.
func wantGroup(t *testing.T, c *kafka.Client, id string, want kafka.GroupDescription, active bool) {
	t.Helper()
	got, err := c.DescribeGroup(deadline(t), id)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v, group (-want +got):\n%s", err, diff)
	}
	if got.Active() != active {
		t.Errorf("active: %t, want %t: %+v", got.Active(), active, got)
	}
}

// describeGroup answers for group g.
func describeGroup(change func(*kmsg.DescribeGroupsResponseGroup)) func(*kmsg.DescribeGroupsRequest) kmsg.Response {
	return func(request *kmsg.DescribeGroupsRequest) kmsg.Response {
		response := request.ResponseKind().(*kmsg.DescribeGroupsResponse)
		group := kmsg.NewDescribeGroupsResponseGroup()
		group.Group = "g"
		change(&group)
		response.Groups = append(response.Groups, group)
		return response
	}
}

// deadAsReal answers as a real broker does for a group of KIP-848: kfake gives
// the state, and leaves the members out.
func deadAsReal(request *kmsg.DescribeGroupsRequest) kmsg.Response {
	return describeGroup(func(group *kmsg.DescribeGroupsResponseGroup) {
		group.Group, group.State = request.Groups[0], "Dead"
		if request.Version >= 6 {
			group.ErrorCode = kerr.GroupIDNotFound.Code
		}
	})(request)
}

// consumerGroupSeen is consumerGroupAnswer as this package gives it.
var consumerGroupSeen = kafka.GroupDescription{State: "Reconciling", ProtocolType: "consumer", Members: []kafka.GroupMember{
	{ID: "a", ClientID: "client", Host: "/10.0.0.7"},
	{ID: "b", ClientID: "client", Host: "/10.0.0.7", Assigned: map[string][]int32{"t": {0, 2}, "u": {1}}},
}}

func consumerGroupAnswer(request *kmsg.ConsumerGroupDescribeRequest, name string) kmsg.Response {
	response := request.ResponseKind().(*kmsg.ConsumerGroupDescribeResponse)
	group := kmsg.NewConsumerGroupDescribeResponseGroup()
	group.Group, group.State, group.AssignorName = name, "Reconciling", "uniform"
	for _, id := range []string{"b", "a"} {
		member := kmsg.NewConsumerGroupDescribeResponseGroupMember()
		member.MemberID, member.ClientID, member.ClientHost = id, "client", "/10.0.0.7"
		member.InstanceID, member.RackID, member.SubscribedTopics = kmsg.StringPtr("i"), kmsg.StringPtr("r"), []string{"t", "u"}
		assigned := kmsg.Assignment{TopicPartitions: []kmsg.AssignmentTopicPartition{
			{TopicID: [16]byte{1}, Topic: "t", Partitions: []int32{0, 2}}, {TopicID: [16]byte{2}, Topic: "u", Partitions: []int32{1}},
		}}
		if id == "b" {
			member.Assignment = assigned
		} else {
			member.TargetAssignment = assigned
		}
		group.Members = append(group.Members, member)
	}
	response.Groups = append(response.Groups, group)
	return response
}

func consumerGroupError(code int16) func(*kmsg.ConsumerGroupDescribeRequest) kmsg.Response {
	return func(request *kmsg.ConsumerGroupDescribeRequest) kmsg.Response {
		response := request.ResponseKind().(*kmsg.ConsumerGroupDescribeResponse)
		group := kmsg.NewConsumerGroupDescribeResponseGroup()
		group.Group, group.ErrorCode = request.Groups[0], code
		response.Groups = append(response.Groups, group)
		return response
	}
}

// heartbeat is that of a member of group "new", which reads topic t: epoch 0
// joins, -1 leaves.
func heartbeat(t *testing.T, cluster *localkafka.Cluster, member string, epoch int32) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.Brokers()...))
	must(t, err)
	defer client.Close()
	request := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	request.Group, request.MemberID, request.MemberEpoch = "new", member, epoch
	if epoch == 0 {
		request.RebalanceTimeoutMillis, request.SubscribedTopicNames = 60_000, []string{"t"}
		request.Topics = []kmsg.ConsumerGroupHeartbeatRequestTopic{}
	}
	response, err := request.RequestWith(deadline(t), client)
	if err == nil {
		err = kerr.ErrorForCode(response.ErrorCode)
	}
	must(t, err)
}
