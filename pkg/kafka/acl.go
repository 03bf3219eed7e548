package kafka

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/createacls"
	"github.com/segmentio/kafka-go/protocol/describeacls"
)

// ACL is one entry of the access control lists, on topics.
type ACL struct {
	Principal string // "User:alice", "User:*" for all
	Host      string // from where, "*" for everywhere
	Operation Operation
	Allow     bool // false: it denies
	// ResourceName is the topic, "*" for all topics, or what the names of
	// topics begin with where Prefixed is true.
	ResourceName string
	Prefixed     bool
}

// String is the ACL in the words of kafka-acls.sh.
func (a ACL) String() string {
	permission, pattern := "DENY", "literal"
	if a.Allow {
		permission = "ALLOW"
	}
	if a.Prefixed {
		pattern = "prefixed"
	}
	return fmt.Sprintf("%s %s on %s topic %s to %s from host %s", permission, a.Operation, pattern, a.ResourceName, a.Principal, a.Host)
}

// applies says whether the ACL is one of a topic.
func (a ACL) applies(topic string) bool {
	if a.Prefixed {
		return strings.HasPrefix(topic, a.ResourceName)
	}
	return a.ResourceName == topic || a.ResourceName == allTopics
}

const allTopics = "*"

// prefixedACLsVersion is the first of DescribeAcls and CreateAcls that knows
// ACLs on prefixes (KIP-290, Kafka 2.0). It is the last that is used:
// kafka-go v0.4.51 writes a filter in later versions with a tag section that
// it does not have.
const prefixedACLsVersion = 1

const aclCorrelation = 1

// TopicACLs gives the ACLs that apply to a topic: those on it, on all topics,
// and on prefixes of its name; in order of their resource, principal and
// operation. [ErrNoAuthorizer] where the cluster has none, [ErrAuthorization]
// where the user has no DESCRIBE on the cluster, [ErrUnsupported] before 0.11.
func (c *Client) TopicACLs(ctx context.Context, topic string) ([]ACL, error) {
	if !c.knows(protocol.DescribeAcls) {
		return nil, fmt.Errorf("read ACLs of topic %s: %w: from Kafka 0.11 on", topic, ErrUnsupported)
	}
	names := []string{topic}
	if c.versions[protocol.DescribeAcls] < prefixedACLsVersion {
		names = append(names, allTopics) // there is no filter for what matches a name
	}
	var acls []ACL
	for _, name := range names {
		err := c.repeat(ctx, whileAgain, func(ctx context.Context) error {
			found, err := c.describeACLsOnce(ctx, name)
			acls = append(acls, found...)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read ACLs of topic %s: %w", topic, err)
		}
	}
	acls = slices.DeleteFunc(acls, func(a ACL) bool { return !a.applies(topic) })
	slices.SortFunc(acls, compareACLs)
	return slices.Compact(acls), nil
}

func compareACLs(a, b ACL) int {
	return cmp.Or(cmp.Compare(a.ResourceName, b.ResourceName), cmp.Compare(a.Principal, b.Principal),
		cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Host, b.Host),
		cmp.Compare(a.String(), b.String()))
}

func (c *Client) describeACLsOnce(ctx context.Context, name string) ([]ACL, error) {
	request := &describeacls.Request{Filter: describeacls.ACLFilter{
		ResourceTypeFilter:        int8(kafkago.ResourceTypeTopic),
		ResourceNameFilter:        name,
		ResourcePatternTypeFilter: int8(kafkago.PatternTypeMatch),
		Operation:                 int8(kafkago.ACLOperationTypeAny),
		PermissionType:            int8(kafkago.ACLPermissionTypeAny),
	}}
	message, err := c.askACLs(ctx, request)
	if err != nil {
		return nil, err
	}
	answer := message.(*describeacls.Response)
	if answer.ErrorCode != 0 {
		return nil, &brokerError{code: kafkago.Error(answer.ErrorCode), message: answer.ErrorMessage}
	}
	var acls []ACL
	for _, resource := range answer.Resources {
		if kafkago.ResourceType(resource.ResourceType) != kafkago.ResourceTypeTopic {
			return nil, fmt.Errorf("answer about a resource of type %d, want topics", resource.ResourceType)
		}
		for _, entry := range resource.ACLs {
			acl, err := newACL(resource, entry)
			if err != nil {
				return nil, err
			}
			acls = append(acls, acl)
		}
	}
	return acls, nil
}

