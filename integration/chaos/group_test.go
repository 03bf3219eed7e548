package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/integration/chaos"
)

// group is a consumer group of one member that reads all lanes, as far as it is
// allowed to, and commits as it goes. It knows by their numbers which records it
// has read, whatever a cluster says of its position.
type group struct {
	id      string
	percent int // it reads of what was allowed to be written; 100: all that is there
	most    int // records a lane; 0: no bound but that
	lanes   []lane

	mu        sync.Mutex
	quota     int       // records a lane
	read      [][]int32 // numbers of records, by lane
	position  []int64   // in the cluster that it reads, by lane; -1: where it had stopped at the other one
	committed []int64   // as acknowledged
	last      error     // of its client

	stop func() // returns when it has left
}

// newGroup is a group that has read nothing.
func newGroup(id string, percent, most int, lanes []lane) *group {
	return &group{id: id, percent: percent, most: most, lanes: lanes,
		read: make([][]int32, len(lanes)), position: make([]int64, len(lanes)), committed: slices.Repeat([]int64{-1}, len(lanes))}
}

// allow lets it read its part of so many records of each lane.
func (g *group) allow(each int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	quota := each * g.percent / 100
	if g.percent == 100 {
		quota = 1 << 31 // more may be there than was allowed: see chaos.Check
	}
	if g.most > 0 {
		quota = min(quota, g.most)
	}
	g.quota = max(g.quota, quota)
}

// start has it read from a cluster, from what is committed there on: reset says
// what to do where nothing is.
func (g *group) start(ctx context.Context, brokers []string, reset kgo.Offset) error {
	var topics []string
	for _, lane := range g.lanes {
		if !slices.Contains(topics, lane.topic) {
			topics = append(topics, lane.topic)
		}
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(brokers...), kgo.ConsumerGroup(g.id), kgo.ConsumeTopics(topics...), kgo.ConsumeResetOffset(reset),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.DisableAutoCommit(), kgo.AlwaysRetryEOF(),
		kgo.FetchMaxPartitionBytes(128<<10), kgo.FetchMaxWait(100*time.Millisecond), kgo.RequestTimeoutOverhead(5*time.Second),
		kgo.SessionTimeout(10*time.Second), kgo.HeartbeatInterval(500*time.Millisecond),
	)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		g.consume(ctx, client)
	}()
	g.stop = sync.OnceFunc(func() {
		cancel()
		<-ended
		client.Close() // it leaves the group
	})
	return nil
}

// leave has it go where it is, for another cluster.
func (g *group) leave() {
	g.stop()
	for i := range g.lanes {
		g.position[i], g.committed[i] = -1, -1
	}
}

// fetched are records of a lane that it has and may not have read.
type fetched struct {
	records []*kgo.Record
	end     int64 // behind the last one that ever was
}

func (g *group) consume(ctx context.Context, client *kgo.Client) {
	lanes := make([]fetched, len(g.lanes))
	for ctx.Err() == nil {
		hungry := g.take(lanes)
		g.note(g.commit(ctx, client))
		if hungry {
			g.note(g.poll(ctx, client, lanes))
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond): // it may be allowed more
		}
	}
}

func (g *group) note(err error) {
	if err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.last = err
	}
}

// poll fetches. After a rebalance records come again, from what is committed on.
func (g *group) poll(ctx context.Context, client *kgo.Client, lanes []fetched) error {
	ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	fetches := client.PollRecords(ctx, 2000)
	for _, r := range fetches.Records() {
		i := slices.Index(g.lanes, lane{r.Topic, r.Partition})
		if f := &lanes[i]; r.Offset >= f.end {
			f.records, f.end = append(f.records, r), r.Offset+1
		}
	}
	return fetches.Err()
}

// take reads what it may, and says whether it might read more than there is.
func (g *group) take(lanes []fetched) (hungry bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range lanes {
		f := &lanes[i]
		for len(f.records) > 0 && len(g.read[i]) < g.quota {
			r := f.records[0]
			f.records = f.records[1:]
			number, ok := chaos.Number(int32(i), r.Key)
			if !ok {
				number = -1 // a record of nobody
			}
			g.read[i] = append(g.read[i], int32(number))
			g.position[i] = r.Offset + 1
		}
		hungry = hungry || len(g.read[i]) < g.quota
	}
	return hungry
}

// commit commits where it is, if that is not committed yet.
func (g *group) commit(ctx context.Context, client *kgo.Client) error {
	g.mu.Lock()
	position, same := slices.Clone(g.position), slices.Equal(g.position, g.committed)
	g.mu.Unlock()
	if same {
		return nil
	}
	offsets := map[string]map[int32]kgo.EpochOffset{}
	for i, lane := range g.lanes {
		if offsets[lane.topic] == nil {
			offsets[lane.topic] = map[int32]kgo.EpochOffset{}
		}
		if position[i] >= 0 {
			offsets[lane.topic][lane.partition] = kgo.EpochOffset{Epoch: -1, Offset: position[i]}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var refused error
	client.CommitOffsetsSync(ctx, offsets, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, response *kmsg.OffsetCommitResponse, err error) {
		if refused = err; err != nil {
			return
		}
		for _, topic := range response.Topics {
			for _, p := range topic.Partitions {
				refused = errors.Join(refused, kerr.ErrorForCode(p.ErrorCode))
			}
		}
	})
	if refused != nil {
		return fmt.Errorf("commit: %w", refused)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.committed = position
	return nil
}

// settle waits until it has read all that it may of lanes that end there, and
// has committed that.
func (g *group) settle(ctx context.Context, ends []int64) error {
	return every(ctx, 20*time.Millisecond, "group "+g.id+" to come to rest", func() (bool, error) {
		g.mu.Lock()
		defer g.mu.Unlock()
		for i, lane := range g.lanes {
			if len(g.read[i]) < g.quota && g.position[i] < ends[i] {
				return false, fmt.Errorf("%v: %d records are read, it is at %d of %d (last: %v)", lane, len(g.read[i]), g.position[i], ends[i], g.last)
			}
		}
		if !slices.Equal(g.position, g.committed) {
			return false, fmt.Errorf("it is at %d and has committed %d (last: %v)", g.position, g.committed, g.last)
		}
		return true, nil
	})
}
