package mirror_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// groupSync is one of all groups and topics.
func groupSync(t *testing.T, source, target *kafka.Client) *mirror.GroupSync {
	t.Helper()
	all, err := mirror.NewSelection([]string{".*"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &mirror.GroupSync{Job: "test", Source: source, Target: target, Select: all, Groups: all.Match}
}

func syncGroups(t *testing.T, g *mirror.GroupSync) map[string]mirror.GroupPosition {
	t.Helper()
	positions, err := g.Sync(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]mirror.GroupPosition{}
	for _, p := range positions {
		byName[fmt.Sprintf("%s %s/%d", p.Group, p.Topic, p.Partition)] = p
	}
	return byName
}

func commit(t *testing.T, c *kafka.Client, group, topic string, partition int32, offset int64) {
	t.Helper()
	if err := c.Commit(testContext(t), group, topic, map[int32]kafka.Committed{partition: {Offset: offset, Metadata: "by " + group}}); err != nil {
		t.Fatal(err)
	}
}

func committedAt(t *testing.T, c *kafka.Client, group, topic string) kafka.Committed {
	t.Helper()
	offsets, err := c.Committed(testContext(t), group, topic, 0)
	if err != nil {
		t.Fatal(err)
	}
	return offsets[0]
}

// member joins a group and gives the values of n records that it reads.
func member(t *testing.T, brokers []string, group, topic string, n int) (values []string, client *kgo.Client) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.DisableAutoCommit())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	for ctx := testContext(t); len(values) < n; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("after %d of %d records: %v", len(values), n, err)
		}
		fetches.EachRecord(func(r *kgo.Record) { values = append(values, string(r.Value)) })
	}
	return values, client
}

