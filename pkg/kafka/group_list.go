package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"golang.org/x/sync/errgroup"
)

// GroupListing is one consumer group of a cluster.
type GroupListing struct {
	ID string
	// ProtocolType is "consumer" for groups that share the partitions of
	// topics, "connect" for workers of Kafka Connect, and empty for groups
	// that nobody has joined, who were only committed for.
	ProtocolType string
}

// Groups gives all groups of the cluster that the user may describe, by ID.
//
// Each broker tells those that it coordinates. The list is whole or there is
// none: a broker that cannot be reached or that still loads its groups, and
// groups that no broker coordinates at this time, are an error, after the
// retries of reads. The latter cannot be noticed where the user may not
// describe the topic __consumer_offsets.
func (c *Client) Groups(ctx context.Context) ([]GroupListing, error) {
	var groups []GroupListing
	err := c.repeat(ctx, whileAgain, func(ctx context.Context) (err error) {
		groups, err = c.groupsOnce(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list groups: %w", err)
	}
	return groups, nil
}

// groupsOnce asks all brokers at once. A group whose coordinator moves
// meanwhile may be with none of them, so the coordinators are looked at twice.
func (c *Client) groupsOnce(ctx context.Context) ([]GroupListing, error) {
	brokers, before, err := c.coordinators(ctx)
	if err != nil {
		return nil, err
	}
	lists := make([][]listedGroup, len(brokers))
	asked, asking := errgroup.WithContext(ctx)
	for i, b := range brokers {
		asked.Go(func() (err error) {
			lists[i], err = c.listGroups(asking, &exchange{broker: toBroker(b.ID)})
			if err != nil {
				return fmt.Errorf("broker %d at %s: %w", b.ID, b.Address, translate(err))
			}
			return nil
		})
	}
	if err := asked.Wait(); err != nil {
		return nil, err
	}
	_, after, err := c.coordinators(ctx)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(before, after) {
		return nil, fmt.Errorf("coordinators have moved: %w", codeError(int16(kafkago.NotCoordinatorForGroup)))
	}
	found := map[string]GroupListing{}
	for _, g := range slices.Concat(lists...) {
		found[g.ID] = g.GroupListing
	}
	return slices.SortedFunc(maps.Values(found), func(a, b GroupListing) int { return cmp.Compare(a.ID, b.ID) }), nil
}

// offsetsTopic holds the groups: the leaders of its partitions coordinate them.
const offsetsTopic = "__consumer_offsets"

// coordinators gives the brokers, and those that lead the partitions of the
// offsets topic. There is no such topic before the first group.
func (c *Client) coordinators(ctx context.Context) (brokers []Broker, leaders []int32, err error) {
	cluster, err := c.clusterOnce(ctx, []string{offsetsTopic})
	if err != nil {
		return nil, nil, err
	}
	for _, t := range cluster.Topics {
		if t.Err != nil && !errors.Is(t.Err, ErrUnknownTopic) && !errors.Is(t.Err, ErrAuthorization) {
			return nil, nil, fmt.Errorf("topic %s: %w", offsetsTopic, t.Err)
		}
		for _, p := range t.Partitions {
			if p.Leader < 0 {
				return nil, nil, fmt.Errorf("groups without a coordinator: %w", protocol.NewErrNoLeader(offsetsTopic, p.ID))
			}
			leaders = append(leaders, p.Leader)
		}
	}
	if len(cluster.Brokers) == 0 {
		return nil, nil, errors.New("the cluster names no broker")
	}
	return cluster.Brokers, leaders, nil
}

// listedGroup is a group as its coordinator lists it.
type listedGroup struct {
	GroupListing
	state string // empty before groupStatesVersion
}

const (
	groupsFlexibleVersion = 3
	groupStatesVersion    = 4 // the first of ListGroups that tells states (KIP-518, 2.6)
	groupsCorrelation     = 1
)

// listGroups asks the broker to which the exchange is routed, once. kafka-go's
// own call asks all of them, but leaves their error codes out: the groups of a
// coordinator that loads would be missing.
func (c *Client) listGroups(ctx context.Context, x *exchange) (groups []listedGroup, err error) {
	version := min(c.versions[protocol.ListGroups], groupStatesVersion)
	var refused error
	x.key, x.talk = protocol.ListGroups, converse(c.groupsRequest(version), func(frame []byte) (err error) {
		groups, refused, err = parseGroups(frame, version)
		return err
	})
	if err := c.roundTrip(ctx, x); err != nil {
		return nil, err
	}
	return groups, refused
}

// groupsRequest writes a ListGroups request, version 0 to 4.
func (c *Client) groupsRequest(version int16) []byte {
	r := newRequest(nil, int16(protocol.ListGroups), version, groupsCorrelation, c.config.ClientID)
	if version >= groupsFlexibleVersion {
		r.noTags()
		if version >= groupStatesVersion {
			r.uvarint(1) // groups of all states
		}
		r.noTags()
	}
	return r.finish(0)
}

// parseGroups reads a ListGroups response, version 0 to 4. refused is what the
// broker says, err that the answer makes no sense.
func parseGroups(frame []byte, version int16) (groups []listedGroup, refused, err error) {
	r := newResponse(frame, groupsCorrelation)
	array, text, tags := r.array, r.string, func() {}
	if version >= groupsFlexibleVersion {
		array, text, tags = r.compactArray, r.compactString, r.skipTags
	}
	tags()
	if version >= 1 {
		r.int32() // throttle
	}
	refused = codeError(r.int16())
	for n := array(); n > 0 && r.err == nil; n-- {
		g := listedGroup{GroupListing: GroupListing{ID: text(), ProtocolType: text()}}
		if version >= groupStatesVersion {
			g.state = text()
		}
		tags()
		groups = append(groups, g)
	}
	tags()
	if r.err != nil {
		return nil, nil, r.err
	}
	return groups, refused, nil
}
