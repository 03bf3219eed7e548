package backup_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/backup"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
)

func TestPartitionThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	source, fake := faultyCluster(t, map[string]int32{"t": 3})
	store, ctx := newMemory(), testContext(t)
	fill := func() {
		t.Helper()
		for p := range int32(3) {
			produce(t, source, "t", p, sample.Plain(10, 100, 1)...)
		}
	}
	fill()
	run(t, source, store)
	fill()
	var away atomic.Bool
	away.Store(true)
	fake.ControlKey(int16(kmsg.ListOffsets), func(r kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		request := r.(*kmsg.ListOffsetsRequest)
		if !away.Load() {
			return nil, nil, false
		}
		response := request.ResponseKind().(*kmsg.ListOffsetsResponse)
		failed := false
		for _, topic := range request.Topics {
			of := kmsg.NewListOffsetsResponseTopic()
			of.Topic = topic.Topic
			for _, p := range topic.Partitions {
				at := kmsg.NewListOffsetsResponseTopicPartition()
				at.Partition = p.Partition
				if p.Partition == 1 {
					at.ErrorCode, failed = kerr.TopicAuthorizationFailed.Code, true
				}
				of.Partitions = append(of.Partitions, at)
			}
			response.Topics = append(response.Topics, of)
		}
		return response, nil, failed
	})
	result, err := backup.Run(ctx, backup.Config{Source: source, Store: store})
	if err == nil || !strings.Contains(err.Error(), "t/1") && !strings.Contains(err.Error(), "partition 1") {
		t.Errorf("%v does not name the partition", err)
	}
	if result.Complete || result.Records != 20 || result.Recreated != nil || result.Partitions != 3 {
		t.Errorf("%+v", result)
	}
	away.Store(false)
	if result := run(t, source, store); !result.Complete || result.Records != 10 || result.Lost != nil {
		t.Errorf("once it answers: %+v", result)
	}
	if report := verify(t, backup.VerifyConfig{Chain: chain(t, source, store)}); !report.OK() || report.Records != 60 {
		t.Errorf("%+v", report)
	}
}

func TestGroupsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	positions := func(t *testing.T, m *backup.Manifest) map[string]int64 {
		t.Helper()
		all := map[string]int64{}
		for _, g := range m.Groups {
			all[g.ID] = g.Positions[0].Offset
		}
		return all
	}

	for name, test := range map[string]struct {
		key  kmsg.Key
		fail *kerr.Error
		lost bool // the run is complete without the positions
	}{
		"one group":                         {kmsg.OffsetFetch, kerr.UnknownServerError, false},
		"one group that may not be read":    {kmsg.OffsetFetch, kerr.GroupAuthorizationFailed, true},
		"the list of groups":                {kmsg.ListGroups, kerr.UnknownServerError, false},
		"the list, which may not be read":   {kmsg.ListGroups, kerr.GroupAuthorizationFailed, true},
		"a list of brokers that are behind": {kmsg.ListGroups, kerr.UnsupportedVersion, true},
	} {
		t.Run(name+" does not stop the backup of records", func(t *testing.T) {
			t.Parallel()
			source, fake := faultyCluster(t, map[string]int32{"t": 1})
			store, ctx := newMemory(), testContext(t)
			commit := func(offset int64) {
				t.Helper()
				produce(t, source, "t", 0, sample.Plain(10, 100, 1)...)
				for _, group := range []string{"bad", "good"} {
					if err := source.Commit(ctx, group, "t", map[int32]kafka.Committed{0: {Offset: offset}}); err != nil {
						t.Fatal(err)
					}
				}
			}
			commit(5)
			run(t, source, store)
			commit(15)
			fake.ControlKey(int16(test.key), func(r kmsg.Request) (kmsg.Response, error, bool) {
				fake.KeepControl()
				response := r.ResponseKind()
				switch response := response.(type) {
				case *kmsg.OffsetFetchResponse:
					if r.(*kmsg.OffsetFetchRequest).Group != "bad" {
						return nil, nil, false
					}
					response.ErrorCode = test.fail.Code
				case *kmsg.ListGroupsResponse:
					response.ErrorCode = test.fail.Code
				}
				return response, nil, true
			})
			result, err := backup.Run(ctx, backup.Config{Source: source, Store: store})
			if (err == nil) != test.lost || result.Complete != test.lost || result.Records != 10 || result.Sequence != 2 {
				t.Errorf("%+v, %v", result, err)
			}
			if err != nil && test.key == kmsg.OffsetFetch && !strings.Contains(err.Error(), "group bad") {
				t.Errorf("%v does not name the group", err)
			}
			newest, err := chain(t, source, store).Newest(ctx)
			if err != nil {
				t.Fatal(err)
			}
			got := positions(t, newest)
			want := map[string]int64{"bad": 5, "good": 5}
			if test.key == kmsg.OffsetFetch {
				want["good"] = 15
			}
			if test.lost {
				delete(want, "bad")
				if test.key == kmsg.ListGroups {
					delete(want, "good")
				}
			}
			if len(got) != len(want) || got["bad"] != want["bad"] || got["good"] != want["good"] {
				t.Errorf("the positions are %v, want %v", got, want)
			}
		})
	}
}
