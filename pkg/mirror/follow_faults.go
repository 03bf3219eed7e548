package mirror

import (
	"cmp"
	"slices"
)

// topicFault notes what is wrong with a topic; nil: nothing is.
func (f *Follower) topicFault(topic string, err error) { f.setFault(f.faults, topic, err) }

// pollFault notes why it is not known where a topic ends.
func (f *Follower) pollFault(topic string, err error) { f.setFault(f.unpolled, topic, err) }

func (f *Follower) setFault(faults map[string]error, topic string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		delete(faults, topic)
	} else {
		faults[topic] = err
	}
}

// Fault is what keeps a topic or a partition from being copied.
type Fault struct {
	Topic     string // of the source; "": the topics cannot be listed
	Partition int32  // -1: the whole topic
	Err       error
}

// Faults are those of the topics and partitions that this follower has met and
// that hold on. They are tried again by themselves; errors say what else helps.
func (f *Follower) Faults() []Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	var faults []Fault
	for _, ofTopics := range []map[string]error{f.faults, f.unpolled} {
		for topic, err := range ofTopics {
			faults = append(faults, Fault{topic, -1, err})
		}
	}
	for tp, p := range f.partitions {
		if p.fault != nil {
			faults = append(faults, Fault{tp.topic, tp.partition, p.fault})
		}
	}
	slices.SortFunc(faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return faults
}
