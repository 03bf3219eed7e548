package integration

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/backup"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
)

// killLanes are under kills beside each other, each with a topic and a bucket of its own.
const killLanes = 4

// TestBackupUnderKills kills the commands; ETL_BACKUP_KILLS says how often.
func TestBackupUnderKills(t *testing.T) {
	t.Parallel()
	kills := 200
	if text := os.Getenv("ETL_BACKUP_KILLS"); text != "" {
		var err error
		if kills, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	etlBinary(t) // once, before anything is timed
	for lane := range killLanes {
		most := kills * (lane + 1) / killLanes
		// Short, because topics and jobs are named after it: no record is lost, doubled or changed.
		t.Run(fmt.Sprint("part ", lane+1), func(t *testing.T) {
			t.Parallel()
			backupUnderKills(t, most-kills*lane/killLanes, uint64(lane))
		})
	}
}

// mortal is commands that are killed at random points of their lives.
type mortal struct {
	*world
	environ  []string
	random   *rand.Rand
	patience time.Duration // of the longest life, which finds out how slow the machine is
	hit      map[string]int
}

func backupUnderKills(t *testing.T, kills int, lane uint64) {
	w := real(t)
	var delay atomic.Int64 // of each request to the bucket, so that kills hit between two of them
	store, folder, environ := w.store(t, &delay)
	const partitions, slow = 4, int64(4 * time.Millisecond)
	w.createTopic(t, partitions, sample.TopicSettings())
	k := &mortal{
		world: w, environ: environ, patience: 300 * time.Millisecond, hit: map[string]int{},
		random: rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), lane)),
	}
	written := 0
	for round := uint64(0); k.all() < kills; round++ {
		for p := range int32(partitions) {
			w.produce(t, p, codecs[p], 50, sample.Plain(500, 200, round*10+uint64(p)))
			written += 500
		}
		delay.Store(slow)
		for !k.command(t, "backup run", "--segment-bytes", "20000", "--parallel", "2") {
			delay.Store(0)
			w.wholeBackup(t, store, folder)
			delay.Store(slow)
		}
		for !k.command(t, "restore", "--parallel", "2", "--job", w.topic) {
		}
	}
	delay.Store(0)
	chain, err := backup.Find(w.ctx, store, folder, "")
	if err != nil {
		t.Fatal(err)
	}
	mine := func(name string) bool { return name == w.topic }
	n, differences, err := backup.Compare(
		w.ctx,
		backup.RestoreConfig{Chain: chain, Target: w.target, Job: w.topic, Select: mine},
	)
	if err != nil || len(differences) > 0 || n != int64(written) {
		t.Errorf("%d records of %d, %v, %v", n, written, differences, err)
	}
	w.requireEqual(t, int64(written))
	t.Logf("%v kills have hit, %d records", k.hit, written)
}

func (k *mortal) all() (n int) {
	for _, hits := range k.hit {
		n += hits
	}
	return n
}

// command runs a command of etl for as long as its life is; true where it came to its end.
func (k *mortal) command(t *testing.T, name string, more ...string) (done bool) {
	t.Helper()
	args := slices.Concat(strings.Fields(name), []string{"--include", k.topic}, more)
	ctx, cancel := context.WithCancel(k.ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, etlBinary(t), args...)
	cmd.Env = append(os.Environ(), k.environ...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(time.Duration(k.random.Int64N(int64(k.patience))), cancel) // SIGKILL
	err := cmd.Wait()
	timer.Stop()
	switch {
	case err == nil:
		k.patience = k.patience * 2 / 3
		return true
	case ctx.Err() == nil:
		t.Fatalf("etl %v: %v\n%s", args, err, &out)
	}
	k.hit[name]++
	k.patience = k.patience * 5 / 4
	return false
}

// wholeBackup requires that a backup, if there is one, is whole.
func (w *world) wholeBackup(t *testing.T, store backup.Store, folder string) {
	t.Helper()
	clusters, err := backup.Clusters(w.ctx, store, folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range clusters {
		chain, err := backup.OpenChain(store, folder, id)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := chain.Newest(w.ctx); err != nil {
			continue // segments, and no manifest yet
		}
		report, err := backup.Verify(w.ctx, backup.VerifyConfig{Chain: chain, StructureOnly: true})
		if err != nil || !report.OK() {
			t.Fatalf("%v, %v", report.Damage, err)
		}
	}
}
