package localkafka_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

func TestCluster(t *testing.T) {
	t.Parallel()
	t.Run("a restart on the same folder keeps topics, records and committed offsets", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		first := start(t, localkafka.Config{Dir: dir, Topics: map[string]int32{"t": 3}})
		produce(t, client(t, first.Brokers()), "t", "a", "b")
		reader := client(t, first.Brokers(), kgo.ConsumerGroup("g"), kgo.ConsumeTopics("t"), kgo.DisableAutoCommit(),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.HeartbeatInterval(100*time.Millisecond))
		pollValues(t, reader, 2)
		if err := reader.CommitUncommittedOffsets(deadline(t)); err != nil {
			t.Fatal(err)
		}
		reader.Close()
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}

		second := start(t, localkafka.Config{Dir: dir, Topics: map[string]int32{"t": 1}})
		if got := readValues(t, second.Brokers(), "t", 2); !cmp.Equal(got, []string{"a", "b"}) {
			t.Errorf("records: got %q, want a and b", got)
		}
		if got := len(second.Fake().PartitionInfos("t")); got != 3 {
			t.Errorf("partitions: got %d, want the 3 of the first run", got)
		}
		if got := committed(t, client(t, second.Brokers()), "g", "t", 0); got != 2 {
			t.Errorf("committed offset: got %d, want 2", got)
		}
	})
	t.Run("kill -9 in the middle of producing loses no acknowledged record", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		acked := produceUntilKilled(t, dir)
		c := start(t, localkafka.Config{Dir: dir})
		var want []string
		for i := range acked {
			want = append(want, value(i))
		}
		if got := readValues(t, c.Brokers(), "t", acked)[:acked]; !cmp.Equal(got, want) {
			t.Errorf("records after the kill differ:\n%s", cmp.Diff(want, got))
		}
	})
	t.Run("a folder that other brokers use is refused", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		start(t, localkafka.Config{Dir: dir})
		c, err := localkafka.Start(localkafka.Config{Dir: dir})
		if err == nil {
			t.Fatalf("started a second set of brokers on %s: %v", dir, c.Close())
		}
		if !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "in use") {
			t.Errorf("got %q, want the folder and that it is in use", err)
		}
	})
	t.Run("a wrong setting is named with its value and what is allowed", func(t *testing.T) {
		t.Parallel()
		for _, tt := range []struct {
			cfg  localkafka.Config
			want []string
		}{
			{localkafka.Config{Brokers: -1}, []string{"Brokers", "-1", "1 and more"}},
			{localkafka.Config{Partitions: -2}, []string{"Partitions", "-2", "1 and more"}},
			{localkafka.Config{Version: "two"}, []string{"Version", `"two"`, `"2.8"`}},
			{localkafka.Config{Users: []localkafka.User{{Mechanism: "GSSAPI", Name: "u"}}}, []string{"GSSAPI", "SCRAM-SHA-512"}},
			{localkafka.Config{Users: []localkafka.User{{Mechanism: "PLAIN"}}}, []string{"user name"}},
		} {
			_, err := localkafka.Start(tt.cfg)
			if err == nil {
				t.Errorf("%+v: no error", tt.cfg)
				continue
			}
			for _, w := range tt.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("got %q, want %q in it", err, w)
				}
			}
		}
	})
	t.Run("a version limit is what clients are offered", func(t *testing.T) {
		t.Parallel()
		c := start(t, localkafka.Config{Version: "0.10.2"})
		resp, err := kmsg.NewPtrApiVersionsRequest().RequestWith(deadline(t), client(t, c.Brokers()))
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range resp.ApiKeys {
			if k.ApiKey == int16(kmsg.Produce) && k.MaxVersion != 2 {
				t.Errorf("produce: got version %d, want 2", k.MaxVersion)
			}
			if k.ApiKey == int16(kmsg.InitProducerID) {
				t.Error("brokers of 0.10.2 have no transactions, but InitProducerID is offered")
			}
		}
	})
	t.Run("errors can be injected", func(t *testing.T) {
		t.Parallel()
		c := start(t, localkafka.Config{Topics: map[string]int32{"t": 1}})
		cl := client(t, c.Brokers(), kgo.RecordRetries(0))
		c.Fake().ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
			return nil, errors.New("cut"), true
		})
		err := cl.ProduceSync(deadline(t), &kgo.Record{Topic: "t", Value: []byte("a")}).FirstErr()
		produce(t, cl, "t", "b")
		t.Logf("the first produce gave %v", err)
		if got := readValues(t, c.Brokers(), "t", 1); got[len(got)-1] != "b" {
			t.Errorf("got %q, want b last", got)
		}
	})
}

// Not parallel: it sets the environment.
func TestCloseRemovesTheTemporaryFolder(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	c := start(t, localkafka.Config{})
	if made, _ := filepath.Glob(temp + "/localkafka-*"); len(made) != 1 {
		t.Fatalf("got folders %q, want one", made)
	}
	if err := errors.Join(c.Close(), c.Close()); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(temp); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func value(i int) string { return fmt.Sprintf("record %06d", i) }

// produceUntilKilled produces to brokers in another process, kills it with
// signal 9 after some hundred records, and returns how many were acknowledged.
func produceUntilKilled(t *testing.T, dir string) int {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	cl := client(t, []string{strings.TrimSpace(addr)}, kgo.ProducerLinger(0), kgo.MaxProduceRequestsInflightPerBroker(1))
	ctx, cancel := context.WithCancel(deadline(t))
	defer cancel()
	var acked atomic.Int64
	const enough = 300
	for i := 0; ctx.Err() == nil; i++ {
		cl.Produce(ctx, &kgo.Record{Topic: "t", Value: []byte(value(i))}, func(_ *kgo.Record, err error) {
			if err == nil && acked.Add(1) == enough {
				_ = cmd.Process.Kill()
				cancel()
			}
		})
	}
	_ = cmd.Wait()
	if acked.Load() < enough {
		t.Fatalf("only %d records were acknowledged", acked.Load())
	}
	return int(acked.Load())
}

// committed asks for the committed offset of a group, -1 for none.
func committed(t *testing.T, cl *kgo.Client, group, topic string, partition int32) int64 {
	t.Helper()
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Group = group
	rt := kmsg.NewOffsetFetchRequestTopic()
	rt.Topic, rt.Partitions = topic, []int32{partition}
	req.Topics = append(req.Topics, rt)
	rg := kmsg.NewOffsetFetchRequestGroup()
	rg.Group = group
	rgt := kmsg.NewOffsetFetchRequestGroupTopic()
	rgt.Topic, rgt.Partitions = topic, []int32{partition}
	rg.Topics = append(rg.Topics, rgt)
	req.Groups = append(req.Groups, rg)
	resp, err := req.RequestWith(deadline(t), cl)
	if err != nil {
		t.Fatal(err)
	}
	if len(resp.Groups) != 1 || len(resp.Groups[0].Topics) != 1 || len(resp.Groups[0].Topics[0].Partitions) != 1 {
		return -1
	}
	p := resp.Groups[0].Topics[0].Partitions[0]
	if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
		t.Fatal(err)
	}
	return p.Offset
}
