package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/describegroups"
)

// GroupDescription is a group as its coordinator knows it at one moment.
type GroupDescription struct {
	// State is the coordinator's word: "Stable", "Empty" where nobody is in
	// it, "Dead" where there is no such group, and others while it rebalances.
	State        string
	ProtocolType string // see [GroupListing]
	// Members are in order of their ID. Of groups that are neither of the
	// classic protocol nor of the one of KIP-848 (streams, share groups) only
	// the state is known.
	Members []GroupMember
}

// GroupMember is one who has joined a group.
type GroupMember struct {
	ID       string
	ClientID string
	Host     string // from where it is connected, as the broker writes it: "/10.0.0.7"
	// Assigned has the partitions that the member reads now, by topic, in order
	// of their number. It is empty while the group rebalances, and in groups that are not of
	// consumers.
	Assigned map[string][]int32
}

// The states of groups without members.
const (
	groupEmpty = "Empty"
	groupDead  = "Dead"
)

// Active says that somebody may commit offsets as a member: there are members,
// or the group is in any state but those of a group without. A state that this
// package does not know is one in which somebody may.
func (g GroupDescription) Active() bool {
	return len(g.Members) > 0 || g.State != groupEmpty && g.State != groupDead
}

// DescribeGroup describes a group of any protocol. One that nobody knows is
// "Dead", without an error. [ErrAuthorization] where the user may not describe
// it.
//
// Groups of the protocol of KIP-848 (Kafka 3.7 on), and streams and share
// groups, are "Dead" to DescribeGroups, up to version 5 without an error. So
// what is dead there is asked for as such a group, too, and then looked for in
// its coordinator's list.
func (c *Client) DescribeGroup(ctx context.Context, id string) (GroupDescription, error) {
	var group GroupDescription
	err := c.repeat(ctx, whileAgain, func(ctx context.Context) (err error) {
		group, err = c.describeGroupOnce(ctx, id)
		return err
	})
	if err != nil {
		return GroupDescription{}, fmt.Errorf("describe group %s: %w", id, err)
	}
	slices.SortFunc(group.Members, func(a, b GroupMember) int { return cmp.Compare(a.ID, b.ID) })
	for _, m := range group.Members {
		for _, partitions := range m.Assigned {
			slices.Sort(partitions)
		}
	}
	return group, nil
}

func (c *Client) describeGroupOnce(ctx context.Context, id string) (GroupDescription, error) {
	ways := []func(context.Context, string) (GroupDescription, error){c.classicGroup}
	if c.knows(consumerGroupDescribe) {
		ways = append(ways, c.consumerGroup)
	}
	if c.versions[protocol.ListGroups] >= groupStatesVersion {
		ways = append(ways, c.groupOnList)
	}
	for _, way := range ways {
		group, err := way(ctx, id)
		if errors.Is(err, kafkago.GroupIdNotFound) {
			continue // or not a group of this kind
		}
		if err != nil || group.State != groupDead {
			return group, err
		}
	}
	return GroupDescription{State: groupDead}, nil
}

// classicGroup asks with DescribeGroups.
func (c *Client) classicGroup(ctx context.Context, id string) (GroupDescription, error) {
	message, err := c.send(ctx, &describegroups.Request{Groups: []string{id}})
	if err != nil {
		return GroupDescription{}, err
	}
	groups := message.(*describegroups.Response).Groups
	if len(groups) != 1 || groups[0].GroupID != id {
		return GroupDescription{}, errors.New("the answer is not about the group that was asked for")
	}
	described := groups[0]
	if err := codeError(described.ErrorCode); err != nil {
		return GroupDescription{}, err
	}
	group := GroupDescription{State: described.GroupState, ProtocolType: described.ProtocolType}
	for _, m := range described.Members {
		member := GroupMember{ID: m.MemberID, ClientID: m.ClientID, Host: m.ClientHost}
		if described.ProtocolType == consumerProtocol {
			if member.Assigned, err = parseAssignment(m.MemberAssignment); err != nil {
				return GroupDescription{}, fmt.Errorf("assignment of member %s: %w", m.MemberID, err)
			}
		}
		group.Members = append(group.Members, member)
	}
	return group, nil
}

// consumerProtocol is the protocol type of groups whose members are assigned
// partitions of topics.
const consumerProtocol = "consumer"

// parseAssignment reads what a member was assigned (ConsumerProtocolAssignment
// in the clients' sources). All versions begin with topics and partitions; it
// is empty while the group rebalances.
func parseAssignment(b []byte) (map[string][]int32, error) {
	if len(b) == 0 {
		return nil, nil
	}
	r := &response{b: b}
	r.int16() // version
	var assigned map[string][]int32
	for n := r.array(); n > 0 && r.err == nil; n-- {
		topic := r.string()
		assigned = assign(assigned, topic, r.int32s(r.array()))
	}
	if r.err != nil {
		return nil, r.err
	}
	return assigned, nil
}

// assign adds partitions of a topic.
func assign(assigned map[string][]int32, topic string, partitions []int32) map[string][]int32 {
	if len(partitions) == 0 {
		return assigned
	}
	if assigned == nil {
		assigned = map[string][]int32{}
	}
	assigned[topic] = append(assigned[topic], partitions...)
	return assigned
}

// groupOnList looks for a group in the list of its coordinator, which has
// groups of every kind, with their state.
func (c *Client) groupOnList(ctx context.Context, id string) (GroupDescription, error) {
	groups, err := c.listGroups(ctx, &exchange{group: id})
	if err != nil {
		return GroupDescription{}, err
	}
	for _, g := range groups {
		if g.ID == id {
			return GroupDescription{State: g.state, ProtocolType: g.ProtocolType}, nil
		}
	}
	return GroupDescription{State: groupDead}, nil
}
