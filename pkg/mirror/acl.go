package mirror

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// CarryACLs gives a target topic the ACLs that are on the source topic itself,
// and gives those that were missing. ACLs on prefixes and on all topics are left
// to the owner of the target: they speak of topics that are not copied, too.
//
// Without writers it is reduced to what is safe while the topic is copied: who
// may do everything may read, and nobody may write. What denies stays whole.
func CarryACLs(ctx context.Context, source, target *kafka.Client, topic, targetTopic string, writers bool) ([]kafka.ACL, error) {
	from, err := source.TopicACLs(ctx, topic)
	if errors.Is(err, kafka.ErrNoAuthorizer) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	there, err := target.TopicACLs(ctx, targetTopic)
	if err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	var missing []kafka.ACL
	for _, acl := range from {
		if acl.Prefixed || acl.ResourceName != topic {
			continue
		}
		acl.ResourceName = targetTopic
		for _, reduced := range reduce(acl, writers) {
			if !slices.Contains(there, reduced) && !slices.Contains(missing, reduced) {
				missing = append(missing, reduced)
			}
		}
	}
	if len(missing) == 0 {
		return nil, nil
	}
	if err := target.CreateACLs(ctx, missing); err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	return missing, nil
}

// reduce gives what of an ACL is carried over.
func reduce(acl kafka.ACL, writers bool) []kafka.ACL {
	if writers || !acl.Allow {
		return []kafka.ACL{acl}
	}
	switch acl.Operation {
	case kafka.OperationRead, kafka.OperationDescribe, kafka.OperationDescribeConfigs:
		return []kafka.ACL{acl}
	case kafka.OperationAll:
		var reads []kafka.ACL
		for _, operation := range []kafka.Operation{kafka.OperationRead, kafka.OperationDescribe, kafka.OperationDescribeConfigs} {
			acl.Operation = operation
			reads = append(reads, acl)
		}
		return reads
	}
	return nil
}
