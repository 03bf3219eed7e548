package integration

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/backup"
	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// storeFaults are what goes wrong with a bucket, each of its requests by chance.
func storeFaults() []struct {
	name  string
	fault localcos.Fault
} {
	return []struct {
		name  string
		fault localcos.Fault
	}{
		{"an upload that is torn", localcos.Fault{TearUpload: 100}},
		{"an answer of 5xx", localcos.Fault{Status: 503, Code: "SlowDown"}},
		{"an answer that is lost", localcos.Fault{Drop: true}},
		{"a slow server", localcos.Fault{Delay: 20 * time.Millisecond}},
		{"a wrong checksum", localcos.Fault{WrongCRC: true}},
		{"an upload with a byte that flips", localcos.Fault{FlipUpload: 70}},
		{"a download with a byte that flips", localcos.Fault{Flip: 60}},
		{"a download that is cut", localcos.Fault{CutDownload: 50}},
		{"a bucket that is gone meanwhile", localcos.Fault{Status: 404, Code: "NoSuchBucket"}},
		{"a full disk", localcos.Fault{DiskFull: 10}},
		{"credentials that expire in the middle", localcos.Fault{Status: 403, Code: "AccessDenied"}},
	}
}

// faultyBucket is a bucket whose requests fail by chance.
type faultyBucket struct {
	mu     sync.Mutex
	random *rand.Rand
	fault  localcos.Fault
	chance float64
	failed int
}

func (f *faultyBucket) ask(*http.Request) *localcos.Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.random.Float64() >= f.chance {
		return nil
	}
	f.failed++
	fault := f.fault
	return &fault
}

func (f *faultyBucket) set(fault localcos.Fault, chance float64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault, f.chance = fault, chance
}

func (f *faultyBucket) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failed
}

// TestBackupWithFaults backs a real cluster up to a bucket that fails in every way, and
// restores from it to another one. Whatever happens, no half backup is seen, the next run
// goes on, and in the end each record is there once.
func TestBackupWithFaults(t *testing.T) {
	t.Parallel()
	w := real(t)
	faulty := &faultyBucket{random: rand.New(rand.NewPCG(8, 8))}
	server, err := localcos.New(localcos.Config{
		Dir: t.TempDir(), Buckets: []string{backupBucket}, Keys: map[string]localcos.Key{"id": {Secret: secret.New("key")}},
		Fault: faulty.ask,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	if err := server.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	bucket, err := cos.Open(cos.Config{
		Bucket: backupBucket, Region: localcos.DefaultRegion, Endpoint: server.URL(),
		Credentials: cos.Static("id", secret.New("key")), Retries: 2, BackOff: time.Millisecond, Stall: 10 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(bucket.Close)
	store := backup.Bucket(bucket)
	cluster, err := w.source.Cluster(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := backup.OpenChain(store, "faults", cluster.ID)
	if err != nil {
		t.Fatal(err)
	}
	const partitions = 2
	w.createTopic(t, partitions, sample.TopicSettings())
	mine := func(name string) bool { return name == w.topic }
	restore := backup.RestoreConfig{Chain: chain, Target: w.target, Job: w.topic, Select: mine}
	written := int64(0)
	// A chance that gets less with each try, so that there is an end.
	chance := func(try int) float64 { return max(0.6-0.1*float64(try), 0) }
	for i, one := range storeFaults() {
		for p := range int32(partitions) {
			w.produce(t, p, codecs[(i+int(p))%len(codecs)], 50, sample.Plain(250, 200, uint64(i*10)+uint64(p)))
			written += 250
		}
		before := faulty.count()
		for try := 0; ; try++ {
			faulty.set(one.fault, chance(try))
			result, err := backup.Run(w.ctx, backup.Config{
				Source: w.source, Store: store, Prefix: "faults", Topics: mine, Groups: mine,
				SegmentBytes: 10_000, CommitBytes: 30_000, Parallel: 2,
			})
			faulty.set(one.fault, 0)
			report, broken := backup.Verify(w.ctx, backup.VerifyConfig{Chain: chain})
			if !errors.Is(broken, backup.ErrNoBackup) && (broken != nil || !report.OK()) {
				t.Fatalf("%s, try %d: %v, %v", one.name, try+1, report.Damage, broken)
			}
			if err == nil && result.Complete {
				break
			}
			if try > 20 {
				t.Fatalf("%s: no backup gets through: %v", one.name, err)
			}
		}
		for try := 0; ; try++ {
			faulty.set(one.fault, chance(try))
			_, err := backup.Restore(w.ctx, restore)
			faulty.set(one.fault, 0)
			if err == nil {
				break
			}
			if try > 20 {
				t.Fatalf("%s: no restore gets through: %v", one.name, err)
			}
		}
		if faulty.count() == before {
			t.Errorf("%s: nothing has failed", one.name)
		}
	}
	n, differences, err := backup.Compare(w.ctx, restore)
	if err != nil || len(differences) > 0 || n != written {
		t.Errorf("%d records of %d, %v, %v", n, written, differences, err)
	}
	w.requireEqual(t, written)
	t.Logf("%d requests have failed", faulty.count())
}
