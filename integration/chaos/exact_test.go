package chaos_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// requireExact wants each group's position in a cluster to be behind the records
// that it has read, wherever that was, and before all others. It wants these to
// be the first ones of each lane, each once and in order.
func (r *run) requireExact(t *testing.T, side string, brokers []string, held []journal) {
	t.Helper()
	exact, read := 0, 0
	for _, g := range r.groups {
		committed, err := positionsOf(t.Context(), brokers, g.id)
		if err != nil {
			t.Fatal(err)
		}
		for i, lane := range r.lanes {
			at, ok := committed[lane]
			if !ok {
				t.Errorf("group %s has no position in %v of the %s, and has read %d records", g.id, lane, side, len(g.read[i]))
				continue
			}
			if off := held[i].before(at) - len(g.read[i]); off == 0 {
				exact++
			} else {
				t.Errorf("group %s is at offset %d in %v of the %s, %d records off: it has read %d", g.id, at, lane, side, off, len(g.read[i]))
			}
			if first, ok := firstWrong(g.read[i], held[i].numbers); !ok {
				t.Errorf("group %s, %v of the %s: %s", g.id, lane, side, first)
			}
			read += len(g.read[i])
		}
	}
	r.requireBehind(t, side, held)
	r.log("%d of %d positions of groups at the %s are exact, behind %d records that they have read", exact, len(r.groups)*len(r.lanes), side, read)
}

// firstWrong says what was read instead of what a lane holds.
func firstWrong(read, held []int32) (what string, ok bool) {
	for i, number := range read {
		if i == len(held) {
			return fmt.Sprintf("it has read %d records, and there are %d", len(read), len(held)), false
		}
		if number != held[i] {
			return fmt.Sprintf("as the %d. record it has read %d, and that is %d", i+1, number, held[i]), false
		}
	}
	return "", true
}

// positionsOf reads what a group has committed, with another client than that of
// whom is judged.
func positionsOf(ctx context.Context, brokers []string, id string) (map[lane]int64, error) {
	versions := kversion.Stable()
	versions.SetMaxKeyVersion(int16(kmsg.OffsetFetch), 7) // of one group, with topics by their names
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.AlwaysRetryEOF(), kgo.MaxVersions(versions))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	positions := map[lane]int64{}
	err = every(ctx, 50*time.Millisecond, "the positions of group "+id, func() (bool, error) {
		request := kmsg.NewPtrOffsetFetchRequest()
		request.Group, request.RequireStable = id, true
		response, err := request.RequestWith(ctx, client)
		if err != nil {
			return false, err
		}
		if err := kerr.ErrorForCode(response.ErrorCode); err != nil {
			return false, err
		}
		for _, topic := range response.Topics {
			for _, p := range topic.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					return false, err
				}
				positions[lane{topic.Topic, p.Partition}] = p.Offset
			}
		}
		return true, nil
	})
	return positions, err
}
