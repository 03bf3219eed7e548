package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"strconv"
	"strings"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/network"
	"golang.org/x/sync/errgroup"
)

// Nodes is one cluster of several nodes, each a broker and a controller. What
// it stores has a replica on each of them, and is acknowledged once all but one
// have it: with three nodes one may be away.
type Nodes struct {
	// Brokers are the addresses of all nodes, on loopback.
	Brokers []string

	nodes   []*Cluster
	network *testcontainers.DockerNetwork
}

// StartNodes starts count nodes at the same time, each as cfg says, and returns
// once all take requests. When one does not start, none stays. The caller
// closes them. Config.Proxied is not for several nodes.
func StartNodes(ctx context.Context, count int, cfg Config) (*Nodes, error) {
	if cfg.Proxied {
		return nil, fmt.Errorf("start %d nodes: a proxy has one node behind it", count)
	}
	n := &Nodes{nodes: make([]*Cluster, count), Brokers: make([]string, count)}
	var err error
	if n.network, err = network.New(ctx); err != nil {
		return nil, fmt.Errorf("start %d nodes: %w", count, err)
	}
	shared := testcontainers.WithEnv(map[string]string{"CLUSTER_ID": clusterID(), "KAFKA_JVM_PERFORMANCE_OPTS": thriftyJVM})
	starts, startCtx := errgroup.WithContext(ctx)
	for i := range n.nodes {
		address, err := freeAddress()
		if err != nil {
			return nil, errors.Join(fmt.Errorf("start node %d: %w", i+1, err), starts.Wait(), n.Close(context.WithoutCancel(ctx)))
		}
		n.Brokers[i] = address.String()
		one := cfg
		one.Settings = maps.Clone(nodeSettings(i+1, count, address))
		maps.Copy(one.Settings, cfg.Settings)
		starts.Go(func() (err error) {
			n.nodes[i], err = one.start(startCtx, address, shared, network.WithNetwork([]string{nodeHost(i + 1)}, n.network))
			return err
		})
	}
	if err := starts.Wait(); err != nil {
		return nil, errors.Join(err, n.Close(context.WithoutCancel(ctx)))
	}
	return n, nil
}

// thriftyJVM spends less on compiling and collecting than it costs in speed:
// several nodes have to start on a machine of two cores.
const thriftyJVM = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"

// nodeHost is the name of a node in the network that the nodes share.
func nodeHost(id int) string { return "node-" + strconv.Itoa(id) }

// nodeSettings are what a node of several has other than one that stands alone.
func nodeSettings(id, count int, address netip.AddrPort) map[string]string {
	voters := make([]string, count)
	for i := range voters {
		voters[i] = fmt.Sprintf("%d@%s:19094", i+1, nodeHost(i+1))
	}
	replicas, least := strconv.Itoa(count), strconv.Itoa(max(count-1, 1))
	return map[string]string{
		"node.id": strconv.Itoa(id),
		"listeners": fmt.Sprintf("HOST://0.0.0.0:%d,INSIDE://0.0.0.0:19093,CONTROLLER://0.0.0.0:19094",
			listenerPort),
		"advertised.listeners":     fmt.Sprintf("HOST://%s,INSIDE://%s:19093", address, nodeHost(id)),
		"controller.quorum.voters": strings.Join(voters, ","),

		// A busy machine must not look like a dead controller, of which there are few.
		"controller.quorum.election.timeout.ms": "3000",
		"controller.quorum.fetch.timeout.ms":    "6000",
		"controller.quorum.request.timeout.ms":  "6000",

		"default.replication.factor":                       replicas,
		"min.insync.replicas":                              least,
		"offsets.topic.replication.factor":                 replicas,
		"transaction.state.log.replication.factor":         replicas,
		"transaction.state.log.min.isr":                    least,
		"share.coordinator.state.topic.replication.factor": replicas,
		"share.coordinator.state.topic.min.isr":            least,
	}
}

// Node gives a node by its id, as a partition's leader has one: from 1. It can
// be stopped, killed, paused and started by itself.
func (n *Nodes) Node(id int32) *Cluster { return n.nodes[id-1] }

// Close removes all nodes and their records.
func (n *Nodes) Close(ctx context.Context) error {
	var closes errgroup.Group
	for _, node := range n.nodes {
		if node != nil {
			closes.Go(func() error { return node.Close(ctx) })
		}
	}
	if err := closes.Wait(); err != nil {
		return err
	}
	return n.network.Remove(ctx)
}
