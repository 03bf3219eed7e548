package migrate

import "context"

// Start begins to copy: from the next second on the function migrate does. One
// that is started already stays as it is.
//
// Conflicts are looked for once more, and what other migrations have claimed in
// the change itself: of two that were planned at the same time and share a name,
// the second one is refused.
func (o *Operator) Start(ctx context.Context, name string) (State, error) {
	state, err := o.load(ctx, name, "start", Planned, Mirroring, DualWriting, Verified)
	if err != nil || state.Step != Planned {
		return state, err
	}
	preview, err := o.Preview(ctx, state.Plan)
	if err != nil {
		return state, err
	}
	if len(preview.Conflicts) > 0 {
		// what was found may be what another operator's start has made meanwhile
		if now, err := o.store().Load(ctx, name); err != nil || now.Step != Planned {
			return now, err
		}
	}
	claims := preview.claims()
	return o.enter(ctx, state, Mirroring, []Gate{conflictGate(preview.Conflicts)}, func(s *State, others []State) error {
		var conflicts []Conflict
		for _, other := range others {
			if other.Step != Planned && !other.Step.Over() {
				conflicts = append(conflicts, claims.clashes(other)...)
			}
		}
		s.Claims = claims
		return passed(name, Mirroring, []Gate{conflictGate(conflicts)})
	})
}
