package backup_test

import (
	"context"
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

const bucketName = "backup-1250000000"

// faulty is a bucket whose server does what a test says.
type faulty struct {
	*localcos.Server
	bucket *cos.Bucket
	mu     sync.Mutex
	fault  func(*http.Request) *localcos.Fault
}

func (f *faulty) set(fault func(*http.Request) *localcos.Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = fault
}

// newFaulty starts a server. The client repeats a request twice.
func newFaulty(t *testing.T, buckets ...string) *faulty {
	t.Helper()
	f := &faulty{}
	var err error
	f.Server, err = localcos.New(localcos.Config{
		Dir: t.TempDir(), Buckets: buckets, Versioned: []string{"versioned-1250000000"}, Keys: map[string]localcos.Key{"id": {Secret: secret.New("key")}},
		Fault: func(r *http.Request) *localcos.Fault {
			f.mu.Lock()
			defer f.mu.Unlock()
			if f.fault == nil {
				return nil
			}
			return f.fault(r)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if err := f.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	f.bucket = f.bucketOf(t, bucketName)
	return f
}

// bucketOf is a client of one of the buckets.
func (f *faulty) bucketOf(t *testing.T, name string) *cos.Bucket {
	t.Helper()
	b, err := cos.Open(cos.Config{
		Bucket: name, Region: localcos.DefaultRegion, Endpoint: f.URL(), Credentials: cos.Static("id", secret.New("key")),
		Retries: 2, BackOff: time.Millisecond, Stall: 10 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func TestFaultsOfTheBucket(t *testing.T) {
	t.Parallel()

	t.Run(
		"a bucket that does not exist, and credentials that have expired, are said at once, and nothing is lost",
		func(t *testing.T) {
			t.Parallel()
			source := cluster(t, map[string]int32{"t": 1})
			produce(t, source, "t", 0, sample.Plain(10, 100, 1)...)
			none := newFaulty(t)
			if _, err := backup.Run(testContext(t), backup.Config{Source: source, Store: backup.Bucket(none.bucket)}); !errors.Is(
				err,
				cos.ErrNoBucket,
			) {
				t.Errorf("%v", err)
			}
			server := newFaulty(t, bucketName)
			server.SetKey("id", localcos.Key{Secret: secret.New("key"), Expires: time.Now().Add(-time.Minute)})
			if _, err := backup.Run(testContext(t), backup.Config{Source: source, Store: backup.Bucket(server.bucket)}); err == nil {
				t.Error("expired credentials are taken")
			}
			server.SetKey("id", localcos.Key{Secret: secret.New("key")})
			if result := run(t, source, backup.Bucket(server.bucket)); !result.Complete || result.Records != 10 {
				t.Errorf("%+v", result)
			}
		},
	)

	t.Run("a bucket with versions is refused before anything is written, and a key that may not ask is none", func(t *testing.T) {
		t.Parallel()
		source := cluster(t, map[string]int32{"t": 1})
		produce(t, source, "t", 0, sample.Plain(10, 100, 1)...)
		server := newFaulty(t, bucketName)
		store := backup.Bucket(server.bucket)
		status := ""
		server.set(func(r *http.Request) *localcos.Fault {
			if r.URL.Query().Has("versioning") && status == "denied" {
				return &localcos.Fault{Status: 403, Code: "AccessDenied"}
			}
			return nil
		})
		run(t, source, store)
		status = "denied"
		run(t, source, store)

		versioned := newFaulty(t, "versioned-1250000000")
		config := backup.Config{Source: source, Store: backup.Bucket(versioned.bucketOf(t, "versioned-1250000000"))}
		if _, err := backup.Run(testContext(t), config); !errors.Is(err, backup.ErrVersions) {
			t.Errorf("%v", err)
		}
		if clusters, err := backup.Clusters(testContext(t), config.Store, ""); err != nil || len(clusters) > 0 {
			t.Errorf("%v, %v", clusters, err)
		}
		_, err := backup.Prune(testContext(t), backup.PruneConfig{Chain: chain(t, source, config.Store), Count: 1, Execute: true})
		if !errors.Is(err, backup.ErrVersions) {
			t.Errorf("%v", err)
		}
	})

	faults := map[string]localcos.Fault{
		"an upload that is torn":          {TearUpload: 100},
		"an answer of 5xx":                {Status: 503, Code: "SlowDown"},
		"an answer that is lost":          {Drop: true},
		"a full disk":                     {DiskFull: 10},
		"a wrong checksum":                {WrongCRC: true},
		"a download that is cut":          {CutDownload: 50},
		"a byte that flips":               {Flip: 60},
		"credentials that have expired":   {Status: 403, Code: "RequestTimeTooSkewed"},
		"a bucket that is gone meanwhile": {Status: 404, Code: "NoSuchBucket"},
		"a slow server":                   {Delay: 20 * time.Millisecond},
	}
	for name, fault := range faults {
		t.Run(
			name+", again and again: no half backup is seen, runs go on, and everything is restored once",
			func(t *testing.T) {
				t.Parallel()
				source, target := cluster(t, map[string]int32{"t": 2}), cluster(t, nil)
				server := newFaulty(t, bucketName)
				store := backup.Bucket(server.bucket)
				random := rand.New(rand.NewPCG(8, uint64(len(name))))
				var chance float64 // of a fault
				server.set(func(*http.Request) *localcos.Fault {
					if random.Float64() < chance {
						return &fault
					}
					return nil
				})
				setChance := func(p float64) {
					server.mu.Lock()
					defer server.mu.Unlock()
					chance = p
				}
				for step := range uint64(3) {
					for p := range int32(2) {
						for i := range uint64(5) {
							produce(t, source, "t", p, sample.Plain(10, 100, step*10+i)...)
						}
					}
					for try := 0; ; try++ {
						setChance(max(0.7-float64(try)*0.1, 0))
						result, err := backup.Run(
							testContext(t),
							backup.Config{
								Source:       source,
								Store:        store,
								SegmentBytes: 2 << 10,
								CommitBytes:  5 << 10,
								Parallel:     2,
							},
						)
						setChance(0)
						if report, err := backup.Verify(testContext(t), backup.VerifyConfig{Chain: chain(t, source, store)}); !errors.Is(
							err,
							backup.ErrNoBackup,
						) &&
							(err != nil || !report.OK()) {
							t.Fatalf("step %d, try %d: %v, %v", step, try, report.Damage, err)
						}
						if err == nil && result.Complete {
							break
						}
						if try > 20 {
							t.Fatalf("it does not get through: %v", err)
						}
					}
				}
				for try := 0; ; try++ {
					setChance(max(0.7-float64(try)*0.1, 0))
					_, err := backup.Restore(
						testContext(t),
						backup.RestoreConfig{Chain: chain(t, source, store), Target: target},
					)
					if err == nil {
						break
					}
					if try > 20 || errors.Is(err, context.DeadlineExceeded) {
						t.Fatalf("it does not get through: %v", err)
					}
				}
				setChance(0)
				for p := range int32(2) {
					requireSame(t, records(t, source, "t", p), records(t, target, "t", p))
				}
			},
		)
	}
}
