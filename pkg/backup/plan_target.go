package backup

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// target looks at the target topic: whether there is one, and whether it may be
// restored to.
func (r *restore) target(ctx context.Context, t *PlannedTopic) error {
	if t.topic.InForce["message.timestamp.type"] == "LogAppendTime" {
		t.Notes = append(
			t.Notes,
			"records keep the time at which they were appended: message.timestamp.type is CreateTime in the target",
		)
	}
	if note := t.topic.retention(); note != "" && !r.Unlimited {
		t.Notes = append(t.Notes, note)
	}
	if r.Target == nil { // to files
		return nil
	}
	there, err := r.Target.Topic(ctx, t.Target)
	if errors.Is(err, kafka.ErrUnknownTopic) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("target: %w", err)
	}
	t.Exists = true
	if id := there.ID.String(); id != "" && id == t.topic.ID {
		t.conflict = fmt.Errorf(
			"topic %s is the one that was backed up: give it another name in the target (--topics %s:NEW), or delete it",
			t.Target,
			t.Name,
		)
		return nil
	}
	if want := t.topic.Partitions; len(want) > 0 && int(want[len(want)-1].Number) >= len(there.Partitions) {
		t.conflict = fmt.Errorf(
			"topic %s has %d partitions, and %d are restored: create it with as many, or leave it to the restore",
			t.Target,
			len(there.Partitions),
			want[len(want)-1].Number+1,
		)
		return nil
	}
	return r.partitions(ctx, t)
}

// retention says what the target deletes of what is restored; "" for nothing.
func (t *Topic) retention() string {
	var all []string
	for _, key := range []string{"retention.ms", "retention.bytes"} {
		value, own := t.Settings[key]
		if !own {
			value = t.InForce[key]
		}
		if value != "" && value != "-1" {
			all = append(all, key+"="+value)
		}
	}
	if policy := t.InForce["cleanup.policy"]; len(all) == 0 || policy != "" && !strings.Contains(policy, "delete") {
		return ""
	}
	return fmt.Sprintf(
		"the source has %s: the target deletes what is beyond its own, restored records too, unless --keep-for-ever",
		strings.Join(all, " and "),
	)
}

// partitions looks at how far an earlier run has come, and at what others have written.
func (r *restore) partitions(ctx context.Context, t *PlannedTopic) error {
	for i := range t.Partitions {
		p := &t.Partitions[i]
		checkpoints, err := mirror.Checkpoints(ctx, r.Target, r.Job, t.Name, t.Target, p.Number)
		if err != nil {
			return err
		}
		p.Restored = checkpoints[p.Number].Next
		switch {
		case p.Restored > p.End:
			t.conflict = fmt.Errorf(
				"%s/%d was restored up to offset %d, and this point is offset %d: restore to another topic (--topics %s:NEW) with another --job",
				t.Name,
				p.Number,
				p.Restored,
				p.End,
				t.Name,
			)
			return nil
		case p.Restored >= 0 || r.IntoTopicsThatHoldRecords:
			continue
		}
		holds, err := mirror.HoldsRecords(ctx, r.Target, t.Target, p.Number)
		if err != nil {
			return fmt.Errorf("target: %w", err)
		}
		if holds {
			t.conflict = fmt.Errorf(
				"%s/%d: %w: give the topic another name in the target (--topics %s:NEW), or delete it there",
				t.Target,
				p.Number,
				ErrNotEmpty,
				t.Name,
			)
			return nil
		}
	}
	return nil
}
