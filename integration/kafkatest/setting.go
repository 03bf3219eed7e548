package kafkatest

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// defaults are the settings of a cluster that stands alone, starts quickly and
// shows within a test what takes minutes elsewhere. Retention, sizes and
// message.timestamp.after.max.ms stay as Kafka has them: the copy has to live
// with those.
func defaults(address string) map[string]string {
	return map[string]string{
		"node.id":       "1",
		"process.roles": "broker,controller",
		"listeners": fmt.Sprintf("HOST://0.0.0.0:%d,INSIDE://%s,CONTROLLER://localhost:19094",
			listenerPort, Inside),
		"advertised.listeners":             fmt.Sprintf("HOST://%s,INSIDE://%s", address, Inside),
		"listener.security.protocol.map":   "HOST:PLAINTEXT,INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"inter.broker.listener.name":       "INSIDE",
		"controller.listener.names":        "CONTROLLER",
		"controller.quorum.voters":         "1@localhost:19094",
		"log.dirs":                         dataFolder,
		"auto.create.topics.enable":        "false",
		"broker.heartbeat.interval.ms":     "500",
		"broker.session.timeout.ms":        "5000",
		"group.initial.rebalance.delay.ms": "0",
		"group.min.session.timeout.ms":     "100",
		"log.cleaner.backoff.ms":           "200",
		"log.cleaner.dedupe.buffer.size":   "16777216",
		"log.retention.check.interval.ms":  "1000",
		"offsets.topic.num.partitions":     "3",
		"offsets.topic.replication.factor": "1",

		"share.coordinator.state.topic.min.isr":                       "1",
		"share.coordinator.state.topic.num.partitions":                "1",
		"share.coordinator.state.topic.replication.factor":            "1",
		"transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
		"transaction.state.log.min.isr":                               "1",
		"transaction.state.log.num.partitions":                        "3",
		"transaction.state.log.replication.factor":                    "1",
	}
}

// zooKeeper turns settings into those of a broker before 3.0, which has no
// controller of its own. Settings that it does not know do no harm.
func zooKeeper(settings map[string]string) {
	for name := range settings {
		if strings.HasPrefix(name, "controller.") || name == "process.roles" || name == "node.id" {
			delete(settings, name)
		}
	}
	for _, list := range []string{"listeners", "listener.security.protocol.map"} {
		settings[list], _, _ = strings.Cut(settings[list], ",CONTROLLER:")
	}
	settings["broker.id"] = "1"
	// a busy machine is no reason to take the broker for dead
	settings["zookeeper.session.timeout.ms"] = "18000"
}

// withZooKeeper says that the release is from before KRaft was ready for use.
func (cfg Config) withZooKeeper() bool {
	major, _, _ := strings.Cut(cfg.Version, ".")
	return slices.Contains([]string{"0", "1", "2"}, major)
}

// env is the environment that configures a container, as the official image
// reads it. address is what clients connect to.
func (cfg Config) env(address string) map[string]string {
	settings := defaults(address)
	if cfg.withZooKeeper() {
		zooKeeper(settings)
	}
	maps.Copy(settings, cfg.Settings)
	env := map[string]string{
		"CLUSTER_ID":      clusterID(),
		"KAFKA_HEAP_OPTS": "-Xms256m -Xmx512m",
	}
	if cfg.Heap != "" {
		env["KAFKA_HEAP_OPTS"] = cfg.Heap
	}
	for name, value := range settings {
		env[variable(name)] = strings.ReplaceAll(value, "\n", `\n`)
	}
	return env
}

// variable is the variable for a setting: KAFKA_A_B is a.b, KAFKA_A__B is a_b,
// KAFKA_A___B is a-b.
func variable(setting string) string {
	name := strings.NewReplacer("_", "__", "-", "___", ".", "_").Replace(setting)
	return "KAFKA_" + strings.ToUpper(name)
}

// clusterID returns a new id: two clusters of one test are never one to a
// client that compares ids.
func clusterID() string {
	id := make([]byte, 16)
	rand.Read(id) // never fails: documented
	id[0] &= 0x7f // no leading "-", which a tool would read as an option
	return base64.RawURLEncoding.EncodeToString(id)
}
