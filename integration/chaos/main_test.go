package chaos_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/integration/kafkatest"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
)

// clusters are those of the runs, each run having its own.
var clusters kafkatest.Shared

// options are what `make chaos` says.
var options struct {
	seed                                 uint64
	kills, migrateKills, records, pauses int
}

func TestMain(m *testing.M) {
	flag.Uint64Var(&options.seed, "seed", 0, "seed of records, faults and moments; 0 takes a new one")
	flag.IntVar(&options.kills, "kills", 0, "processes to kill during the copy; 0 skips it")
	flag.IntVar(&options.migrateKills, "migrate-kills", 0, "processes to kill during the migration there and back; 0 skips it")
	flag.IntVar(&options.records, "records", 5_000_000, "records to copy, and to migrate")
	flag.IntVar(&options.pauses, "pauses", 0, "instances to pause in the middle of their work; 0 skips it")
	os.Exit(clusters.Run(m))
}

// patience bounds every single wait of a run; the run itself is as long as it is.
const patience = 5 * time.Minute

// require skips a run that nobody has asked for, and gives its seed.
func require(t *testing.T, wanted int) uint64 {
	t.Helper()
	if wanted == 0 {
		t.Skip("takes minutes up to hours: make chaos")
	}
	kafkatest.Require(t)
	seed := options.seed
	if seed == 0 {
		seed = rand.Uint64N(1_000_000) + 1
	}
	t.Logf("seed %d; again with: make chaos SEED=%d KILLS=%d MIGRATE_KILLS=%d RECORDS=%d PAUSES=%d",
		seed, seed, options.kills, options.migrateKills, options.records, options.pauses)
	return seed
}

// folder is where a run keeps its files: binaries, settings and logs. A run
// that has failed leaves it, and says where it is.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "chaos-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("logs are in %s", dir)
		} else if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// build builds commands of this project into dir/bin.
func build(t *testing.T, dir string, packages ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", append([]string{"build", "-o", filepath.Join(dir, "bin") + "/"}, packages...)...)
	command.Dir = "../.."
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatal(fmt.Errorf("build %v: %w\n%s", packages, err, out))
	}
}

// startPair starts a source and a target of the test's own, each behind its
// proxy. A broker's heartbeats have the time that they need beside all the
// others: one that misses them is fenced, which is no fault of the schedule.
func startPair(t *testing.T) (pair kafkatest.Pair) {
	t.Helper()
	var starts errgroup.Group
	for _, cluster := range []**kafkatest.Cluster{&pair.Source, &pair.Target} {
		starts.Go(func() (err error) {
			*cluster, err = clusters.Start(t, kafkatest.Config{Proxied: true, Settings: map[string]string{
				"broker.heartbeat.interval.ms": "2000",
				"broker.session.timeout.ms":    "10000",
			}})
			return err
		})
	}
	if err := starts.Wait(); err != nil {
		t.Fatal(err)
	}
	return pair
}

// open connects to a cluster through its proxy. A connection that a half-open
// network has lost is noticed soon.
func open(t *testing.T, cluster *kafkatest.Cluster) *kafka.Client {
	t.Helper()
	var client *kafka.Client
	if err := every(t.Context(), 50*time.Millisecond, "a connection to "+cluster.Brokers[0], func() (_ bool, err error) {
		client, err = kafka.Open(t.Context(), kafka.Config{
			Brokers: cluster.Brokers, MetadataTTL: 200 * time.Millisecond, RequestTimeout: 3 * time.Second,
		})
		return err == nil, err
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// createTopic makes a topic of a run. A broker that has just started may be slow
// to answer, and have made it all the same.
func createTopic(t *testing.T, client *kafka.Client, name string, partitions int) {
	t.Helper()
	spec := kafka.TopicSpec{Name: name, Partitions: partitions, Settings: sample.TopicSettings()}
	err := every(t.Context(), 100*time.Millisecond, "a topic", func() (bool, error) {
		err := client.CreateTopic(t.Context(), spec)
		return err == nil || errors.Is(err, kafka.ErrTopicExists), err
	})
	if err != nil && !errors.Is(err, kafka.ErrTopicExists) {
		t.Fatal(err)
	}
}
