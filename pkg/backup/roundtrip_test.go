package backup_test

import (
	"testing"

	"github.com/scf-etl/scf-etl/pkg/backup"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
)

func TestRoundTrip(t *testing.T) {
	t.Parallel()

	t.Run("a topic is backed up in steps, and restored to another cluster as it was", func(t *testing.T) {
		t.Parallel()
		source, store := cluster(t, map[string]int32{"orders": 2}), newMemory()
		produce(t, source, "orders", 0, sample.Plain(100, 200, 1)...)
		first := run(t, source, store)
		if !first.Complete || first.Sequence != 1 || first.Segments != 1 || first.Records != 100 {
			t.Fatalf("the first run: %+v", first)
		}
		produce(t, source, "orders", 0, sample.Plain(50, 200, 2)...)
		produce(t, source, "orders", 1, sample.Plain(10, 200, 3)...)
		second := run(t, source, store)
		if !second.Complete || second.Sequence != 2 || second.Segments != 2 || second.Records != 60 {
			t.Fatalf("the second run: %+v", second)
		}
		target := cluster(t, nil)
		config := backup.RestoreConfig{Chain: chain(t, source, store), Target: target}
		if got := restore(t, config); got.Records != 160 {
			t.Fatalf("restored %d records, want 160", got.Records)
		}
		for p := range int32(2) {
			requireSame(t, records(t, source, "orders", p), records(t, target, "orders", p))
		}
		if again := restore(t, config); again.Records != 0 {
			t.Errorf("run again, it has written %d records", again.Records)
		}
	})
}
