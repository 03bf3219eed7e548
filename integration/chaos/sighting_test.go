package chaos_test

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// sighting is where a group was seen to be at the side that is copied to, and how
// many records it had read by then.
type sighting struct {
	group *group
	lane  int
	at    int64
	read  int
}

// sight notes where the groups are at this moment.
func (r *run) sight(ctx context.Context) error {
	for _, g := range r.groups {
		err := every(ctx, 20*time.Millisecond, "the positions of group "+g.id, func() (bool, error) {
			committed, err := r.way.to.CommittedAll(ctx, g.id)
			if err != nil {
				return false, err
			}
			g.mu.Lock()
			defer g.mu.Unlock()
			for i, lane := range r.lanes {
				if at, ok := committed[lane.topic][lane.partition]; ok {
					r.seen = append(r.seen, sighting{g, i, at.Offset, len(g.read[i])})
				}
			}
			return true, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// requireBehind wants no group to have been seen, at any time, beyond a record
// that it had not read yet: whoever had gone on there would have lost it. Nor may
// a position have gone back.
func (r *run) requireBehind(t *testing.T, side string, held []journal) {
	t.Helper()
	last := map[string]sighting{}
	moved, wrong := 0, 0
	for _, s := range r.seen {
		if skipped := held[s.lane].before(s.at) - s.read; skipped > 0 {
			wrong++
			t.Errorf("group %s was at offset %d in %v of the %s before it had read the last %d of the records there",
				s.group.id, s.at, r.lanes[s.lane], side, skipped)
		}
		key := fmt.Sprint(s.group.id, s.lane)
		before, ok := last[key]
		if ok && s.at < before.at {
			wrong++
			t.Errorf("group %s went back from offset %d to %d in %v of the %s", s.group.id, before.at, s.at, r.lanes[s.lane], side)
		}
		if ok && s.at > before.at {
			moved++
		}
		last[key] = s
	}
	r.log("%d positions seen at the %s under faults, %d of them moved on, %d beyond what was read or gone back", len(r.seen), side, moved, wrong)
	r.seen = nil
}
