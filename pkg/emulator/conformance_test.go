package emulator_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/emulator"
)

// TestConformance holds the platform to its rules, each with a built binary,
// those of CKafka triggers over embedded brokers.
func TestConformance(t *testing.T) {
	t.Parallel()
	tests := conformanceTests()
	var rules []string
	for _, rule := range emulator.Rules() {
		rules = append(rules, rule.ID)
		test := tests[rule.ID]
		if test == nil {
			t.Errorf("rule %s has no test", rule.ID)
			continue
		}
		t.Run(rule.ID+": "+rule.Text, test)
	}
	slices.Sort(rules)
	if diff := cmp.Diff(rules, slices.Sorted(maps.Keys(tests))); diff != "" {
		t.Errorf("rules and tests differ (-rule +test):\n%s", diff)
	}
}

// conformanceTests are all tests of rules, by the rule.
func conformanceTests() map[string]func(*testing.T) {
	all := map[string]func(*testing.T){}
	for _, part := range []map[string]func(*testing.T){
		refusalTests(), functionTests(), instanceTests(), faultTests(), deliveryTests(), failureTests(), positionTests(), changeTests(), eventTests(),
		timerTests(), asyncTests(), versionTests(),
	} {
		maps.Copy(all, part)
	}
	return all
}
