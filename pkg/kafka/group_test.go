package kafka_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

// join prepares a member for the length of a test.
func join(t *testing.T, c *kafka.Client, config kafka.GroupConfig) *kafka.Group {
	t.Helper()
	group, err := c.Group(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := group.Close(); err != nil {
			t.Errorf("close the group: %v", err)
		}
	})
	return group
}

// next waits for a generation that lasts.
func next(t *testing.T, group *kafka.Group) *kafka.Generation {
	t.Helper()
	generation, err := group.Next(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(generation.Release)
	return generation
}

// nextWith releases generations until one has n partitions of topic t.
func nextWith(t *testing.T, group *kafka.Group, n int) *kafka.Generation {
	t.Helper()
	for {
		generation := next(t, group)
		if len(generation.Assigned["t"]) == n {
			return generation
		}
		<-generation.Context().Done()
		generation.Release()
	}
}

func quick(topics ...string) kafka.GroupConfig {
	return kafka.GroupConfig{ID: "g", Topics: topics, HeartbeatInterval: 50 * time.Millisecond, PartitionWatch: 100 * time.Millisecond}
}

func TestGroup(t *testing.T) {
	t.Parallel()

	t.Run("gives a member alone all partitions, and takes its commits", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Topics: map[string]int32{"t": 3, "u": 1}})
		c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
		generation := next(t, join(t, c, quick("t", "u")))
		for _, partitions := range generation.Assigned {
			slices.Sort(partitions)
		}
		if diff := cmp.Diff(map[string][]int32{"t": {0, 1, 2}, "u": {0}}, generation.Assigned); diff != "" {
			t.Errorf("assigned (-want +got):\n%s", diff)
		}
		if err := generation.Commit("t", 1, 42); err != nil {
			t.Error(err)
		}
		got, err := c.Committed(deadline(t), "g", "t", 0, 1)
		if diff := cmp.Diff(map[int32]kafka.Committed{0: {Offset: -1}, 1: {Offset: 42}}, got); diff != "" || err != nil {
			t.Errorf("error %v, committed (-want +got):\n%s", err, diff)
		}
	})

	t.Run("shares the partitions with a second member, and gives all back when it leaves", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Topics: map[string]int32{"t": 4}})
		c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
		first := join(t, c, quick("t"))
		alone := nextWith(t, first, 4)

		second := join(t, c, quick("t"))
		joined := make(chan *kafka.Generation)
		go func() {
			g, err := second.Next(context.WithoutCancel(t.Context()))
			if err != nil {
				t.Error(err)
			}
			joined <- g
		}()
		<-alone.Context().Done()
		if cause := context.Cause(alone.Context()); !errors.Is(cause, kafka.ErrNotCoordinated) {
			t.Errorf("the generation ended with %v, want ErrNotCoordinated", cause)
		}
		if err := alone.Commit("t", 0, 5); err != nil {
			t.Errorf("commit of work that is completed before the release: %v", err)
		}
		alone.Release()
		if err := alone.Commit("t", 0, 6); !errors.Is(err, kafka.ErrNotCoordinated) || kafka.Retriable(err) {
			t.Errorf("error %v of a commit after the release, want ErrNotCoordinated", err)
		}

		mine, theirs := nextWith(t, first, 2), <-joined
		all := slices.Sorted(slices.Values(slices.Concat(mine.Assigned["t"], theirs.Assigned["t"])))
		if diff := cmp.Diff([]int32{0, 1, 2, 3}, all); diff != "" {
			t.Errorf("partitions of both (-want +got):\n%s", diff)
		}
		if got, err := c.Committed(deadline(t), "g", "t", 0); got[0].Offset != 5 || err != nil {
			t.Errorf("committed %v, error %v, want 5", got, err)
		}

		theirs.Release()
		begun := time.Now()
		if err := second.Close(); err != nil {
			t.Error(err)
		}
		<-mine.Context().Done()
		mine.Release()
		nextWith(t, first, 4)
		if spent := time.Since(begun); spent > 5*time.Second {
			t.Errorf("it took %v until the partitions of a member that left were taken over", spent)
		}
	})

	t.Run("refuses the commit of a generation that ended without this member's knowing", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		generation := next(t, join(t, c, quick("t")))
		fake.ControlKey(int16(kmsg.OffsetCommit), func(r kmsg.Request) (kmsg.Response, error, bool) {
			return commitError(22)(r.(*kmsg.OffsetCommitRequest)), nil, true // ILLEGAL_GENERATION
		})
		err := generation.Commit("t", 0, 7)
		if !errors.Is(err, kafka.ErrNotCoordinated) || kafka.Retriable(err) || !strings.Contains(err.Error(), "commit offset 7 of t/0 for group g") {
			t.Errorf("error %v, want ErrNotCoordinated with the offset", err)
		}
	})

	t.Run("keeps a member that takes longer than the session to complete its work", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Topics: map[string]int32{"t": 2}})
		c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
		config := quick("t")
		config.SessionTimeout = 500 * time.Millisecond
		slow := nextWith(t, join(t, c, config), 2)
		other := join(t, c, config)
		joined := make(chan error, 1)
		go func() {
			generation, err := other.Next(context.WithoutCancel(t.Context()))
			if err == nil {
				defer generation.Release()
			}
			joined <- err
		}()
		<-slow.Context().Done()
		select {
		case err := <-joined:
			t.Fatalf("the other member has its partitions (error %v) while the first is still at work", err)
		case <-time.After(1500 * time.Millisecond): // the time that the work takes
		}
		if err := slow.Commit("t", 0, 9); err != nil {
			t.Error(err)
		}
		slow.Release()
		if err := <-joined; err != nil {
			t.Error(err)
		}
	})

	t.Run("notices a new partition", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		group := join(t, c, quick("t"))
		old := nextWith(t, group, 1)
		addPartitions(t, fake.ListenAddrs(), "t", 3)
		<-old.Context().Done()
		old.Release()
		nextWith(t, group, 3)
	})

	t.Run("waits for a topic that does not exist yet, in one generation", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t)
		joins := count(fake, kmsg.JoinGroup)
		group := join(t, c, quick("t"))
		empty := nextWith(t, group, 0)
		select {
		case <-empty.Context().Done():
			t.Error("the generation ended though nothing changed")
		case <-time.After(time.Second): // some watches long
		}
		if err := c.CreateTopic(deadline(t), kafka.TopicSpec{Name: "t", Partitions: 2}); err != nil {
			t.Fatal(err)
		}
		<-empty.Context().Done()
		empty.Release()
		nextWith(t, group, 2)
		if n := joins.Load(); n > 4 {
			t.Errorf("%d joins", n)
		}
	})

	t.Run("ends its generation and Next when it is closed", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t, "t")
		group := join(t, c, quick("t"))
		generation := next(t, group)
		go func() {
			<-generation.Context().Done()
			generation.Release()
			generation.Release()
		}()
		begun := time.Now()
		if err := group.Close(); err != nil {
			t.Error(err)
		}
		if spent := time.Since(begun); spent > 5*time.Second {
			t.Errorf("it took %v", spent)
		}
		if _, err := group.Next(deadline(t)); !errors.Is(err, kafka.ErrGroupClosed) {
			t.Errorf("error %v, want ErrGroupClosed", err)
		}
		if err := group.Close(); err != nil {
			t.Errorf("closing again: %v", err)
		}
	})

	t.Run("closes before it has joined", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t, "t")
		group := join(t, c, quick("t"))
		if err := group.Close(); err != nil {
			t.Error(err)
		}
		if _, err := group.Next(deadline(t)); !errors.Is(err, kafka.ErrGroupClosed) {
			t.Errorf("error %v, want ErrGroupClosed", err)
		}
	})

	t.Run("says why it cannot join, and joins when it can", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		fake.ControlKey(int16(kmsg.JoinGroup), func(r kmsg.Request) (kmsg.Response, error, bool) {
			response := r.ResponseKind().(*kmsg.JoinGroupResponse)
			response.ErrorCode = 30 // GROUP_AUTHORIZATION_FAILED
			return response, nil, true
		})
		group := join(t, c, quick("t"))
		_, err := group.Next(deadline(t))
		if !errors.Is(err, kafka.ErrAuthorization) || !strings.Contains(err.Error(), "join group g for t: ") {
			t.Errorf("error %v, want ErrAuthorization with the group", err)
		}
		next(t, group)
	})

	t.Run("waits out what passes by itself", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		handle := fake.Fault(
			kfake.Fault{Keys: []kmsg.Key{kmsg.FindCoordinator}, Err: kerr.CoordinatorNotAvailable},
			kfake.Fault{Keys: []kmsg.Key{kmsg.JoinGroup}, Err: kerr.CoordinatorLoadInProgress},
			kfake.Fault{Keys: []kmsg.Key{kmsg.SyncGroup}, Err: kerr.RebalanceInProgress},
		)
		cut(fake, kmsg.JoinGroup)
		next(t, join(t, c, quick("t")))
		if hits := handle.Hits(); hits != 3 {
			t.Errorf("%d requests failed, want 3", hits)
		}
	})

	t.Run("stops waiting with the context", func(t *testing.T) {
		t.Parallel()
		c, _ := single(t, "t")
		group := join(t, c, quick("t"))
		next(t, group)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := group.Next(ctx); !errors.Is(err, context.DeadlineExceeded) || kafka.Retriable(err) {
			t.Errorf("error %v, want the context's", err)
		}
	})

	for name, config := range map[string]kafka.GroupConfig{"no id": {Topics: []string{"t"}}, "no topics": {ID: "g"}} {
		t.Run("refuses a config with "+name, func(t *testing.T) {
			t.Parallel()
			c, _ := single(t)
			if _, err := c.Group(config); err == nil {
				t.Error("no error")
			}
		})
	}
}
