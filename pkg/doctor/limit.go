package doctor

import (
	"context"
	"fmt"
	"time"

	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// configure is the command that changes a setting of all brokers.
func (c *cluster) configure(setting string) string {
	return fmt.Sprintf("kafka-configs.sh --bootstrap-server %s --alter --entity-type brokers --entity-default --add-config %s", c.config.Brokers[0], setting)
}

// serverProperties is for settings that only a restart changes.
func serverProperties(setting string) string {
	return "set " + setting + " in server.properties of every broker and restart them one after the other"
}

// checkLimits holds the target's settings against what a copy does. What each
// means: https://kafka.apache.org/documentation/#brokerconfigs.
func (c *cluster) checkLimits() {
	if c.settings == nil {
		return
	}
	c.limitTransaction()
	c.limitCheckpoint()
	c.limitReplicas()
}

func (c *cluster) limitTransaction() {
	most, ok := milliseconds(c.settings, "transaction.max.timeout.ms")
	if !ok {
		return
	}
	const want = mirror.DefaultTransactionTimeout
	if most < want {
		c.fail("transaction time-out", serverProperties(fmt.Sprintf("transaction.max.timeout.ms=%d", want.Milliseconds())),
			"transaction.max.timeout.ms is %s, and the copy asks for %s", span(most), span(want))
		return
	}
	c.ok("transaction time-out", "the copy asks for %s, the cluster allows %s", span(want), span(most))
}

func (c *cluster) limitCheckpoint() {
	minutes, ok := number(c.settings, "offsets.retention.minutes")
	if !ok {
		return
	}
	keep := time.Duration(min(minutes, int64(100*365*24*60))) * time.Minute
	found := fmt.Sprintf("a checkpoint is forgotten when its partition has had nothing to copy for %s", span(keep))
	if keep < 7*24*time.Hour { // Kafka's default since 2.0
		then := "begins at the event, and leaves out what is before it"
		if c.doctor.settings.Start == startEarliest {
			then = "begins at the earliest record, and copies again what is there already"
		}
		c.warn("checkpoint", serverProperties("offsets.retention.minutes=10080, or more,"), "%s (offsets.retention.minutes=%d): then the copy %s", found, minutes, then)
	} else {
		c.ok("checkpoint", "%s", found)
	}
	if expires, ok := milliseconds(c.settings, "transactional.id.expiration.ms"); ok {
		c.ok("transactional ids", "forgotten after %s without use; the copy takes them up anew", span(expires))
	}
}

// limitReplicas is about topics that the copy creates.
func (c *cluster) limitReplicas() {
	least, ok := number(c.settings, "min.insync.replicas")
	replicas, known := number(c.settings, "default.replication.factor")
	brokers := int64(len(c.state.Brokers))
	switch {
	case !ok || !known:
	case replicas > brokers:
		c.warn("replicas", serverProperties(fmt.Sprintf("default.replication.factor=%d", brokers))+", or add brokers",
			"a new topic would get %d replicas, and the cluster has %s: it cannot be created", replicas, count(len(c.state.Brokers), "broker"))
	case least > replicas:
		c.warn("replicas", c.configure(fmt.Sprintf("min.insync.replicas=%d", max(replicas-1, 1))),
			"a new topic gets %d replicas, of which %d must be in sync for a write: nothing can be written", replicas, least)
	case least == replicas && replicas > 1:
		c.warn("replicas", c.configure(fmt.Sprintf("min.insync.replicas=%d", replicas-1)),
			"a new topic gets %d replicas, all of which must be in sync: one broker that restarts stops the copy", replicas)
	case replicas == 1 && brokers > 1:
		c.warn("replicas", serverProperties("default.replication.factor=3"), "a new topic gets one replica, on one of %d brokers", brokers)
	default:
		c.ok("replicas", "a new topic gets %d, of which %d must be in sync for a write", replicas, least)
	}
}

// checkInternalTopics looks at where transactions and checkpoints are kept.
func (c *cluster) checkInternalTopics(ctx context.Context) {
	state, err := c.client.Cluster(ctx, "__transaction_state", "__consumer_offsets")
	if err != nil {
		c.skip("internal topics", "%v", err)
		return
	}
	for _, t := range state.Topics {
		if t.Err != nil || len(t.Partitions) == 0 {
			continue // not created yet, or not for this user to see
		}
		replicas, offline := t.Partitions[0].Replicas, 0
		for _, p := range t.Partitions {
			replicas = min(replicas, p.Replicas)
			if p.Leader < 0 {
				offline++
			}
		}
		what := map[string]string{"__transaction_state": "transactions", "__consumer_offsets": "checkpoints"}[t.Name]
		least, bounded := int64(0), false
		if what == "transactions" {
			least, bounded = number(c.settings, "transaction.state.log.min.isr")
		}
		switch {
		case offline > 0:
			c.fail(t.Name, "start the brokers that are down", "%d of %d partitions have no leader: jobs whose %s are there cannot go on", offline, len(t.Partitions), what)
		case bounded && least > int64(replicas):
			c.fail(t.Name, serverProperties(fmt.Sprintf("transaction.state.log.min.isr=%d", replicas)),
				"%d replicas, of which %d must be in sync: no transaction can be begun", replicas, least)
		case replicas == 1 && len(c.state.Brokers) > 1:
			c.warn(t.Name, "kafka-reassign-partitions.sh gives it more: a single lost broker takes "+what+" with it", "one replica, on %d brokers", len(c.state.Brokers))
		default:
			c.ok(t.Name, "%s of each partition, all online", count(replicas, "replica"))
		}
	}
}
