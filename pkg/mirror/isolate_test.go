package mirror_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// dies is a job whose process dies on some records: it never returns from them.
type dies struct {
	on   map[string]bool
	dead chan struct{} // gets a value for each death
	end  chan struct{} // closed at the end of the test
}

func newDies(t *testing.T, on ...string) *dies {
	d := &dies{on: map[string]bool{}, dead: make(chan struct{}), end: make(chan struct{})}
	for _, value := range on {
		d.on[value] = true
	}
	t.Cleanup(func() { close(d.end) })
	return d
}

func (d *dies) process(ctx context.Context, r mirror.Record, emit func(mirror.Output)) error {
	if d.on[string(r.Value)] {
		d.dead <- struct{}{}
		<-d.end
		return errors.New("dead")
	}
	return pass(ctx, r, emit)
}

// invoke runs one invocation, in a new process where the last has died; done says
// that it has ended.
func (d *dies) invoke(t *testing.T, c *mirror.Copier, all mirror.Range) (done bool) {
	t.Helper()
	ended := make(chan error, 1)
	ctx := testContext(t)
	go func() {
		_, err := c.Copy(ctx, []mirror.Range{all})
		ended <- err
	}()
	select {
	case <-d.dead:
		return false
	case err := <-ended:
		if err != nil {
			t.Fatal(err)
		}
		return true
	}
}

