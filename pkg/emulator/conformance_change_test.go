package emulator_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// How triggers come, change and go.
func changeTests() map[string]func(*testing.T) {
	return map[string]func(*testing.T){
		"closed":           testClosed,
		"deployed-closed":  testDeployedClosed,
		"trigger-defaults": testTriggerDefaults,
		"group-default":    testGroupDefault,
		"update":           testUpdate,
		"immutable":        testImmutable,
		"name":             testName,
		"topic-exists":     testTopicExists,
		"delete":           testDelete,
		"stop":             testStop,
	}
}

func closed(k *scf.KafkaTrigger) { k.Enabled = false }

func (r *rig) update(k scf.KafkaTrigger) {
	r.Helper()
	if err := r.p.UpdateTrigger(r.Context(), function, onKafka(k)); err != nil {
		r.Fatal(err)
	}
}

// members is how many members the consumer group has.
func (r *rig) members() int {
	g := r.brokers.Fake().GroupInfo(group)
	if g == nil {
		return 0
	}
	return len(g.Members)
}

func testClosed(t *testing.T) {
	r := newRig(t, 1)
	r.produce(0, "a", "b")
	r.run(trigger())
	r.awaitCommitted(0, 2)
	r.update(trigger(closed))
	if s := r.status(0); s.State != emulator.Stopped || r.p.Triggers()[0].Enabled {
		t.Errorf("status: %+v", s)
	}
	if n := r.members(); n != 0 {
		t.Errorf("the group has %d members", n)
	}
	r.produce(0, "c")
	r.update(trigger())
	r.awaitCommitted(0, 3)
	if got := len(r.received()); got != 3 {
		t.Errorf("%d deliveries of 3 records", got)
	}
}

func testDeployedClosed(t *testing.T) {
	r := newRig(t, 1)
	r.produce(0, "a")
	r.run(trigger(closed))
	if s := r.p.Triggers()[0]; s.Enabled || len(s.Partitions) != 0 {
		t.Errorf("status: %+v", s)
	}
	if g := r.brokers.Fake().GroupInfo(group); g != nil {
		t.Errorf("it has joined its group: %+v", g)
	}
	r.update(trigger())
	r.awaitCommitted(0, 1)
}

func testTriggerDefaults(t *testing.T) {
	r := newRig(t, 1)
	r.produce(0, "before")
	service := load(t, "service: etl\nprovider: tencent\nfunctions: { probe: { handler: main, events: [ { ckafka: { instanceId: "+
		instance+", topic: "+topic+", consumerGroupName: "+group+" } } ] } }\n")
	r.run(*service.Functions[0].Events[0].Kafka)
	r.awaitState(0, emulator.Polling)
	s := r.p.Triggers()[0]
	if !s.Enabled || s.Retry != 10_000 || s.MaxMsgNum != 100 || s.TimeOut != time.Minute || s.Partitions[0].Retry != 10_000 {
		t.Errorf("status: %+v", s)
	}
	values := make([]string, 100)
	for n := range values {
		values[n] = strconv.Itoa(n)
	}
	r.produce(0, values...)
	if got := r.awaitReceived(1)[0].values(); got != strings.Join(values, " ") {
		t.Errorf("the first batch: got %q, want the 100 records that came after the trigger", got)
	}
}

func testGroupDefault(t *testing.T) {
	r := newRig(t, 1)
	r.produce(0, "a")
	r.run(trigger(func(k *scf.KafkaTrigger) { k.ConsumerGroup = "" }))
	name := "scf-" + function + "-" + instance + "-" + topic
	await(t, "its own group has committed", func() bool {
		got, err := r.client.Committed(t.Context(), name, topic, 0)
		return err == nil && got[0].Offset == 1
	})
	if got := r.p.Triggers()[0].Group; got != name {
		t.Errorf("group: got %q", got)
	}
}

