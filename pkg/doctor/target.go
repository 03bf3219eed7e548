package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// checkTarget looks at the target topic, with the rights that writing takes.
func (t *topic) checkTarget(ctx context.Context) {
	const check = "target topic"
	c := t.target
	needs := []kafka.Operation{kafka.OperationWrite, kafka.OperationRead, kafka.OperationDescribe}
	health, err := health(ctx, c, t.to)
	switch {
	case errors.Is(err, kafka.ErrAuthorization):
		t.fail(check, c.allow(topicNamed(t.to), needs...), "the user may not see %s, if it exists", t.to)
		return
	case errors.Is(err, kafka.ErrUnknownTopic):
		t.checkCreate(ctx)
		return
	case err != nil:
		t.fail(check, "look into the brokers' logs", "%v", err)
		return
	}
	t.created = true
	t.partitions(check, c, health)
	t.checkWriting(health)
	t.checkPartitionCounts(health)
	t.checkSame(ctx)
	t.checkCheckpointGroup(ctx)
	settings, _, err := c.client.TopicSettings(ctx, t.to)
	switch {
	case errors.Is(err, kafka.ErrAuthorization):
		t.warn("target settings", c.allow(topicNamed(t.to), kafka.OperationDescribeConfigs),
			"the user may not read them: the copy does not know how large a batch may be, and learns it by refusals")
	case err != nil:
		t.skip("target settings", "%v", err)
	default:
		t.checkSettings(settings, health)
	}
}

// checkWriting holds the rights on the target topic against what a copy does.
// READ, because offsets are committed for a topic only by who may read it
// (TxnOffsetCommit: https://kafka.apache.org/documentation/#operations_in_kafka).
func (t *topic) checkWriting(health kafka.TopicHealth) {
	for _, need := range []struct {
		operation kafka.Operation
		check     string
		what      string
	}{
		{kafka.OperationWrite, "writing it", "to write records"},
		{kafka.OperationRead, "checkpoint's topic", "to commit the checkpoint, which is an offset of this topic"},
	} {
		fix := t.target.allow(topicNamed(t.to), need.operation)
		switch {
		case !health.Operations.Known():
			t.add(Skip, need.check, "where the copy is not authorized: "+fix, "brokers before 2.3 do not tell whether the user has %s", need.operation)
		case !health.Operations.Allow(need.operation):
			t.fail(need.check, fix, "the user has no %s on %s, %s", need.operation, t.to, need.what)
		default:
			t.ok(need.check, "%s on %s, %s", need.operation, t.to, need.what)
		}
	}
}

// checkCreate asks whether the copy could create the target topic.
func (t *topic) checkCreate(ctx context.Context) {
	const check = "target topic"
	c := t.target
	byHand := fmt.Sprintf("kafka-topics.sh --bootstrap-server %s --create --topic %s --partitions %d", c.config.Brokers[0], t.to, max(len(t.described.Partitions), 1))
	if !t.doctor.settings.CreateTopics {
		t.fail(check, byHand+"; or set CREATE_TOPICS=true", "%s does not exist, and CREATE_TOPICS is false", t.to)
		return
	}
	if len(t.described.Partitions) == 0 {
		t.skip(check, "%s does not exist; the copy creates it like the source topic", t.to)
		return
	}
	spec, err := mirror.TargetSpec(ctx, t.source.client, t.described, t.to)
	if errors.Is(err, kafka.ErrAuthorization) {
		t.fail(check, t.source.allow(topicNamed(t.name), kafka.OperationDescribeConfigs)+"; or "+byHand,
			"%s does not exist, and the user may not read the settings of the source topic to create it alike", t.to)
		return
	}
	if err == nil {
		err = c.client.CheckCreate(ctx, spec)
	}
	switch {
	case errors.Is(err, kafka.ErrAuthorization):
		t.fail(check, c.allow(topicNamed(t.to), kafka.OperationCreate, kafka.OperationWrite, kafka.OperationRead, kafka.OperationDescribe),
			"%s does not exist, and the user may not create it", t.to)
	case errors.Is(err, kafka.ErrTopicExists):
		t.skip(check, "%s was created a moment ago: run this again", t.to)
	case errors.Is(err, kafka.ErrUnsupported):
		t.skip(check, "%s does not exist; the copy creates it with %s", t.to, count(spec.Partitions, "partition"))
	case err != nil:
		t.fail(check, byHand+" with settings that this cluster takes", "%s does not exist, and the cluster would not create it like the source topic: %v", t.to, err)
	default:
		t.ok(check, "%s does not exist yet; the copy may create it, with %s%s", t.to, count(spec.Partitions, "partition"), withSettings(spec.Settings))
	}
	t.checkCheckpointGroup(ctx)
}

func withSettings(settings map[string]string) string {
	if len(settings) == 0 {
		return ""
	}
	return " and " + count(len(settings), "setting") + " of the source topic"
}

func (t *topic) checkPartitionCounts(health kafka.TopicHealth) {
	from, to := len(t.described.Partitions), len(health.Partitions)
	if from == 0 || from == to {
		return
	}
	fix := "nothing, where that is meant; else delete the target topic and have the copy create it"
	if to < from {
		fix = fmt.Sprintf("before the first copy: kafka-topics.sh --bootstrap-server %s --alter --topic %s --partitions %d", t.target.config.Brokers[0], t.to, from)
	}
	t.warn("partitions", fix, "the source topic has %d and the target topic %d: records are placed by key, and the order between keys is not kept", from, to)
}

