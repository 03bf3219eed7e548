package mirror_test

import (
	"testing"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

func TestCopy(t *testing.T) {
	t.Parallel()
	for _, codec := range []batch.Codec{batch.None, batch.Gzip, batch.Snappy, batch.LZ4, batch.Zstd} {
		t.Run("every special record arrives unchanged, "+codec.String(), func(t *testing.T) {
			t.Parallel()
			source, target := pair(t)
			createTopic(t, source, kafka.TopicSpec{Name: "t", Settings: sample.TopicSettings()})
			records := sample.Special()
			rng := produce(t, source, "t", 0, codec, 1, records)

			result, err := copier(t, mirror.Config{Source: source, Target: target}).Copy(testContext(t), []mirror.Range{rng})
			if err != nil {
				t.Fatal(err)
			}
			if got := result.Partitions[0]; got.Rebuilt != 0 || got.Passed != len(records) {
				t.Errorf("passed %d batches and rebuilt %d, want all %d passed", got.Passed, got.Rebuilt, len(records))
			}
			requireEqual(t, side(t, source, "t", 0), side(t, target, "t", 0), int64(len(records)))
		})
	}
}
