package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// topic is one topic that is copied, with what was found about it.
type topic struct {
	Section
	doctor         *doctor
	source, target *cluster
	name, to       string // of the source topic and of the target topic

	described kafka.Topic       // of the source; the zero Topic where it cannot be seen
	settings  map[string]string // of the source topic; nil where the user may not read them
	created   bool              // the target topic is there
	newest    int64             // time stamp of the newest record read; 0: none was read
	oldest    int64
}

// checkTopic looks at a topic on both sides.
func checkTopic(ctx context.Context, d *doctor, source, target *cluster, name string) Section {
	t := &topic{doctor: d, source: source, target: target, name: name, to: d.settings.Topics.Target(name)}
	t.Title = "topic " + name
	if t.to != name {
		t.Title += " -> " + t.to
	}
	if source.client != nil {
		t.checkSource(ctx)
	}
	if target.client != nil {
		t.checkTarget(ctx)
	}
	if source.client != nil && target.client != nil && len(t.described.Partitions) > 0 && t.created {
		t.checkCheckpoint(ctx)
	}
	t.checkClock()
	return t.Section
}

// checkSource looks at the source topic, with the rights that reading it takes.
func (t *topic) checkSource(ctx context.Context) {
	const check = "source topic"
	c := t.source
	health, err := health(ctx, c, t.name)
	switch {
	case errors.Is(err, kafka.ErrAuthorization):
		t.fail(check, c.allow(topicNamed(t.name), kafka.OperationRead, kafka.OperationDescribe),
			"the user may not see it, if it exists")
		return
	case errors.Is(err, kafka.ErrUnknownTopic):
		t.fail(check, fmt.Sprintf("correct the name (TOPIC, or the trigger in serverless.yml), or create it: "+
			"kafka-topics.sh --bootstrap-server %s --create --topic %s", c.config.Brokers[0], t.name), "it does not exist")
		return
	case err != nil:
		t.fail(check, "look into the brokers' logs", "%v", err)
		return
	}
	t.partitions(check, c, health)
	if t.described, err = c.client.Topic(ctx, t.name); err != nil {
		t.fail(check, "look into the brokers' logs", "%v", err)
		return
	}
	t.checkReading(ctx, health)
	t.checkTriggerGroup(ctx)
	all, _, err := c.client.TopicSettings(ctx, t.name)
	switch {
	case errors.Is(err, kafka.ErrAuthorization):
		t.add(Skip, "source settings", c.allow(topicNamed(t.name), kafka.OperationDescribeConfigs),
			"the user may not read them: the copy cannot create the target topic like it, and retention is not known here")
	case err != nil:
		t.skip("source settings", "%v", err)
	default:
		t.settings = all
		t.checkRetention()
	}
}

// health asks for one topic with its replicas.
func health(ctx context.Context, c *cluster, name string) (kafka.TopicHealth, error) {
	state, err := c.client.Cluster(ctx, name)
	if err == nil && len(state.Topics) != 1 {
		err = kafka.ErrUnknownTopic
	}
	if err != nil {
		return kafka.TopicHealth{}, err
	}
	return state.Topics[0], state.Topics[0].Err
}

// partitions says whether they can all be used.
func (t *topic) partitions(check string, c *cluster, health kafka.TopicHealth) {
	offline, behind, replicas := 0, 0, 0
	for _, p := range health.Partitions {
		replicas = max(replicas, p.Replicas)
		switch {
		case p.Leader < 0:
			offline++
		case p.InSync < p.Replicas:
			behind++
		}
	}
	found := fmt.Sprintf("%s, %s each", count(len(health.Partitions), "partition"), count(replicas, "replica"))
	fix := "start the brokers that are down: kafka-topics.sh --bootstrap-server " + c.config.Brokers[0] + " --describe --topic " + health.Name + " names them"
	switch {
	case offline > 0:
		t.fail(check, fix, "%s; %d have no leader and cannot be used", found, offline)
	case behind > 0:
		t.warn(check, fix, "%s; %d have replicas that are behind", found, behind)
	default:
		t.ok(check, "%s, all online", found)
	}
}

// checkTriggerGroup looks at the group whose offsets say how far the trigger is.
func (t *topic) checkTriggerGroup(ctx context.Context) {
	if t.doctor.function == nil {
		return
	}
	for _, e := range t.doctor.function.Events {
		if e.Kafka != nil && e.Kafka.Topic == t.name && e.Kafka.ConsumerGroup != "" {
			t.checkGroup(ctx, t.source, "trigger's group", e.Kafka.ConsumerGroup, groupNamed(e.Kafka.ConsumerGroup))
		}
	}
}

// checkGroup finds out whether the user may read, and so commit for, a group.
func (t *topic) checkGroup(ctx context.Context, c *cluster, check, group string, on resource) {
	operations, err := c.client.GroupOperations(ctx, group)
	fix := c.allow(on, kafka.OperationRead)
	switch {
	case errors.Is(err, kafka.ErrAuthorization), err == nil && operations.Known() && !operations.Allow(kafka.OperationRead):
		t.fail(check, fix, "the user has no READ on group %s", group)
	case err != nil:
		t.skip(check, "%v", err)
	case !operations.Known():
		t.add(Skip, check, "where the copy is not authorized: "+fix, "brokers before 2.3 do not tell whether the user has READ on group %s", group)
	default:
		t.ok(check, "READ on group %s", group)
	}
}

// checkRetention says for how long the copy may be down.
func (t *topic) checkRetention() {
	const check = "source retention"
	policy := t.settings["cleanup.policy"]
	keep, ok := milliseconds(t.settings, "retention.ms")
	bytes, _ := number(t.settings, "retention.bytes")
	var found []string
	switch {
	case policy == "compact":
		found = append(found, "compacted: only the newest record of a key stays, and the copy takes what is there when it comes by")
	case !ok:
		t.skip(check, "the broker does not tell retention.ms")
		return
	case keep < 0:
		found = append(found, "records stay for ever")
	default:
		found = append(found, fmt.Sprintf("records stay for %s: a copy that is down for longer finds a gap", span(keep)))
	}
	if policy != "compact" && bytes > 0 {
		found = append(found, fmt.Sprintf("and no longer than a partition is below %s", size(bytes)))
	}
	if t.settings[settingTimeType] == logAppendTime {
		found = append(found, "their times are those of the broker (LogAppendTime), and are copied")
	}
	text := strings.Join(found, "; ")
	if policy != "compact" && ok && keep >= 0 && keep < 24*time.Hour {
		t.warn(check, fmt.Sprintf("kafka-configs.sh --bootstrap-server %s --alter --entity-type topics --entity-name %s --add-config retention.ms=604800000",
			t.source.config.Brokers[0], t.name), "%s", text)
		return
	}
	t.ok(check, "%s", text)
}

// Topic settings (https://kafka.apache.org/documentation/#topicconfigs).
const (
	settingTimeType = "message.timestamp.type"
	logAppendTime   = "LogAppendTime"
	settingMaxBytes = "max.message.bytes"
	settingAfterMax = "message.timestamp.after.max.ms"
	settingBefore   = "message.timestamp.before.max.ms"
)
