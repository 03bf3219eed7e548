package integration

import (
	"slices"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/integration/kafkatest"
	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/mirror"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// threeBrokers has the stories of clusters that outlive a broker. They take
// turns on the same three nodes, because each needs all of them well.
func threeBrokers(t *testing.T) {
	pair := containers.Pair(t)
	nodes := containers.NewNodes(t, 3, kafkatest.Config{Heap: "-Xms128m -Xmx384m"})
	three := kafka.Config{Brokers: nodes.Brokers}

	t.Run("source brokers are killed, restarted and lose their leaders: nothing is lost, doubled or reordered", func(t *testing.T) {
		w := newWorld(t, three, kafka.Config{Brokers: pair.Target.Brokers})
		w.brokersFail(t, nodes, three, w.source)
	})
	t.Run("target brokers are killed, restarted and lose their leaders: nothing is lost, doubled or reordered", func(t *testing.T) {
		w := newWorld(t, kafka.Config{Brokers: pair.Source.Brokers}, three)
		w.brokersFail(t, nodes, three, w.target)
	})
	t.Run("coordinators of the target move in the middle of a transaction: nothing is lost, doubled or reordered", func(t *testing.T) {
		w := newWorld(t, kafka.Config{Brokers: pair.Source.Brokers}, three)
		w.coordinatorsMove(t, three)
	})
}

// brokersFail copies while the brokers of one side have one fault after the
// other.
func (w *world) brokersFail(t *testing.T, nodes *kafkatest.Nodes, side kafka.Config, client *kafka.Client) {
	const partitions = 3
	w.createTopic(t, partitions, sample.TopicSettings())
	f := w.feed(t, partitions)
	w.deploy(t, func(_ *emulator.Config, f *scf.Function) { largeEvents(f) })
	w.through(t, f, "moved leaders", func() { w.moveLeaders(t, side, w.topic) })

	for _, fault := range []struct {
		what string
		end  func(*kafkatest.Cluster) error
	}{
		{"a killed leader", func(c *kafkatest.Cluster) error { return c.Kill(w.ctx) }},
		{"a stopped leader", func(c *kafkatest.Cluster) error { return c.Stop(w.ctx) }},
	} {
		leader := w.leaders(t, client, w.topic)[0]
		w.through(t, f, fault.what, func() {
			if err := fault.end(nodes.Node(leader)); err != nil {
				t.Fatal(err)
			}
			w.await(t, "another leader", func() (bool, error) {
				topic, err := client.Topic(w.ctx, w.topic)
				return err == nil && topic.Partitions[0].Leader != leader && topic.Partitions[0].Leader >= 0, err
			})
		})
		w.through(t, f, fault.what+" that is back", func() {
			if err := nodes.Node(leader).Start(w.ctx); err != nil {
				t.Fatal(err)
			}
			w.awaitInSync(t, side)
		})
	}
	w.finish(t, f)
}

// coordinatorsMove has the function stand still within a transaction while the
// coordinator of that transaction, and then that of its checkpoint, moves to
// another broker.
func (w *world) coordinatorsMove(t *testing.T, side kafka.Config) {
	w.createTopic(t, 1, sample.TopicSettings())
	f := w.feed(t, 1)
	w.deploy(t, func(_ *emulator.Config, f *scf.Function) { largeEvents(f); f.Timeout = 120 })
	id := mirror.CheckpointGroup(job, w.topic, 0)
	for _, internal := range []string{"__transaction_state", "__consumer_offsets"} {
		w.through(t, f, "moved leaders of "+internal, func() {
			w.await(t, "a transaction that is open before and after the move", func() (bool, error) {
				pids := w.processes(t)
				w.signal(t, pids, syscall.SIGSTOP)
				defer w.signal(t, pids, syscall.SIGCONT)
				if !w.ongoing(t, side, id) {
					return false, nil
				}
				w.moveLeaders(t, side, internal)
				return w.ongoing(t, side, id), nil
			})
		})
	}
	w.finish(t, f)
}

// signal stops processes, or lets them go on. One that has ended is left out.
func (w *world) signal(t *testing.T, pids []int, signal syscall.Signal) {
	t.Helper()
	for _, pid := range pids {
		if err := syscall.Kill(pid, signal); err != nil && err != syscall.ESRCH {
			t.Fatal(err)
		}
	}
}

// ongoing says whether the transaction of an id is open.
func (w *world) ongoing(t *testing.T, cluster kafka.Config, id string) bool {
	t.Helper()
	request := kmsg.NewPtrListTransactionsRequest()
	request.StateFilters = []string{"Ongoing"}
	response, err := request.RequestWith(w.ctx, w.connect(t, cluster))
	if err != nil {
		return false // a coordinator that loads: asked again
	}
	return slices.ContainsFunc(response.TransactionStates, func(s kmsg.ListTransactionsResponseTransactionState) bool {
		return s.TransactionalID == id
	})
}

// leaders gives the leader of each partition.
func (w *world) leaders(t *testing.T, client *kafka.Client, topic string) []int32 {
	t.Helper()
	described, err := client.Topic(w.ctx, topic)
	if err != nil {
		t.Fatal(err)
	}
	var leaders []int32
	for _, p := range described.Partitions {
		leaders = append(leaders, p.Leader)
	}
	return leaders
}

// moveLeaders moves the leader of every partition to the next of its replicas,
// and returns once all have moved.
func (w *world) moveLeaders(t *testing.T, cluster kafka.Config, topic string) {
	t.Helper()
	before := w.describe(t, cluster, topic).Partitions
	assign := kmsg.NewPtrAlterPartitionAssignmentsRequest()
	assigned := kmsg.NewAlterPartitionAssignmentsRequestTopic()
	assigned.Topic = topic
	elect := kmsg.NewPtrElectLeadersRequest()
	elected := kmsg.NewElectLeadersRequestTopic()
	elected.Topic = topic
	next := map[int32]int32{}
	for _, p := range before {
		at := slices.Index(p.Replicas, p.Leader) + 1
		replicas := slices.Concat(p.Replicas[at:], p.Replicas[:at])
		next[p.Partition] = replicas[0]
		partition := kmsg.NewAlterPartitionAssignmentsRequestTopicPartition()
		partition.Partition, partition.Replicas = p.Partition, replicas
		assigned.Partitions = append(assigned.Partitions, partition)
		elected.Partitions = append(elected.Partitions, p.Partition)
	}
	assign.Topics, elect.Topics = append(assign.Topics, assigned), append(elect.Topics, elected)
	client := w.connect(t, cluster)
	answer, err := assign.RequestWith(w.ctx, client)
	if err == nil {
		err = kerr.ErrorForCode(answer.ErrorCode)
	}
	if err != nil {
		t.Fatalf("reassign %s: %v", topic, err)
	}
	w.await(t, "moved leaders of "+topic, func() (bool, error) {
		if _, err := elect.RequestWith(w.ctx, client); err != nil {
			return false, err
		}
		for _, p := range w.describe(t, cluster, topic).Partitions {
			if p.Leader != next[p.Partition] {
				return false, nil
			}
		}
		return true, nil
	})
}

// describe asks for a topic with its replicas.
func (w *world) describe(t *testing.T, cluster kafka.Config, topic string) kmsg.MetadataResponseTopic {
	t.Helper()
	request := kmsg.NewPtrMetadataRequest()
	one := kmsg.NewMetadataRequestTopic()
	one.Topic = kmsg.StringPtr(topic)
	request.Topics = append(request.Topics, one)
	response, err := request.RequestWith(w.ctx, w.connect(t, cluster))
	if err != nil {
		t.Fatal(err)
	}
	return response.Topics[0]
}

// awaitInSync waits until every replica of every partition is in sync.
func (w *world) awaitInSync(t *testing.T, cluster kafka.Config) {
	t.Helper()
	client := w.connect(t, cluster)
	w.await(t, "replicas in sync", func() (bool, error) {
		response, err := kmsg.NewPtrMetadataRequest().RequestWith(w.ctx, client)
		if err != nil {
			return false, err
		}
		for _, topic := range response.Topics {
			for _, p := range topic.Partitions {
				if len(p.ISR) < len(p.Replicas) {
					return false, nil
				}
			}
		}
		return true, nil
	})
}