func testUpdate(t *testing.T) {
	r := newRig(t, 1)
	open, until := gate(t)
	r.do("[" + until + "]")
	r.produce(0, "a")
	r.run(trigger())
	r.awaitReceived(1)
	updated := make(chan error, 1)
	go func() { updated <- r.p.UpdateTrigger(t.Context(), function, onKafka(trigger(of(2), retries(0)))) }()
	select {
	case err := <-updated:
		t.Fatalf("updated while a batch was in flight: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	open()
	if err := <-updated; err != nil {
		t.Fatal(err)
	}
	if got := r.committed(0); got != 1 {
		t.Errorf("committed %d when the update was done, want the batch that was in flight", got)
	}
	r.produce(0, "b", "c", "d", "e")
	r.awaitCommitted(0, 5)
	var got []string
	for _, d := range r.received() {
		got = append(got, d.values())
	}
	if s := strings.Join(got, ","); s != "a,b c,d e" {
		t.Errorf("got %q", s)
	}
	if s := r.p.Triggers()[0]; s.MaxMsgNum != 2 || s.Retry != 0 {
		t.Errorf("status: %+v", s)
	}
}

func testImmutable(t *testing.T) {
	r := newRig(t, 1)
	r.deploy(trigger())
	for setting, change := range map[string]func(*scf.KafkaTrigger){
		"offset":            from(scf.Latest),
		"consumerGroupName": func(k *scf.KafkaTrigger) { k.ConsumerGroup = "other" },
	} {
		changed := trigger(change)
		errs := map[string]error{
			"update": r.p.UpdateTrigger(t.Context(), function, onKafka(changed)),
			"deploy": r.p.Deploy(t.Context(), scf.Function{
				Name: function, Handler: "main", MemorySize: 128, Timeout: 1, Events: []scf.Trigger{{Kafka: &changed}},
			}, probeDir),
		}
		for how, err := range errs {
			if !errors.Is(err, emulator.ErrImmutable) || !strings.Contains(err.Error(), setting) || !strings.Contains(err.Error(), "delete the trigger and create it again") {
				t.Errorf("%s of %s: got %v", how, setting, err)
			}
		}
	}
	if err := r.p.DeleteTrigger(t.Context(), function, "ckafka", instance+"-"+topic); err != nil {
		t.Fatal(err)
	}
	if err := r.p.CreateTrigger(t.Context(), function, onKafka(trigger(from(scf.Latest)))); err != nil {
		t.Errorf("deleted and created: %v", err)
	}
}

func testName(t *testing.T) {
	r := newRig(t, 1)
	r.deploy(trigger())
	if got := r.p.Triggers()[0].Name; got != "ckafka-a-orders" {
		t.Errorf("got %q", got)
	}
	err := r.p.CreateTrigger(t.Context(), function, onKafka(trigger(func(k *scf.KafkaTrigger) { k.ConsumerGroup = "other" })))
	if !errors.Is(err, emulator.ErrTriggerExists) {
		t.Errorf("a second one on the topic: got %v", err)
	}
}

func testTopicExists(t *testing.T) {
	r := newRig(t, 1)
	r.deploy()
	err := r.p.CreateTrigger(t.Context(), function, onKafka(trigger(func(k *scf.KafkaTrigger) { k.Topic = "missing" })))
	if !errors.Is(err, kafka.ErrUnknownTopic) || !strings.Contains(err.Error(), "missing") {
		t.Errorf("a topic that does not exist: got %v", err)
	}
	err = r.p.CreateTrigger(t.Context(), function, onKafka(trigger(func(k *scf.KafkaTrigger) { k.InstanceID = "ckafka-b" })))
	if err == nil || !strings.Contains(err.Error(), "ckafka-b") {
		t.Errorf("an instance without a cluster: got %v", err)
	}
	if n := len(r.p.Triggers()); n != 0 {
		t.Errorf("%d triggers were made", n)
	}
}

func testDelete(t *testing.T) {
	r := newRig(t, 1)
	r.produce(0, "a")
	r.run(trigger())
	r.awaitCommitted(0, 1)
	if err := r.p.DeleteTrigger(t.Context(), function, "ckafka", instance+"-"+topic); err != nil {
		t.Fatal(err)
	}
	if n := r.members(); n != 0 || len(r.p.Triggers()) != 0 {
		t.Errorf("the group has %d members, the platform %d triggers", n, len(r.p.Triggers()))
	}
	if err := r.p.DeleteTrigger(t.Context(), function, "ckafka", instance+"-"+topic); !errors.Is(err, emulator.ErrUnknownTrigger) {
		t.Errorf("deleted again: got %v", err)
	}
	r.produce(0, "b")
	if err := r.p.CreateTrigger(t.Context(), function, onKafka(trigger())); err != nil {
		t.Fatal(err)
	}
	r.awaitCommitted(0, 2)
	if got := len(r.received()); got != 2 {
		t.Errorf("%d deliveries of 2 records", got)
	}
}

func testStop(t *testing.T) {
	r := newRig(t, 1)
	open, until := gate(t)
	r.do("[" + until + "]")
	r.produce(0, "a", "b")
	r.deploy(trigger())
	cancel, wait := begin(t, r.p)
	r.awaitReceived(1)
	cancel()
	open()
	wait()
	if got := r.committed(0); got != 1 {
		t.Errorf("committed %d, want the batch in flight and no other", got)
	}
	if n := r.members(); n != 0 {
		t.Errorf("the group has %d members", n)
	}
	if got := len(r.received()); got != 1 {
		t.Errorf("%d deliveries", got)
	}
}
