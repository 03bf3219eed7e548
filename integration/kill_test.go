package integration

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

func killed(t *testing.T, w *world) { dumpUnderKills(t, w, 5, 20_000) }

// TestFiftyKills is the story of kill -9 at length.
func TestFiftyKills(t *testing.T) {
	t.Parallel()
	t.Run("50 kill -9 during a dump of 200,000 records lose, double and reorder nothing", func(t *testing.T) {
		t.Parallel()
		dumpUnderKills(t, real(t), 50, 200_000)
	})
}

// dumpUnderKills copies records while the function's process is killed at
// random points, and shows that each kill has hit an invocation.
func dumpUnderKills(t *testing.T, w *world, kills, records int) {
	const partitions = 4
	w.createTopic(t, partitions, sample.TopicSettings())
	for p := range int32(partitions) {
		w.produce(t, p, codecs[p], 50, sample.Plain(records/partitions, 100, uint64(p)))
	}
	w.deploy(t, func(_ *emulator.Config, f *scf.Function) {
		// small events, so that there are many points to be killed at
		f.Events[0].Kafka.MaxMsgNum = max(records/partitions/(2*kills), 50)
	})
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	hit := 0
	w.await(t, "kills that hit", func() (bool, error) {
		if pids := w.processes(t); len(pids) > 0 {
			<-time.After(time.Duration(random.IntN(40)) * time.Millisecond)
			kill(t, pids[random.IntN(len(pids))])
		}
		hit = 0
		for _, i := range w.platform.Invocations() {
			if i.Error != nil && i.Error.Kind == emulator.KindExit {
				hit++
			}
		}
		done, err := w.copied()
		return hit >= kills || done, err
	})
	w.awaitCopied(t)
	w.requireEqual(t, int64(records))
	if hit < kills {
		t.Errorf("%d kills hit an invocation before the dump was done, want %d", hit, kills)
	}
	t.Logf("%d kills hit %d invocations", hit, len(w.platform.Invocations()))
}

// kill ends a process as kill -9 does. One that has just ended by itself is no
// failure: the story goes on until enough kills have hit.
func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && err != syscall.ESRCH {
		t.Fatal(err)
	}
}

// processes lists the processes of the function: those whose binary is in this
// world's folder.
func (w *world) processes(t *testing.T) []int {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil || len(links) == 0 {
		t.Skip("needs /proc to find the function's processes")
	}
	var pids []int
	for _, link := range links {
		binary, err := os.Readlink(link)
		if err != nil || !strings.HasPrefix(binary, w.dir) {
			continue // ended, or somebody else's
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
