package dataset

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

const (
	bucket     = "data-1250000000"
	topic      = "events"
	partitions = 3
	kills      = 100
	nine       = 1_795_683_600_000 // 2026-11-26T09:00:00Z
)

// world is a topic, a bucket, and what has been written.
type world struct {
	client  *kafka.Client
	store   *cos.Bucket
	binary  string
	environ []string
	delay   atomic.Int64 // of each request to the bucket

	mu     sync.Mutex
	ends   [partitions]int64 // of the topic
	next   [partitions]int64 // what the trigger has committed
	lines  []string          // of all records, as testdata/rows.py has them
	groups map[string][]any
	random *rand.Rand
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{groups: map[string][]any{}, random: rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))}
	brokers, err := localkafka.Start(localkafka.Config{Topics: map[string]int32{topic: partitions}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { brokers.Close() })
	if w.client, err = kafka.Open(t.Context(), kafka.Config{Brokers: brokers.Brokers(), MetadataTTL: 100 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.client.Close() })
	server, err := localcos.New(localcos.Config{
		Dir: t.TempDir(), Buckets: []string{bucket}, Keys: map[string]localcos.Key{"id": {Secret: secret.New("key")}},
		Fault: func(*http.Request) *localcos.Fault { return &localcos.Fault{Delay: time.Duration(w.delay.Load())} },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	if err := server.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	w.store, err = cos.Open(cos.Config{
		Bucket: bucket, Region: localcos.DefaultRegion, Endpoint: server.URL(), Credentials: cos.Static("id", secret.New("key")),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.binary = filepath.Join(t.TempDir(), "load")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", w.binary, "../../functions/load")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	w.environ = []string{
		"SOURCE_BROKERS=" + strings.Join(w.client.Brokers(), ","), "TOPICS=" + topic, "RANGE_BYTES=4000", "PARALLEL=3",
		"COS_BUCKET=" + bucket, "COS_REGION=" + localcos.DefaultRegion, "COS_ENDPOINT=" + server.URL(), "COS_SECRET_ID=id", "COS_SECRET_KEY=key",
	}
	return w
}

// produce writes records to each partition; each is of one of four hours.
func (w *world) produce(ctx context.Context, n int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for p := range int32(partitions) {
		var records []batch.Record
		for i := range n {
			action, amount, hours := fmt.Sprintf("action-%d", w.random.IntN(5)), w.random.Int64N(1_000_000), w.random.IntN(4)
			value := fmt.Sprintf(`{"action":%q,"amount":%d}`, action, amount)
			records = append(records, batch.Record{Value: []byte(value), Timestamp: nine + int64(hours)*3600_000})
			w.lines = append(w.lines, fmt.Sprintf("%d,%d,%s,%d", p, w.ends[p]+int64(i), action, amount))
			key := fmt.Sprintf("%s %d", action, 9+hours)
			if w.groups[key] == nil {
				w.groups[key] = []any{action, float64(9 + hours), 0.0, 0.0}
			}
			w.groups[key][2] = w.groups[key][2].(float64) + 1
			w.groups[key][3] = w.groups[key][3].(float64) + float64(amount)
		}
		if _, err := w.client.Produce(ctx, topic, p, records...); err != nil {
			return err
		}
		w.ends[p] += int64(n)
	}
	return nil
}

// event is what a poller sends next, which may begin before what it has committed; "" where there is nothing. commit
// says that it was handled.
func (w *world) event() (payload string, commit func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.random.Int32N(partitions)
	for range partitions {
		if p = (p + 1) % partitions; w.next[p] < w.ends[p] {
			break
		}
	}
	if w.next[p] >= w.ends[p] {
		return "", nil
	}
	first := max(0, w.next[p]-w.random.Int64N(20)) // a poller that has not committed sends it again
	last := min(w.ends[p]-1, w.next[p]+w.random.Int64N(300))
	e := event.Kafka{
		Records: []event.KafkaRecord{{Topic: topic, Partition: p, Offset: first}, {Topic: topic, Partition: p, Offset: last}},
	}
	text, err := e.MarshalJSON()
	if err != nil {
		panic(err) // numbers and texts
	}
	return string(text), func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.next[p] = max(w.next[p], last+1)
	}
}

// drive invokes instances, one after the other, until enough of them were killed at work.
func (w *world) drive(ctx context.Context, seed uint64, hit *atomic.Int64) error {
	random := rand.New(rand.NewPCG(seed, uint64(time.Now().UnixNano())))
	patience := 100 * time.Millisecond
	for hit.Load() < kills {
		i, err := start(ctx, w.binary, w.environ)
		if err != nil {
			return err
		}
		var asleep *time.Timer
		if random.IntN(8) == 0 { // it sleeps, and another one does its work meanwhile
			asleep = time.AfterFunc(time.Duration(random.Int64N(int64(patience))), func() {
				i.pause()
				time.AfterFunc(150*time.Millisecond, i.resume)
			})
		}
		var killed atomic.Bool
		timer := time.AfterFunc(time.Duration(random.Int64N(int64(patience)))+10*time.Millisecond, func() {
			killed.Store(true)
			_ = i.command.Process.Kill()
		})
		for !killed.Load() && err == nil {
			payload, commit := w.event()
			if payload == "" {
				err = w.produce(ctx, 200)
				continue
			}
			if err = i.invoke(payload); err == nil {
				commit()
			}
		}
		timer.Stop()
		if asleep != nil {
			asleep.Stop()
		}
		i.kill()
		var said *failure
		if errors.As(err, &said) {
			return fmt.Errorf("%w\n%s", err, i.output.String())
		}
		if killed.Load() && err != nil {
			hit.Add(1)
			patience = min(patience*21/20, 2*time.Second)
		}
	}
	return nil
}

func TestEveryRecordIsThereOnceAfter100Kills(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("installs DuckDB and pyarrow, left out by -short: make integration")
	}
	interpreter := python(t)
	w := newWorld(t)
	if err := w.produce(t.Context(), 2000); err != nil {
		t.Fatal(err)
	}
	w.delay.Store(int64(2 * time.Millisecond))
	var hit atomic.Int64
	var workers sync.WaitGroup
	faults := make(chan error, 3)
	for n := range uint64(cap(faults)) { // at the same time, as no platform does: they are one another's paused instance
		workers.Go(func() { faults <- w.drive(t.Context(), n, &hit) })
	}
	workers.Wait()
	close(faults)
	for err := range faults {
		if err != nil {
			t.Fatal(err)
		}
	}
	w.delay.Store(0)
	last, err := start(t.Context(), w.binary, w.environ)
	if err != nil {
		t.Fatal(err)
	}
	defer last.kill()
	if err := last.invoke(`{"Type":"Timer","TriggerName":"compact","Time":"2026-11-27T12:00:00Z","Message":""}`); err != nil {
		t.Fatal(err)
	}

	folder := filepath.Join(t.TempDir(), "dataset")
	objects := w.download(t, folder)
	out, err := exec.CommandContext(t.Context(), interpreter, "testdata/rows.py", folder).Output()
	if err != nil {
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			t.Fatalf("%v\n%s", err, failed.Stderr)
		}
		t.Fatal(err)
	}
	type found struct {
		Rows   int     `json:"rows"`
		Digest string  `json:"digest"`
		Groups [][]any `json:"groups"`
	}
	var got struct{ Pyarrow, Duckdb found }
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	slices.Sort(w.lines)
	sum := sha256.Sum256([]byte(strings.Join(w.lines, "\n")))
	want := found{Rows: len(w.lines), Digest: hex.EncodeToString(sum[:])}
	if diff := cmp.Diff(want, got.Pyarrow); diff != "" {
		t.Errorf("pyarrow reads other rows than were produced:\n%s", diff)
	}
	for _, key := range slices.Sorted(func(yield func(string) bool) {
		for key := range w.groups {
			if !yield(key) {
				return
			}
		}
	}) {
		want.Groups = append(want.Groups, w.groups[key])
	}
	slices.SortFunc(want.Groups, func(a, b []any) int {
		if c := strings.Compare(a[0].(string), b[0].(string)); c != 0 {
			return c
		}
		return int(a[1].(float64) - b[1].(float64))
	})
	if diff := cmp.Diff(want, got.Duckdb); diff != "" {
		t.Errorf("DuckDB reads other rows than were produced:\n%s", diff)
	}
	t.Logf("%d kills have hit, %d records, %d objects", hit.Load(), len(w.lines), objects)
}

// download copies the objects with rows into a folder.
func (w *world) download(t *testing.T, folder string) (objects int) {
	t.Helper()
	for o, err := range w.store.List(t.Context(), cos.ListOptions{Prefix: "dataset/"}) {
		if err != nil {
			t.Fatal(err)
		}
		path := strings.TrimPrefix(o.Key, "dataset/")
		if !strings.HasSuffix(path, ".parquet") {
			continue
		}
		body, _, err := w.store.Get(t.Context(), o.Key)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(folder, filepath.FromSlash(path))
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, data, 0o644)); err != nil {
			t.Fatal(err)
		}
		objects++
	}
	return objects
}