// checkSame notices that a topic would be copied into itself.
func (t *topic) checkSame(ctx context.Context) {
	id := t.described.ID.String()
	if id == "" {
		return
	}
	if target, err := t.target.client.Topic(ctx, t.to); err == nil && target.ID.String() == id {
		t.fail("two topics", "name another cluster in TARGET_BROKERS, or another topic in TOPICS", "source and target are one topic: each copy would be a new record to copy, without end")
	}
}

func (t *topic) checkCheckpointGroup(ctx context.Context) {
	group := mirror.CheckpointGroup(t.doctor.settings.Job, t.name, 0)
	t.checkGroup(ctx, t.target, "checkpoint's group", group, groups(t.target.groupPrefix()))
}

// checkSettings holds the target topic's settings against the source's.
func (t *topic) checkSettings(settings map[string]string, health kafka.TopicHealth) {
	before := len(t.Findings)
	fix := func(setting string) string {
		return fmt.Sprintf("kafka-configs.sh --bootstrap-server %s --alter --entity-type topics --entity-name %s --add-config %s", t.target.config.Brokers[0], t.to, setting)
	}
	if settings[settingTimeType] == logAppendTime {
		t.fail("target's times", fix(settingTimeType+"=CreateTime"), "%s=LogAppendTime would replace the records' times: the copy refuses it", settingTimeType)
	}
	t.checkMaxBytes(settings, fix)
	t.checkTimes(settings, fix)
	t.checkKeeping(settings, fix)
	if codec := settings["compression.type"]; codec != "" && codec != "producer" {
		t.warn("target compression", fix("compression.type=producer"), "compression.type=%s: its brokers encode every batch anew, which costs them time", codec)
	}
	least, ok := number(settings, "min.insync.replicas")
	if replicas := health.Partitions[0].Replicas; ok && least > int64(replicas) {
		t.fail("target replicas", fix(fmt.Sprintf("min.insync.replicas=%d", replicas)), "%s, of which %d must be in sync: nothing can be written", count(replicas, "replica"), least)
	}
	if len(t.Findings) == before {
		most, _ := number(settings, settingMaxBytes)
		t.ok("target settings", "take what the source topic has: batches up to %s, times kept", size(most))
	}
}

func (t *topic) checkMaxBytes(settings map[string]string, fix func(string) string) {
	from, ok := number(t.settings, settingMaxBytes)
	to, known := number(settings, settingMaxBytes)
	if ok && known && to < from {
		t.warn("target record size", fix(fmt.Sprintf("%s=%d", settingMaxBytes, from)),
			"batches up to %s, and the source topic takes up to %s: a record above the first stops its partition", size(to), size(from))
	}
}

// checkTimes is about brokers from 3.6 on, which refuse times too far away
// (KIP-937); from 4.0 on an hour ahead is too far.
func (t *topic) checkTimes(settings map[string]string, fix func(string) string) {
	const check = "target's times"
	from, _ := number(t.settings, settingAfterMax)
	to, ok := number(settings, settingAfterMax)
	now := t.doctor.Now().UnixMilli()
	switch {
	case ok && t.newest > 0 && t.newest-to > now:
		t.fail(check, fix(fmt.Sprintf("%s=%d", settingAfterMax, int64(1)<<62)),
			"a record of the source is of %s, and the target refuses what is more than %s ahead", at(t.newest), span(time.Duration(to)*time.Millisecond))
	case ok && from > to:
		t.warn(check, fix(fmt.Sprintf("%s=%d", settingAfterMax, from)), "times up to %s ahead are taken, and the source topic takes more: such a record stops its partition",
			span(time.Duration(to)*time.Millisecond))
	}
	if to, ok := number(settings, settingBefore); ok && t.oldest > 0 && t.oldest < now-to {
		t.fail(check, fix(fmt.Sprintf("%s=%d", settingBefore, int64(1)<<62)), "a record of the source is of %s, and the target refuses what is that old", at(t.oldest))
	}
}

// checkKeeping is about what the target throws away that the source keeps.
func (t *topic) checkKeeping(settings map[string]string, fix func(string) string) {
	const check = "target retention"
	if t.settings == nil {
		return
	}
	from, to := t.settings["cleanup.policy"], settings["cleanup.policy"]
	switch {
	case strings.Contains(to, "compact") && !strings.Contains(from, "compact"):
		t.warn(check, fix("cleanup.policy="+from), "cleanup.policy=%s: of each key only the newest record stays, where the source keeps all", to)
		return
	case from == "compact" && strings.Contains(to, "delete"):
		t.warn(check, fix("cleanup.policy=compact"), "cleanup.policy=%s: old records go, where the source keeps the newest of each key for ever", to)
		return
	}
	sourceKeeps, ok := milliseconds(t.settings, "retention.ms")
	targetKeeps, known := milliseconds(settings, "retention.ms")
	if ok && known && to != "compact" && targetKeeps >= 0 && (sourceKeeps < 0 || targetKeeps < sourceKeeps) {
		t.warn(check, fix(fmt.Sprintf("retention.ms=%s", t.settings["retention.ms"])), "records go after %s, sooner than in the source", span(targetKeeps))
	}
}
