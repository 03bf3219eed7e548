package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// checkCheckpoint says where the copy is, and whether it can go on from there.
func (t *topic) checkCheckpoint(ctx context.Context) {
	const check = "checkpoint"
	var partitions []int32
	for _, p := range t.described.Partitions {
		if p.Leader >= 0 {
			partitions = append(partitions, p.ID)
		}
	}
	earliest, err := t.source.client.Offsets(ctx, t.name, kafka.Earliest, partitions...)
	var end map[int32]int64
	if err == nil {
		end, err = t.source.client.Offsets(ctx, t.name, kafka.Latest, partitions...)
	}
	var next map[int32]mirror.Checkpoint
	if err == nil {
		next, err = mirror.Checkpoints(ctx, t.target.client, t.doctor.settings.Job, t.name, t.to, partitions...)
	}
	if err != nil {
		t.skip(check, "%v", err)
		return
	}
	var none, lag int64
	for _, p := range partitions {
		switch at := next[p].Next; {
		case at < 0:
			none++
		case at < earliest[p]:
			t.fail(check, t.reset(p, fmt.Sprint(earliest[p]))+" goes on without them",
				"partition %d: offsets %d to %d are gone from the source before they were copied", p, at, earliest[p]-1)
		case at > end[p]:
			t.fail(check, t.reset(p, "earliest")+" copies the topic as it is now",
				"partition %d: the copy is at offset %d, and the source ends at %d: it was created again, or has lost its end", p, at, end[p])
		default:
			lag += end[p] - at
		}
	}
	switch {
	case slices.ContainsFunc(t.Findings, func(f Finding) bool { return f.Check == check && f.Status == Fail }):
	case none == int64(len(partitions)):
		t.ok(check, "job %s has copied nothing yet: it begins at %s", t.doctor.settings.Job, t.beginning())
	case none > 0:
		t.ok(check, "job %s is %d offsets behind in %d partitions; in %d it has copied nothing yet", t.doctor.settings.Job, lag, int64(len(partitions))-none, none)
	default:
		t.ok(check, "job %s is %d offsets behind the source", t.doctor.settings.Job, lag)
	}
}

func (t *topic) beginning() string {
	if t.doctor.settings.Start == startEarliest {
		return "the earliest record of the source"
	}
	return "the first event"
}

// reset is the command that chooses where a partition goes on.
func (t *topic) reset(partition int32, to string) string {
	command := []string{"etl offsets reset --job", t.doctor.settings.Job, "--topic", t.name}
	if t.to != t.name {
		command = append(command, "--topics", t.name+":"+t.to)
	}
	return strings.Join(append(command, "--partition", fmt.Sprint(partition), "--to", to, "--execute"), " ")
}
