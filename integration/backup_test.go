package integration

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/backup"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

const backupBucket = "backup-1250000000"

// store is a bucket on this machine, and the environment that names it. delay is what each
// request takes.
func (w *world) store(t *testing.T, delay *atomic.Int64) (backup.Store, string, []string) {
	t.Helper()
	folder := t.TempDir()
	server, err := localcos.New(localcos.Config{
		Dir: folder, Buckets: []string{backupBucket}, Keys: map[string]localcos.Key{"id": {Secret: secret.New("key")}},
		Fault: func(*http.Request) *localcos.Fault { return &localcos.Fault{Delay: time.Duration(delay.Load())} },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	if err := server.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	place := backup.Place{
		Bucket:    backupBucket,
		Region:    localcos.DefaultRegion,
		Endpoint:  server.URL(),
		SecretID:  "id",
		SecretKey: secret.New("key"),
		Prefix:    "backup",
	}
	store, err := place.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	return store, place.Prefix, []string{
		"COS_BUCKET=" + backupBucket, "COS_ENDPOINT=" + server.URL(), "COS_SECRET_ID=id", "COS_SECRET_KEY=key",
		"SOURCE_BROKERS=" + strings.Join(
			w.source.Brokers(),
			",",
		), "TARGET_BROKERS=" + strings.Join(w.target.Brokers(), ","),
	}
}

// TestBackup is what a real cluster holds, in a backup and out of it again.
func TestBackup(t *testing.T) {
	t.Parallel()
	w := real(t)
	prefix := w.topic
	var none atomic.Int64
	store, folder, _ := w.store(t, &none)
	topics := w.everyKind(t, prefix)
	mine := func(name string) bool { return strings.HasPrefix(name, prefix) }
	for _, topic := range topics {
		if err := w.source.Commit(w.ctx, prefix+"-group", topic, map[int32]kafka.Committed{0: {Offset: 7}}); err != nil {
			t.Fatal(err)
		}
	}
	result, err := backup.Run(
		w.ctx,
		backup.Config{
			Source:       w.source,
			Store:        store,
			Prefix:       folder,
			Topics:       mine,
			Groups:       mine,
			SegmentBytes: 64 << 10,
		},
	)
	if err != nil || !result.Complete || result.Topics != len(topics) {
		t.Fatalf("%+v, %v", result, err)
	}
	chain, err := backup.Find(w.ctx, store, folder, "")
	if err != nil {
		t.Fatal(err)
	}

	t.Run("Kafka's own tool reads every segment", func(t *testing.T) { w.dumpSegments(t, store, folder, chain) })
	t.Run("verification finds it whole", func(t *testing.T) {
		report, err := backup.Verify(w.ctx, backup.VerifyConfig{Chain: chain})
		if err != nil || !report.OK() || report.Segments != result.Segments {
			t.Errorf("%+v, %v", report, err)
		}
	})
	t.Run(
		"restored to another cluster, every record of every topic is the same, and each group goes on at its record",
		func(t *testing.T) {
			drilled, err := backup.Drill(w.ctx, backup.RestoreConfig{Chain: chain, Target: w.target, Job: prefix}, nil)
			if err != nil || !drilled.OK() || drilled.Records != result.Records || drilled.Groups != len(topics) {
				t.Errorf(
					"%d records of %d, %d groups, %v, %v",
					drilled.Records,
					result.Records,
					drilled.Groups,
					drilled.Differences,
					err,
				)
			}
		},
	)
}

// everyKind fills topics of every kind, and lists them.
func (w *world) everyKind(t *testing.T, prefix string) (topics []string) {
	t.Helper()
	make := func(name string, settings map[string]string) {
		w.topic = prefix + "-" + name
		topics = append(topics, w.topic)
		w.createTopic(t, 1, settings)
	}
	for _, codec := range []batch.Codec{batch.None, batch.Gzip, batch.Snappy, batch.LZ4, batch.Zstd} {
		make(codec.String(), sample.TopicSettings())
		w.produce(t, 0, codec, 1, sample.Special())
		w.produce(t, 0, codec, 50, sample.Plain(500, 200, uint64(codec)))
	}

	make("transactional", sample.TopicSettings())
	for i := range 6 {
		producer, err := w.source.Transactional(w.ctx, fmt.Sprintf("%s-%d", prefix, i%3), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 5 {
			b, err := batch.Build(batch.Options{Codec: batch.LZ4}, sample.Plain(20, 100, uint64(i*10+n)))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := producer.Produce(w.ctx, w.topic, 0, []batch.Batch{b}); err != nil {
				t.Fatal(err)
			}
		}
		end := producer.Commit
		if i%2 == 1 {
			end = producer.Abort
		}
		if err := end(w.ctx); err != nil {
			t.Fatal(err)
		}
	}
	w.await(t, "the end of transactions", func() (bool, error) {
		stable, err := w.source.StableOffsets(w.ctx, w.topic, 0)
		return err == nil && stable[0] == w.end(t, w.source, 0), err
	})

	stamped := sample.TopicSettings()
	stamped["message.timestamp.type"] = "LogAppendTime"
	make("stamped", stamped)
	w.produce(t, 0, batch.Zstd, 20, sample.Plain(100, 100, 9))

	w.topic = prefix + "-compacted"
	topics = append(topics, w.topic)
	w.compacted(t)
	w.topic = prefix
	return topics
}

// dumpSegments has the cluster's own DumpLogSegments read the segments.
func (w *world) dumpSegments(t *testing.T, store backup.Store, folder string, chain *backup.Chain) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "segments")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var files []string
	for object, err := range store.List(w.ctx, folder+"/"+chain.Cluster()+"/topics/", "") {
		if err != nil {
			t.Fatal(err)
		}
		body, err := store.Open(w.ctx, object.Key)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		// names of several topics may be the same; the tool wants the first offset in front
		first, _, _ := strings.Cut(filepath.Base(object.Key), ".")
		file := filepath.Join(dir, fmt.Sprintf("%s.%d.%s.log", first, len(files), chain.Cluster()))
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	source := containers.Pair(t).Source
	if err := source.CopyIn(w.ctx, dir, "/tmp"); err != nil {
		t.Fatal(err)
	}
	out, err := source.Exec(
		w.ctx,
		"sh",
		"-c",
		"/opt/kafka/bin/kafka-run-class.sh kafka.tools.DumpLogSegments --deep-iteration --files $(find /tmp -name '*."+chain.Cluster()+".log' | paste -sd,)"+
			" | awk '/^Dumping/ { files++ } /^baseOffset:/ { batches++ } /isvalid: true/ { valid++ } /^\\| offset:/ { records++ } END { print files+0, batches+0, valid+0, records+0 }'",
	)
	if err != nil {
		t.Fatal(err)
	}
	var dumped, batches, valid, records int
	if _, err := fmt.Sscan(out, &dumped, &batches, &valid, &records); err != nil {
		t.Fatalf("%q: %v", out, err)
	}
	var ours, content int
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for len(data) > 0 {
			b, rest, err := batch.Next(data)
			if err != nil || b == nil {
				t.Fatalf("%s: %v", name, err)
			}
			ours, content, data = ours+1, content+int(b.Count()), rest
		}
	}
	if dumped != len(files) || batches != ours || valid != ours || records != content || ours == 0 {
		t.Errorf(
			"DumpLogSegments has read %d of %d files, %d of %d batches, %d of them valid, %d of %d records",
			dumped,
			len(files),
			batches,
			ours,
			valid,
			records,
			content,
		)
	}
}