// newACL refuses what this package could not create again as it is.
func newACL(resource describeacls.Resource, entry describeacls.ResponseACL) (ACL, error) {
	acl := ACL{Principal: entry.Principal, Host: entry.Host, Operation: Operation(entry.Operation), ResourceName: resource.ResourceName}
	switch kafkago.PatternType(resource.PatternType) {
	case kafkago.PatternTypePrefixed:
		acl.Prefixed = true
	case kafkago.PatternTypeLiteral, kafkago.PatternTypeUnknown: // it is not told before prefixedACLsVersion
	default:
		return ACL{}, fmt.Errorf("ACL on %s of pattern type %d", resource.ResourceName, resource.PatternType)
	}
	switch kafkago.ACLPermissionType(entry.PermissionType) {
	case kafkago.ACLPermissionTypeAllow:
		acl.Allow = true
	case kafkago.ACLPermissionTypeDeny:
	default:
		return ACL{}, fmt.Errorf("ACL on %s of permission type %d", resource.ResourceName, entry.PermissionType)
	}
	return acl, nil
}

// CreateACLs creates ACLs on topics, which need not exist. One that is there
// already is no error, so it is repeated like reads are. After an error some of
// them may be there. [ErrNoAuthorizer] where the cluster has none,
// [ErrAuthorization] where the user has no ALTER on the cluster,
// [ErrUnsupported] before 0.11, and of a prefix before 2.0.
func (c *Client) CreateACLs(ctx context.Context, acls []ACL) error {
	if len(acls) == 0 {
		return nil
	}
	if !c.knows(protocol.CreateAcls) {
		return fmt.Errorf("create ACLs: %w: from Kafka 0.11 on", ErrUnsupported)
	}
	request := &createacls.Request{}
	for _, acl := range acls {
		if acl.Prefixed && c.versions[protocol.CreateAcls] < prefixedACLsVersion {
			return fmt.Errorf("create ACL %s: %w: prefixes from Kafka 2.0 on", acl, ErrUnsupported)
		}
		request.Creations = append(request.Creations, acl.creation())
	}
	err := c.repeat(ctx, whileAgain, func(ctx context.Context) error {
		message, err := c.askACLs(ctx, request)
		if err != nil {
			return err
		}
		results := message.(*createacls.Response).Results
		if len(results) != len(acls) {
			return fmt.Errorf("the answer is about %d ACLs, not %d", len(results), len(acls))
		}
		for i, result := range results {
			if result.ErrorCode != 0 {
				return fmt.Errorf("%s: %w", acls[i], &brokerError{code: kafkago.Error(result.ErrorCode), message: result.ErrorMessage})
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("create ACLs: %w", err)
	}
	return nil
}

// creation is the ACL in the protocol's numbers.
func (a ACL) creation() createacls.RequestACLs {
	pattern, permission := kafkago.PatternTypeLiteral, kafkago.ACLPermissionTypeDeny
	if a.Prefixed {
		pattern = kafkago.PatternTypePrefixed
	}
	if a.Allow {
		permission = kafkago.ACLPermissionTypeAllow
	}
	return createacls.RequestACLs{
		ResourceType: int8(kafkago.ResourceTypeTopic), ResourceName: a.ResourceName, ResourcePatternType: int8(pattern),
		Principal: a.Principal, Host: a.Host, Operation: int8(a.Operation), PermissionType: int8(permission),
	}
}

// routedMessage is a request that knows which broker it is for.
type routedMessage interface {
	protocol.Message
	protocol.BrokerMessage
}

// askACLs sends a request to the controller, in the version that is right.
func (c *Client) askACLs(ctx context.Context, request routedMessage) (answer protocol.Message, err error) {
	version := min(c.versions[request.ApiKey()], prefixedACLsVersion)
	talk := func(conn io.ReadWriter, _ int16) (err error) {
		answer, err = protocol.RoundTrip(conn, version, aclCorrelation, c.config.ClientID, request)
		return err
	}
	err = c.roundTrip(ctx, &exchange{key: request.ApiKey(), broker: request.Broker, talk: talk})
	return answer, err
}
