package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/describegroups"
)

// groupOperationsVersion is the first DescribeGroups that tells operations
// (KIP-430, Kafka 2.3).
const groupOperationsVersion = 3

// GroupOperations gives what the user may do to a consumer group, which need
// not exist. [ErrAuthorization] where not even DESCRIBE is allowed, which READ
// implies.
func (c *Client) GroupOperations(ctx context.Context, group string) (Operations, error) {
	bits := int32(operationsUnknown)
	err := c.repeat(ctx, whileAgain, func(ctx context.Context) error {
		message, err := c.send(ctx, &describegroups.Request{Groups: []string{group}, IncludeAuthorizedOperations: true})
		if err != nil {
			return err
		}
		groups := message.(*describegroups.Response).Groups
		if len(groups) != 1 {
			return errors.New("the answer is not about the group that was asked for")
		}
		if c.versions[protocol.DescribeGroups] >= groupOperationsVersion {
			bits = groups[0].AuthorizedOperations
		}
		return codeError(groups[0].ErrorCode)
	})
	if err != nil {
		return Operations{}, fmt.Errorf("describe group %s: %w", group, err)
	}
	return newOperations(bits), nil
}