func TestGroupSync(t *testing.T) {
	t.Parallel()

	// mapped copies a topic of 60 records in six transactions.
	mapped := func(t *testing.T) (source, target *kafka.Client, more func(n int)) {
		t.Helper()
		source, target = pair(t)
		createTopic(t, source, kafka.TopicSpec{Name: "orders", Partitions: 2, Settings: sample.TopicSettings()})
		c := copier(t, mirror.Config{Source: source, Target: target, OffsetMap: true, FromEarliest: true})
		more = func(n int) {
			copyRange(t, c, produce(t, source, "orders", 0, batch.None, 10, sample.Plain(n, 50, uint64(n))))
		}
		for range 6 {
			more(10)
		}
		return source, target, more
	}

	t.Run("whoever goes on at the target reads what is still to be read, once", func(t *testing.T) {
		t.Parallel()
		source, target, _ := mapped(t)
		originals := recordsOf(t, side(t, source, "orders", 0))
		g := groupSync(t, source, target)
		for at := range int64(61) {
			commit(t, source, fmt.Sprintf("g%d", at), "orders", 0, at)
		}
		positions := syncGroups(t, g)
		copied := recordsOf(t, side(t, target, "orders", 0))
		for at := range 61 {
			group := fmt.Sprintf("g%d", at)
			p := positions[group+" orders/0"]
			if !p.Written || p.Reason != "" || p.Source != int64(at) {
				t.Fatalf("%+v, want it written", p)
			}
			now := committedAt(t, target, group, "orders")
			if now.Offset != p.Target || now.Metadata != "by "+group {
				t.Errorf("%s is at %+v on the target, want %d with the metadata of the source", group, now, p.Target)
			}
			left := 0
			for _, r := range copied {
				if r.Offset >= now.Offset {
					left++
				}
			}
			if left != len(originals)-at {
				t.Errorf("%s has %d records to read on the target, %d at the source", group, left, len(originals)-at)
			}
		}
		values, _ := member(t, target.Brokers(), "g37", "orders", 23)
		for i, value := range values {
			if value != string(originals[37+i].Value) {
				t.Fatalf("record %d is %q, want %q", i, value, originals[37+i].Value)
			}
		}
		for name, p := range syncGroups(t, g) {
			if p.Written {
				t.Errorf("%s is written again: %+v", name, p)
			}
		}
	})

	t.Run("a group that has moved on is moved on, and never back", func(t *testing.T) {
		t.Parallel()
		source, target, _ := mapped(t)
		g := groupSync(t, source, target)
		commit(t, source, "g", "orders", 0, 20)
		first := syncGroups(t, g)["g orders/0"]
		commit(t, source, "g", "orders", 0, 50)
		second := syncGroups(t, g)["g orders/0"]
		if !second.Written || second.Target <= first.Target {
			t.Errorf("%+v after %+v, want it moved on", second, first)
		}
		commit(t, source, "g", "orders", 0, 10)
		third := syncGroups(t, g)["g orders/0"]
		if third.Written || third.Target != second.Target || !strings.Contains(third.Reason, "never moved back") {
			t.Errorf("%+v, want it left where it was", third)
		}
		if now := committedAt(t, target, "g", "orders"); now.Offset != second.Target {
			t.Errorf("it is at %d, want %d", now.Offset, second.Target)
		}
	})

	t.Run("a group that is active on the target is left alone", func(t *testing.T) {
		t.Parallel()
		source, target, _ := mapped(t)
		commit(t, source, "g", "orders", 0, 20)
		commit(t, target, "g", "orders", 0, 5)
		_, client := member(t, target.Brokers(), "g", "orders", 1)
		p := syncGroups(t, groupSync(t, source, target))["g orders/0"]
		if p.Written || p.Target != 5 || !strings.Contains(p.Reason, "active on the target") {
			t.Errorf("%+v, want it left alone", p)
		}
		client.Close()
		await(t, "the group to be empty", func() bool {
			described, err := target.DescribeGroup(testContext(t), "g")
			return err == nil && !described.Active()
		})
		if p := syncGroups(t, groupSync(t, source, target))["g orders/0"]; !p.Written {
			t.Errorf("%+v, want it written once nobody is in it", p)
		}
	})

	t.Run("who is ahead of the copy waits for it", func(t *testing.T) {
		t.Parallel()
		source, target, more := mapped(t)
		g := groupSync(t, source, target)
		commit(t, source, "g", "orders", 0, 65)
		if p := syncGroups(t, g)["g orders/0"]; p.Written || p.Target != -1 || !strings.Contains(p.Reason, "it is at offset 60") {
			t.Errorf("%+v, want it to wait", p)
		}
		more(10)
		if p := syncGroups(t, g)["g orders/0"]; !p.Written || p.Reason != "" {
			t.Errorf("%+v, want it written", p)
		}
	})

	t.Run("the position in a partition without records is where the target's ends", func(t *testing.T) {
		t.Parallel()
		source, target, _ := mapped(t)
		commit(t, source, "g", "orders", 1, 0)
		if p := syncGroups(t, groupSync(t, source, target))["g orders/1"]; !p.Written || p.Target != 0 {
			t.Errorf("%+v, want it at 0", p)
		}
	})

	t.Run("a preview writes nothing, and groups can have other names there", func(t *testing.T) {
		t.Parallel()
		source, target, _ := mapped(t)
		commit(t, source, "g", "orders", 0, 20)
		g := groupSync(t, source, target)
		g.Rename = func(group string) string { return "east-" + group }
		positions, err := g.Preview(testContext(t))
		if err != nil || len(positions) != 1 || !positions[0].Written || positions[0].TargetGroup != "east-g" {
			t.Errorf("preview is %+v (%v)", positions, err)
		}
		if now := committedAt(t, target, "east-g", "orders"); now.Offset != -1 {
			t.Errorf("a preview has committed %d", now.Offset)
		}
		syncGroups(t, g)
		if now := committedAt(t, target, "east-g", "orders"); now.Offset != positions[0].Target {
			t.Errorf("it is at %d, want %d", now.Offset, positions[0].Target)
		}
	})

	t.Run("topics that are not copied are not looked at", func(t *testing.T) {
		t.Parallel()
		source, target, _ := mapped(t)
		createTopic(t, source, kafka.TopicSpec{Name: "other"})
		commit(t, source, "g", "other", 0, 0)
		g := groupSync(t, source, target)
		var err error
		if g.Select, err = mirror.NewSelection([]string{"orders"}, nil); err != nil {
			t.Fatal(err)
		}
		if positions := syncGroups(t, g); len(positions) != 0 {
			t.Errorf("positions are %v, want none", positions)
		}
	})

	t.Run("the end of the context is an error", func(t *testing.T) {
		t.Parallel()
		source, target, _ := mapped(t)
		commit(t, source, "g", "orders", 0, 20)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := groupSync(t, source, target).Sync(ctx); err == nil {
			t.Error("it is none")
		}
	})
}
