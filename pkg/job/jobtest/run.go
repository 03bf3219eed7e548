package jobtest

import (
	"testing"

	"github.com/scf-etl/scf-etl/pkg/job"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// Run tries the code of a job with each case, in a parallel subtest of its own.
func Run(t *testing.T, process job.Process, cases []Case) {
	t.Helper()
	RunProcessors(t, func(string, int32) mirror.Processor { return process }, cases)
}

// RunProcessors is Run of processors that remember something: as in the engine each
// partition of the source has one of its own, and each case begins with new ones.
func RunProcessors(t *testing.T, processor func(topic string, partition int32) mirror.Processor, cases []Case) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			got := handle(t.Context(), processor, c)
			for _, fault := range got.faults(c) {
				t.Error(fault)
			}
		})
	}
}