func TestIsolation(t *testing.T) {
	t.Parallel()
	const mostInvocations = 15 // for one record among 10,000

	for _, poison := range []int{0, 1, 4999, 9998, 9999} {
		t.Run(fmt.Sprintf("record %d of 10,000 that kills the process is out of the way within 15 invocations", poison), func(t *testing.T) {
			t.Parallel()
			source, target, all := filledWith(t, 500, numbered(10_000))
			d := newDies(t, strconv.Itoa(poison))
			invocations := 1
			for ; !d.invoke(t, job(t, source, target, d.process), all); invocations++ {
			}
			if invocations > mostInvocations {
				t.Errorf("it took %d invocations", invocations)
			}
			requireOnce(t, values(t, target, "out"), 10_000, poison)
			l := letters(t, target)
			if len(l) != 1 || l[0].Record.Offset != int64(poison) || l[0].Reason != deadletter.Killed || l[0].Attempt != 3 {
				t.Errorf("dead letters %+v", l)
			}
			t.Logf("%d invocations", invocations)
		})
	}

	t.Run("several of them go one after the other, and given records as fetched ones", func(t *testing.T) {
		t.Parallel()
		_, target := pair(t)
		createTopic(t, target, kafka.TopicSpec{Name: "out", Partitions: 1})
		d := newDies(t, "3", "4", "77")
		for done := false; !done; {
			ended := make(chan error, 1)
			c, ctx := job(t, nil, target, d.process), testContext(t)
			go func() {
				_, err := c.Write(ctx, []mirror.Given{given(0, numbered(100))})
				ended <- err
			}()
			select {
			case <-d.dead:
			case err := <-ended:
				if done = true; err != nil {
					t.Fatal(err)
				}
			}
		}
		requireOnce(t, values(t, target, "out"), 100, 3, 4, 77)
		if l := letters(t, target); len(l) != 3 {
			t.Errorf("dead letters %+v", l)
		}
	})

	t.Run("a record that takes all the time, and heeds its end, goes to the dead letter too", func(t *testing.T) {
		t.Parallel()
		source, target, all := filledWith(t, 100, numbered(100))
		process := func(ctx context.Context, r mirror.Record, emit func(mirror.Output)) error {
			if string(r.Value) == "42" {
				<-ctx.Done()
				return ctx.Err()
			}
			return pass(ctx, r, emit)
		}
		c := job(t, source, target, process) // a process that lives on
		invocations := 1
		for ; ; invocations++ {
			ctx, cancel := context.WithTimeout(testContext(t), 300*time.Millisecond)
			_, err := c.Copy(ctx, []mirror.Range{all})
			cancel()
			if err == nil {
				break
			}
			if invocations > mostInvocations {
				t.Fatal(err)
			}
		}
		requireOnce(t, values(t, target, "out"), 100, 42)
		if l := letters(t, target); len(l) != 1 || l[0].Reason != deadletter.Killed {
			t.Errorf("dead letters %+v", l)
		}
		t.Logf("%d invocations", invocations)
	})

	t.Run("two instances at once bury no record that only takes its time", func(t *testing.T) {
		t.Parallel()
		source, target, all := filledWith(t, 1, numbered(1))
		began := make(chan struct{}, 100)
		slow := func(ctx context.Context, r mirror.Record, emit func(mirror.Output)) error {
			began <- struct{}{}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(30 * time.Millisecond): // the work
			}
			return pass(ctx, r, emit)
		}
		var wg sync.WaitGroup
		for range 2 {
			c := job(t, source, target, slow)
			wg.Go(func() { _, _ = c.Copy(testContext(t), []mirror.Range{all}) })
			<-began
		}
		wg.Wait()
		copyRange(t, job(t, source, target, slow), all)
		requireOnce(t, values(t, target, "out"), 1)
		if l := letters(t, target); l != nil {
			t.Errorf("dead letters %+v", l)
		}
	})

	t.Run("a service that hangs holds the records up, and buries none", func(t *testing.T) {
		t.Parallel()
		source, target, all := filledWith(t, 1, numbered(3))
		hanging := func(ctx context.Context, _ mirror.Record, _ func(mirror.Output)) error {
			<-ctx.Done()
			return deadletter.Transient(fmt.Errorf("call of a service: %w", ctx.Err()))
		}
		c := job(t, source, target, hanging)
		for range 12 {
			ctx, cancel := context.WithTimeout(testContext(t), 200*time.Millisecond)
			if _, err := c.Copy(ctx, []mirror.Range{all}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			cancel()
		}
		copyRange(t, job(t, source, target, pass), all)
		requireOnce(t, values(t, target, "out"), 3)
		if l := letters(t, target); l != nil {
			t.Errorf("dead letters %+v", l)
		}
	})

	t.Run("a record that the target refuses does not hide one behind it that kills", func(t *testing.T) {
		t.Parallel()
		source, _ := cluster(t, localkafka.Config{})
		target, brokers := cluster(t, localkafka.Config{})
		createTopic(t, source, kafka.TopicSpec{Name: "t"})
		createTopic(t, target, kafka.TopicSpec{Name: "out"})
		records := numbered(20)
		records[3].Value = []byte("refused")
		all := produce(t, source, "t", 0, batch.None, 20, records)
		refuse(brokers, kerr.InvalidRecord.Code, func(records []byte) bool { return bytes.Contains(records, []byte("refused")) })
		d := newDies(t, "9")
		invocations := 1
		for ; invocations < 25 && !d.invoke(t, job(t, source, target, d.process), all); invocations++ {
		}
		requireOnce(t, values(t, target, "out"), 20, 3, 9)
		if l := letters(t, target); len(l) != 2 || l[0].Reason != deadletter.Rejected || l[1].Reason != deadletter.Killed {
			t.Errorf("dead letters %+v after %d invocations", l, invocations)
		}
	})
}

// refuse has a target answer batches for topic out with an error, as long as which is
// true for their bytes.
func refuse(brokers *localkafka.Cluster, code int16, which func(records []byte) bool) {
	brokers.Fake().ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
		brokers.Fake().KeepControl()
		p := request.(*kmsg.ProduceRequest)
		of := p.Topics[0].Partitions[0]
		if p.Topics[0].Topic != "out" || !which(of.Records) {
			return nil, nil, false
		}
		answer := p.ResponseKind().(*kmsg.ProduceResponse)
		answer.Topics = []kmsg.ProduceResponseTopic{{Topic: "out", Partitions: []kmsg.ProduceResponseTopicPartition{{Partition: of.Partition, ErrorCode: code, LogAppendTime: -1}}}}
		return answer, nil, true
	})
}

