package chaos_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/integration/chaos"
)

func TestSchedule(t *testing.T) {
	t.Parallel()

	t.Run("a seed gives the same faults again and another seed others", func(t *testing.T) {
		t.Parallel()
		faults := chaos.Schedule(1, 100)
		if diff := cmp.Diff(faults, chaos.Schedule(1, 100)); diff != "" {
			t.Errorf("the second time (-first +second):\n%s", diff)
		}
		if cmp.Equal(faults, chaos.Schedule(2, 100)) {
			t.Error("two seeds have the same faults")
		}
	})

	t.Run("it has as many kills as wanted, and from 20 on every fault", func(t *testing.T) {
		t.Parallel()
		for _, want := range []int{1, 19, 20, 500} {
			kills := 0
			kinds := map[string]bool{}
			for _, f := range chaos.Schedule(3, want) {
				kinds[string(f.Kind)+" "+string(f.Party)] = true
				if f.Kills() {
					kills++
				}
			}
			if kills != want {
				t.Errorf("%d kills, want %d", kills, want)
			}
			if want >= 20 && len(kinds) != 16 {
				t.Errorf("with %d kills there are %d different faults, want 16: %v", want, len(kinds), kinds)
			}
		}
	})
}
