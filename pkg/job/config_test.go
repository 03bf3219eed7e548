package job_test

import (
	"testing"

	"github.com/scf-etl/scf-etl/pkg/job"
	"github.com/scf-etl/scf-etl/pkg/kafka"
)

func TestFetches(t *testing.T) {
	t.Parallel()
	t.Run("auto fetches where there is a source to fetch from", func(t *testing.T) {
		t.Parallel()
		for mode, want := range map[job.Mode]bool{job.ModeAuto: true, job.ModeFetch: true, job.ModeEvent: false} {
			s := job.Settings{Mode: mode, Source: kafka.Config{Brokers: []string{"a:1"}}}
			if got := s.Fetches(); got != want {
				t.Errorf("%s with source brokers fetches: %v", mode, got)
			}
		}
		if (job.Settings{Mode: job.ModeAuto}).Fetches() {
			t.Error("auto without source brokers fetches")
		}
	})
}
