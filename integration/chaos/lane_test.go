package chaos_test

import (
	"context"
	"fmt"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// lane is a partition that a run copies. Its place among the lanes of the run is
// the number of the partition in the content: so a record that has strayed to
// another topic or partition is seen to be none of it.
type lane struct {
	topic     string
	partition int32
}

func (l lane) String() string { return fmt.Sprintf("%s/%d", l.topic, l.partition) }

// lanesOf are all partitions of topics that have so many each.
func lanesOf(partitions int, topics ...string) (lanes []lane) {
	for _, topic := range topics {
		for p := range int32(partitions) {
			lanes = append(lanes, lane{topic, p})
		}
	}
	return lanes
}

// endsOf gives where each lane ends in a cluster.
func endsOf(ctx context.Context, client *kafka.Client, lanes []lane) ([]int64, error) {
	ends := make([]int64, len(lanes))
	for i, lane := range lanes {
		offsets, err := client.Offsets(ctx, lane.topic, kafka.Latest, lane.partition)
		if err != nil {
			return nil, err
		}
		ends[i] = offsets[lane.partition]
	}
	return ends, nil
}