func TestTroubleOfTheTargetIsNoFaultOfARecord(t *testing.T) {
	t.Parallel()
	source, _ := cluster(t, localkafka.Config{})
	target, brokers := cluster(t, localkafka.Config{})
	createTopic(t, source, kafka.TopicSpec{Name: "t"})
	createTopic(t, target, kafka.TopicSpec{Name: "out"})
	all := produce(t, source, "t", 0, batch.None, 20, numbered(20))
	var troubled atomic.Bool
	troubled.Store(true)
	refuse(brokers, -1, func([]byte) bool { return troubled.Load() })
	if _, err := job(t, source, target, pass).Copy(testContext(t), []mirror.Range{all}); !errors.Is(err, kafka.ErrUnexpected) {
		t.Errorf("got %v", err)
	}
	troubled.Store(false)
	copyRange(t, job(t, source, target, pass), all)
	requireOnce(t, values(t, target, "out"), 20)
	if l := letters(t, target); l != nil {
		t.Errorf("dead letters %+v", l)
	}
}

// TestProcessThatIsKilled is no test, but the process that the next one starts.
func TestProcessThatIsKilled(t *testing.T) {
	if os.Getenv("ETL_TEST_SOURCE") == "" {
		t.Skip("is started by TestADeathIsOfOnePartition")
	}
	source, target := open(t, []string{os.Getenv("ETL_TEST_SOURCE")}, time.Second), open(t, []string{os.Getenv("ETL_TEST_TARGET")}, time.Second)
	process := func(ctx context.Context, r mirror.Record, emit func(mirror.Output)) error {
		if string(r.Value) == "kill" {
			self, err := os.FindProcess(os.Getpid())
			if err != nil {
				return err
			}
			if err := self.Kill(); err != nil {
				return err
			}
			select {}
		}
		return pass(ctx, r, emit)
	}
	copyRange(t, job(t, source, target, process), mirror.Range{Topic: "t", Partition: 0}, mirror.Range{Topic: "t", Partition: 1, Last: 9})
}

func TestADeathIsOfOnePartition(t *testing.T) {
	t.Parallel()
	source, _ := cluster(t, localkafka.Config{})
	target, _ := cluster(t, localkafka.Config{})
	createTopic(t, source, kafka.TopicSpec{Name: "t", Partitions: 2})
	for _, topic := range []string{"out", "deadletter"} {
		createTopic(t, target, kafka.TopicSpec{Name: topic, Partitions: 2})
	}
	produce(t, source, "t", 0, batch.None, 1, numbered(1))
	bad := numbered(10)
	bad[0].Value = []byte("kill")
	produce(t, source, "t", 1, batch.None, 10, bad)
	deaths := 0
	for {
		process := exec.CommandContext(testContext(t), os.Args[0], "-test.run=^TestProcessThatIsKilled$")
		process.Env = append(os.Environ(), "ETL_TEST_SOURCE="+source.Brokers()[0], "ETL_TEST_TARGET="+target.Brokers()[0])
		out, err := process.CombinedOutput()
		if err == nil {
			break
		}
		var exit *exec.ExitError
		if deaths++; !errors.As(err, &exit) || exit.Exited() || deaths > 15 {
			t.Fatalf("%d deaths, %v\n%s", deaths, err, out)
		}
	}
	if got := values(t, target, "out"); len(got) != 10 {
		t.Errorf("%d records, want 10", len(got))
	}
	if l := letters(t, target); len(l) != 1 || l[0].Partition != 1 || l[0].Record.Offset != 0 {
		t.Errorf("dead letters %+v after %d deaths", l, deaths)
	}
}
