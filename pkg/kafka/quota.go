package kafka

import (
	"context"
	"fmt"
	"io"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/describeclientquotas"
)

// Quota is one bound that the cluster puts on clients.
type Quota struct {
	User     string // "" for all users that have none of their own, or any
	ClientID string // likewise
	Key      string // producer_byte_rate, consumer_byte_rate, request_percentage, ...
	Value    float64
}

const (
	quotaMatchExact   = 0
	quotaMatchDefault = 1
	quotaCorrelation  = 1
)

// Quotas gives the quotas that may bound a user, and those of every user and
// client that has none of its own. [ErrAuthorization] where the user has no
// DESCRIBE_CONFIGS on the cluster, [ErrUnsupported] before 2.6.
func (c *Client) Quotas(ctx context.Context, user string) ([]Quota, error) {
	if !c.knows(protocol.DescribeClientQuotas) {
		return nil, fmt.Errorf("read quotas: %w: they can be read from Kafka 2.6 on", ErrUnsupported)
	}
	filters := []describeclientquotas.Component{
		{EntityType: "user", MatchType: quotaMatchDefault},
		{EntityType: "client-id", MatchType: quotaMatchDefault},
		{EntityType: "client-id", MatchType: quotaMatchExact, Match: c.config.ClientID},
	}
	if user != "" {
		filters = append(filters, describeclientquotas.Component{EntityType: "user", MatchType: quotaMatchExact, Match: user})
	}
	var quotas []Quota
	for _, filter := range filters {
		err := c.repeat(ctx, whileAgain, func(ctx context.Context) error {
			answer, err := c.quotasOnce(ctx, filter)
			if err != nil {
				return err
			}
			for _, q := range quotasOf(answer) {
				if (q.User == "" || q.User == user) && (q.ClientID == "" || q.ClientID == c.config.ClientID) {
					quotas = append(quotas, q) // the others are of somebody else, beside what was asked for
				}
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read quotas: %w", err)
		}
	}
	return quotas, nil
}

// quotasOnce asks in version 0: kafka-go v0.4.51 writes version 1 without the
// compact arrays that it has.
func (c *Client) quotasOnce(ctx context.Context, filter describeclientquotas.Component) (*describeclientquotas.Response, error) {
	request := &describeclientquotas.Request{Components: []describeclientquotas.Component{filter}}
	var answer *describeclientquotas.Response
	talk := func(conn io.ReadWriter, _ int16) error {
		message, err := protocol.RoundTrip(conn, 0, quotaCorrelation, c.config.ClientID, request)
		if err == nil {
			answer = message.(*describeclientquotas.Response)
		}
		return err
	}
	if err := c.roundTrip(ctx, &exchange{key: protocol.DescribeClientQuotas, broker: anyBroker, talk: talk}); err != nil {
		return nil, err
	}
	return answer, codeError(answer.ErrorCode)
}

func quotasOf(answer *describeclientquotas.Response) (quotas []Quota) {
	for _, entry := range answer.Entries {
		var q Quota
		for _, entity := range entry.Entities {
			switch entity.EntityType {
			case "user":
				q.User = entity.EntityName
			case "client-id":
				q.ClientID = entity.EntityName
			}
		}
		for _, value := range entry.Values {
			q.Key, q.Value = value.Key, value.Value
			quotas = append(quotas, q)
		}
	}
	return quotas
}
