package emulator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// childSettings, where set, makes this test binary a process that only runs a
// platform, so that a test can kill it with signal 9.
const childSettings = "EMULATOR_TEST_CHILD"

type childPlatform struct {
	Brokers []string
	Dir     string
	Code    string
	Trigger scf.KafkaTrigger
	Env     map[string]string
}

func runChild(settings string) int {
	var c childPlatform
	err := json.Unmarshal([]byte(settings), &c)
	if err == nil {
		err = c.run()
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func (c childPlatform) run() error {
	p, err := emulator.New(emulator.Config{Dir: c.Dir, Clusters: map[string]kafka.Config{instance: {Brokers: c.Brokers}},
		Kafka: emulator.KafkaConfig{SessionTimeout: 4 * time.Second}})
	if err != nil {
		return err
	}
	f := scf.Function{Name: function, Handler: "main", MemorySize: 128, Timeout: 20, Environment: c.Env, Events: []scf.Trigger{{Kafka: &c.Trigger}}}
	ctx := context.Background()
	if err := p.Deploy(ctx, f, c.Code); err != nil {
		return err
	}
	return p.Run(ctx)
}

// spawn starts a platform in a process of its own.
func (r *rig) spawn(k scf.KafkaTrigger) *exec.Cmd {
	r.Helper()
	settings, err := json.Marshal(childPlatform{
		Brokers: r.brokers.Brokers(), Dir: r.TempDir(), Code: probeDir, Trigger: k,
		Env: map[string]string{"PROBE_RECORD": r.record, "PROBE_CONTROL": r.control},
	})
	if err != nil {
		r.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childSettings+"="+string(settings))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}

func testKilled(t *testing.T) {
	const records = 60
	r := newRig(t, 1)
	r.do(`[{"SleepMS":20}]`)
	for n := range records {
		r.produce(0, strconv.Itoa(n))
	}
	child := r.spawn(trigger(of(2)))
	r.awaitReceived(8)
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	before := r.received()
	await(t, "no function is left", func() bool { return !running(before[0].PID) })
	committed := r.committed(0)

	r.do(``)
	r.run(trigger(of(3)))
	r.awaitCommitted(0, records)
	next := int64(0)
	for i, d := range r.received() {
		for _, rec := range d.kafka.Records {
			if i == len(before) && rec.Offset == committed {
				next = committed // from here on once more
			}
			if rec.Offset != next || string(rec.Body) != strconv.FormatInt(next, 10) {
				t.Fatalf("delivery %d: got %q at offset %d, want offset %d", i, rec.Body, rec.Offset, next)
			}
			next++
		}
	}
	if next != records {
		t.Errorf("delivered up to offset %d, want %d", next, records)
	}
}

func TestPlatformKilled(t *testing.T) {
	t.Parallel()
	t.Run("kill -9 of the platform leaves no child, not even one that is busy or idle", func(t *testing.T) {
		const partitions = 3
		r := newRig(t, partitions)
		r.do(`[{"SleepMS":60000}]`)
		for p := range int32(partitions) {
			r.produce(p, "v")
		}
		child := r.spawn(trigger())
		got := r.awaitReceived(partitions)
		for _, d := range got {
			if !running(d.PID) {
				t.Fatalf("process %d does not run", d.PID)
			}
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for _, d := range got {
			await(t, "the process is gone", func() bool { return !running(d.PID) })
		}
	})
}
