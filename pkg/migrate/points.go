package migrate

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// Points of comparison are kept beside the state: a record for each topic.
func pointsKey(name, topic string) string { return name + "/compared/" + topic }

// savePoints stores how far topics were compared. They are facts, so that two
// who save at once do no harm: each is true.
func (s *Store) savePoints(ctx context.Context, name string, all points) error {
	var records []batch.Record
	for topic, of := range all {
		value, err := json.Marshal(of)
		if err != nil {
			return err
		}
		records = append(records, batch.Record{Timestamp: s.now().UnixMilli(), Key: []byte(pointsKey(name, topic)), Value: value})
	}
	for _, r := range records { // alone: together they may be more than a batch may be
		if _, err := s.target.Produce(ctx, Topic, topicPartition, r); err != nil {
			return fmt.Errorf("store how far migration %s was compared: %w", name, err)
		}
	}
	return nil
}

func (s *Store) loadPoints(ctx context.Context, name string) (points, error) {
	values, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	all := points{}
	for key, value := range values {
		topic, ok := strings.CutPrefix(key, pointsKey(name, ""))
		if !ok || value == nil {
			continue
		}
		of := map[int32]Point{}
		if json.Unmarshal(value, &of) == nil { // else it is compared from the beginning
			all[topic] = of
		}
	}
	return all, nil
}
