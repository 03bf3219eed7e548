package emulator_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/emulator"
)

// TestConformance holds the platform to its rules, each with a built binary,
// those of triggers over embedded brokers.
func TestConformance(t *testing.T) {
	t.Parallel()
	tests := functionTests()
	maps.Copy(tests, faultTests())
	maps.Copy(tests, deliveryTests())
	maps.Copy(tests, failureTests())
	maps.Copy(tests, positionTests())
	maps.Copy(tests, changeTests())
	var rules []string
	for _, rule := range emulator.Rules() {
		rules = append(rules, rule.ID)
		test := tests[rule.ID]
		if test == nil {
			t.Errorf("rule %s has no test", rule.ID)
			continue
		}
		t.Run(rule.Text, test)
	}
	slices.Sort(rules)
	if diff := cmp.Diff(rules, slices.Sorted(maps.Keys(tests))); diff != "" {
		t.Errorf("rules and tests differ (-rule +test):\n%s", diff)
	}
}
