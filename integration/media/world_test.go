package media_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/media"
	"github.com/scf-etl/scf-etl/pkg/scf"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// built are the binaries, and the folder that TestMain removes.
var built struct {
	dir       string
	transcode sync.Once
	fault     error
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "integration-media-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	built.dir = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// require skips the test where there is no FFmpeg.
func require(t testing.TB) media.Tools {
	t.Helper()
	tools, err := media.DefaultPlaces().Find()
	if err != nil {
		if os.Getenv("ETL_REQUIRE_DOCKER") == "1" {
			t.Fatal(err)
		}
		t.Skipf("runs FFmpeg: install Debian's ffmpeg (%v)", err)
	}
	return tools
}

func build(ctx context.Context, source, to string) error {
	command := exec.CommandContext(ctx, "go", "build", "-o", to, source)
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", source, err, out)
	}
	return nil
}

// code is the folder of the built function.
func code(t testing.TB) string {
	t.Helper()
	folder := filepath.Join(built.dir, "transcode")
	built.transcode.Do(func() { built.fault = build(t.Context(), "../../functions/transcode", filepath.Join(folder, "main")) })
	if built.fault != nil {
		t.Fatal(built.fault)
	}
	return folder
}

const (
	bucketName = "media-1250000000"
	topic      = "transcode"
	instance   = "ckafka-local"
	partitions = 2
)

// world is brokers, a bucket, and the platform with the function.
type world struct {
	t        *testing.T
	dir      string // of the platform
	bucket   *cos.Bucket
	client   *kafka.Client
	platform atomic.Pointer[emulator.Platform]
}

func newWorld(t *testing.T, environment map[string]string) *world {
	t.Helper()
	require(t)
	w := &world{t: t, dir: t.TempDir()}
	server, err := localcos.New(localcos.Config{
		Dir: t.TempDir(), Buckets: []string{bucketName}, Keys: map[string]localcos.Key{"id": {Secret: secret.New("key")}},
		Notify: func(e event.COS) {
			if p := w.platform.Load(); p != nil {
				p.Notify(e)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	if err := server.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	w.bucket, err = cos.Open(cos.Config{
		Bucket: bucketName, Region: localcos.DefaultRegion, Endpoint: server.URL(), Credentials: cos.Static("id", secret.New("key")),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.bucket.Close)
	brokers, err := localkafka.Start(localkafka.Config{Topics: map[string]int32{topic: partitions}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { brokers.Close() })
	cluster := kafka.Config{Brokers: brokers.Brokers(), MetadataTTL: 100 * time.Millisecond}
	if w.client, err = kafka.Open(t.Context(), cluster); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.client.Close() })
	f := function()
	for key, value := range map[string]string{
		"COS_BUCKET": bucketName, "COS_ENDPOINT": server.URL(), "COS_SECRET_ID": "id", "COS_SECRET_KEY": "key",
		"JOBS_TOPIC": topic, "SOURCE_BROKERS": strings.Join(brokers.Brokers(), ","), "OUTPUTS": "thumbnail",
		"ATTEMPTS": "1000", // this test kills more often than a job may be killed
	} {
		f.Environment[key] = value
	}
	for key, value := range environment {
		f.Environment[key] = value
	}
	w.run(f, cluster)
	return w
}

// function is the block of serverless.yml.
func function() scf.Function {
	return scf.Function{
		Key: "transcode", Name: "transcode", Handler: "main", MemorySize: 3072, Timeout: 300, Environment: map[string]string{},
		Events: []scf.Trigger{
			{Kafka: &scf.KafkaTrigger{InstanceID: instance, Topic: topic, ConsumerGroup: "etl-transcode", Offset: scf.Earliest,
				MaxMsgNum: 1, TimeOut: 1, Retry: 10000, Enabled: true}},
			{COS: &scf.COSTrigger{Bucket: bucketName + ".cos.ap-guangzhou.myqcloud.com", Events: "cos:ObjectCreated:*", Prefix: "media/", Enabled: true}},
		},
	}
}

func (w *world) run(f scf.Function, cluster kafka.Config) {
	w.t.Helper()
	p, err := emulator.New(emulator.Config{
		Dir: w.dir, Clusters: map[string]kafka.Config{instance: cluster}, StartTimeout: time.Minute,
		Kafka: emulator.KafkaConfig{RetryInterval: 50 * time.Millisecond}, Async: emulator.AsyncConfig{RetryInterval: 50 * time.Millisecond},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := p.Deploy(w.t.Context(), f, code(w.t)); err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	w.platform.Store(p)
	w.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			w.t.Errorf("run: %v", err)
		}
		if err := p.Close(); err != nil {
			w.t.Errorf("close: %v", err)
		}
	})
}

// clip makes a video.
func clip(t testing.TB, path string, seconds int) {
	t.Helper()
	out, err := exec.Command(require(t).FFmpeg, "-v", "error", "-f", "lavfi", "-i", fmt.Sprintf("testsrc=size=320x240:rate=25:duration=%d", seconds),
		"-f", "lavfi", "-i", fmt.Sprintf("sine=duration=%d", seconds), "-c:v", "libx264", "-preset", "ultrafast", "-g", "25",
		"-pix_fmt", "yuv420p", "-c:a", "aac", path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func (w *world) put(key string, content []byte) {
	w.t.Helper()
	if _, err := w.bucket.Put(w.t.Context(), key, bytes.NewReader(content), cos.PutOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) send(partition int32, body string) {
	w.t.Helper()
	if _, err := w.client.Produce(w.t.Context(), topic, partition, batch.Record{Value: []byte(body)}); err != nil {
		w.t.Fatal(err)
	}
}

// keys lists the objects that the function has made, with their ETags.
func (w *world) keys() map[string]string {
	w.t.Helper()
	keys := map[string]string{}
	for o, err := range w.bucket.List(w.t.Context(), cos.ListOptions{Prefix: "transcode"}) {
		if err != nil {
			w.t.Fatal(err)
		}
		keys[o.Key] = o.ETag
	}
	return keys
}

// await polls until something is so, for as long as a busy machine may take.
func await(t *testing.T, what string, so func() (bool, any)) {
	t.Helper()
	deadline, tick := time.After(4*time.Minute), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for {
		ok, now := so()
		if ok {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("waited in vain for %s: %v", what, now)
		case <-tick.C:
		}
	}
}

// encoders are the processes of FFmpeg that run in folders of jobs below the platform, and the
// instances that have started them.
func (w *world) encoders() map[int]int {
	found := map[int]int{}
	links, _ := filepath.Glob("/proc/[0-9]*/cwd")
	for _, link := range links {
		dir, err := os.Readlink(link)
		if err != nil || !strings.HasPrefix(dir, w.dir+"/") || !strings.Contains(dir, "/etl-media-") {
			continue
		}
		process := filepath.Dir(link)
		stat, err := os.ReadFile(filepath.Join(process, "stat"))
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		fields := strings.Fields(rest) // state, parent, ...
		pid, err1 := strconv.Atoi(filepath.Base(process))
		if len(fields) < 2 || err1 != nil {
			continue
		}
		if parent, err := strconv.Atoi(fields[1]); err == nil && parent > 1 {
			found[pid] = parent
		}
	}
	return found
}

// kill ends an instance that is in the middle of a job with signal 9.
func (w *world) kill(parent int) { _ = syscall.Kill(parent, syscall.SIGKILL) }
