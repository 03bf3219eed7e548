package backup

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// wants says that a partition is restored.
func (r *restore) wants(at place) bool {
	numbers, some := r.Partitions[at.topic]
	return !some || slices.Contains(numbers, at.number)
}

// named is an error about each partition that was asked for and is not there: whoever has
// misspelt one would wait for it.
func (s *snapshot) named(partitions map[string][]int32) error {
	known := map[string]bool{}
	for _, t := range s.topics {
		known[t.Name] = true
	}
	there := map[string][]int32{}
	for at := range s.cuts {
		there[at.topic] = append(there[at.topic], at.number)
	}
	var faults []error
	for _, topic := range slices.Sorted(maps.Keys(partitions)) {
		if !known[topic] {
			faults = append(faults, fmt.Errorf("partitions of topic %s: it is not in what is restored", topic))
			continue
		}
		for _, number := range partitions[topic] {
			if !slices.Contains(there[topic], number) {
				faults = append(faults, fmt.Errorf("partition %s/%d: the topic has no such partition", topic, number))
			}
		}
	}
	return errors.Join(faults...)
}

// sets says that the position of a group in a topic is set in the target. Where nobody has
// said which, none is under the group's own name in a topic that has another: nobody there
// reads that topic, and the group would seem to lag behind.
func (r *restore) sets(group, topic string) bool {
	if r.Groups != nil {
		return r.Groups(group)
	}
	return r.RenameGroup != nil || r.Topics.Target(topic) == topic
}

// groups plans the positions of groups in what is restored.
func (r *restore) groups(at *Manifest) {
	for _, g := range at.Groups {
		positions := slices.Clone(g.Positions)
		positions = slices.DeleteFunc(positions, func(p Position) bool {
			_, err := r.source.partition(p.Topic, p.Partition)
			return err != nil || !r.sets(g.ID, p.Topic)
		})
		if len(positions) > 0 {
			r.plan.Groups = append(r.plan.Groups, Group{ID: g.ID, Positions: positions})
		}
	}
}
