package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/fn/fntest"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/media"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

const bucket = "media-1250000000"

// ffmpeg skips the test where there is none.
func ffmpeg(t testing.TB) media.Tools {
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

// clip is a video of a test picture with a tone.
func clip(t testing.TB, seconds int) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clip.mkv")
	out, err := exec.Command(ffmpeg(t).FFmpeg, "-v", "error", "-f", "lavfi", "-i", fmt.Sprintf("testsrc=size=320x240:rate=25:duration=%d", seconds),
		"-f", "lavfi", "-i", fmt.Sprintf("sine=duration=%d", seconds), "-c:v", "libx264", "-preset", "ultrafast", "-g", "25",
		"-pix_fmt", "yuv420p", "-c:a", "aac", path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// world is a bucket, and the environment of the function.
type world struct {
	t           *testing.T
	bucket      *cos.Bucket
	environment map[string]string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	ffmpeg(t)
	server, err := localcos.New(localcos.Config{
		Dir: t.TempDir(), Buckets: []string{bucket}, Keys: map[string]localcos.Key{"id": {Secret: secret.New("the-secret-key")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	if err := server.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	b, err := cos.Open(cos.Config{
		Bucket: bucket, Region: localcos.DefaultRegion, Endpoint: server.URL(), Credentials: cos.Static("id", secret.New("the-secret-key")),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return &world{t: t, bucket: b, environment: map[string]string{
		"COS_BUCKET": bucket, "COS_ENDPOINT": server.URL(), "COS_SECRET_ID": "id", "COS_SECRET_KEY": "the-secret-key",
	}}
}

func (w *world) put(key string, content []byte) {
	w.t.Helper()
	if _, err := w.bucket.Put(w.t.Context(), key, bytes.NewReader(content), cos.PutOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

// keys lists all objects below a prefix.
func (w *world) keys(prefix string) []string {
	w.t.Helper()
	var keys []string
	for o, err := range w.bucket.List(w.t.Context(), cos.ListOptions{Prefix: prefix}) {
		if err != nil {
			w.t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	return keys
}

// created is the event of a trigger on the bucket.
func created(key string) []byte {
	payload, _ := event.COS{Records: []event.COSRecord{{
		Event: "cos:ObjectCreated:Put", Time: time.Unix(1, 0), AppID: "1250000000", Bucket: "media", Region: "gz", Key: key, Size: 1,
	}}}.MarshalJSON()
	return payload
}

// message is the event of a CKafka trigger.
func message(topic string, offset int64, body string) []byte {
	payload, _ := event.Kafka{Records: []event.KafkaRecord{{Topic: topic, Offset: offset, Body: []byte(body)}}}.MarshalJSON()
	return payload
}

const long = 5 * time.Minute // a busy machine

func TestTranscode(t *testing.T) {
	t.Parallel()

	t.Run("an object that is created has its outputs, once, and an output is never an input", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		const name = "media/it's \"a\" $(touch x) clip\n.mkv"
		w.put(name, clip(t, 2))
		function := fntest.Deploy(t, New, w.environment)
		result, err := function.Invoke(created(name), fntest.WithTimeLimit(long))
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"transcoded/" + name + "/h264-720p.mp4", "transcoded/" + name + "/thumbnail.jpg"}
		if got := w.keys("transcode"); !slices.Equal(got, want) {
			t.Fatalf("%q, want %q; %+v", got, want, result)
		}
		there, err := w.bucket.Head(t.Context(), want[0])
		if err != nil || there.ContentType != "video/mp4" || there.Metadata["etl-preset"] != "h264-720p" {
			t.Errorf("%+v, %v", there, err)
		}
		again, err := function.Invoke(created(name), fntest.WithTimeLimit(long))
		if err != nil || len(again.Jobs[0].Done) != 2 || len(again.Jobs[0].Made) != 0 {
			t.Errorf("redelivered: %+v, %v", again, err)
		}
		loop, err := function.Invoke(created(want[0]), fntest.WithTimeLimit(long))
		if err != nil || loop.Jobs[0].Skipped == "" {
			t.Errorf("an output as input: %+v, %v", loop, err)
		}
		if _, err := w.bucket.Copy(t.Context(), want[0], "media/copy.mp4"); err != nil {
			t.Fatal(err)
		}
		loop, err = function.Invoke(created("media/copy.mp4"), fntest.WithTimeLimit(long))
		if err != nil || loop.Jobs[0].Skipped == "" {
			t.Errorf("a copy of an output as input: %+v, %v", loop, err)
		}
		if strings.Contains(function.Log(), "the-secret-key") {
			t.Error("the key is in the log")
		}
	})

	t.Run("a job that fails is in the dead letter, with the message, and the next one is unharmed", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		client := w.cluster(2)
		w.environment["DEADLETTER_TOPIC"] = "deadletter"
		w.put("media/playlist.mp4", []byte("#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"))
		w.put("media/good.mkv", clip(t, 2))
		function := fntest.Deploy(t, New, w.environment)
		bad := `{"input":"media/playlist.mp4","outputs":["thumbnail"]}`
		result, err := function.Invoke(message("jobs", 7, bad), fntest.WithTimeLimit(long))
		if err != nil || len(result.Jobs[0].Failed) != 1 {
			t.Fatalf("%+v, %v", result, err)
		}
		result, err = function.Invoke(message("jobs", 8, `{"input":"media/good.mkv","outputs":["thumbnail","gif"]}`), fntest.WithTimeLimit(long))
		if err != nil || len(result.Jobs[0].Made) != 2 {
			t.Fatalf("%+v, %v", result, err)
		}
		if _, err := function.Invoke(message("jobs", 9, `{"inptu":"x"}`), fntest.WithTimeLimit(long)); err != nil {
			t.Fatal(err)
		}
		var letters []deadletter.Letter
		topic := deadletter.Topic{Client: client, Name: "deadletter"}
		if _, err := topic.Read(t.Context(), deadletter.Selection{}, func(f deadletter.Found) error {
			letters = append(letters, f.Letter)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if len(letters) != 2 || string(letters[0].Record.Value) != bad || !strings.Contains(letters[0].Error, "no media file") {
			t.Errorf("%+v", letters)
		}
		if got := w.keys("transcode.failed/"); len(got) != 2 {
			t.Errorf("dead letters %q", got)
		}
		if got := w.keys("transcode.work/"); len(got) != 0 {
			t.Errorf("left: %q", got)
		}
	})

	t.Run("a long video is split, its pieces are messages, and one of them joins it", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		client := w.cluster(2)
		w.environment["SPLIT_OVER"], w.environment["PIECE_LENGTH"] = "3s", "2s"
		w.put("media/long.mkv", clip(t, 6))
		function := fntest.Deploy(t, New, w.environment)
		result, err := function.Invoke(message("jobs", 0, `{"input":"media/long.mkv","outputs":["h264-720p"]}`), fntest.WithTimeLimit(long))
		if err != nil || result.Jobs[0].Split < 4 {
			t.Fatalf("%+v, %v", result, err)
		}
		joined, made := 0, 0
		for _, body := range messages(t, client) {
			for range 2 { // each comes twice
				result, err := function.Invoke(message("jobs", 1, body), fntest.WithTimeLimit(long))
				if err != nil || len(result.Jobs[0].Failed) > 0 {
					t.Fatalf("%+v, %v", result, err)
				}
				if result.Jobs[0].Joined {
					joined++
				}
				if result.Jobs[0].Piece {
					made++
				}
			}
		}
		if joined != 1 || made != result.Jobs[0].Split {
			t.Errorf("joined %d times of %d pieces, want once of %d", joined, made, result.Jobs[0].Split)
		}
		if got := w.keys("transcode"); !slices.Equal(got, []string{"transcoded/media/long.mkv/h264-720p.mp4"}) {
			t.Errorf("objects %q", got)
		}
	})

	t.Run("settings with mistakes are all named", func(t *testing.T) {
		t.Parallel()
		_, err := fntest.Invoke(t, New, map[string]string{
			"OUTPUTS": "nonsense", "OUTPUT_PREFIX": "a/", "WORK_PREFIX": "a/b/", "FAILED_PREFIX": "x", "COS_SECRET_ID": "id", "THREADS": "0",
			"PRESETS": "missing.yaml", "DEADLETTER_TOPIC": "d",
		}, created("a"))
		if err == nil {
			t.Fatal("they are taken")
		}
		for _, key := range []string{"WORK_PREFIX", "FAILED_PREFIX", "COS_BUCKET", "COS_SECRET_ID", "THREADS", "PRESETS", "DEADLETTER_TOPIC"} {
			if !strings.Contains(err.Error(), key) {
				t.Errorf("%v does not name %s", err, key)
			}
		}
	})
}

// cluster starts brokers with the topic of jobs.
func (w *world) cluster(partitions int32) *kafka.Client {
	w.t.Helper()
	brokers, err := localkafka.Start(localkafka.Config{Topics: map[string]int32{"jobs": partitions}})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { brokers.Close() })
	client, err := kafka.Open(w.t.Context(), kafka.Config{Brokers: brokers.Brokers(), MetadataTTL: 100 * time.Millisecond})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { client.Close() })
	w.environment["SOURCE_BROKERS"] = strings.Join(brokers.Brokers(), ",")
	w.environment["JOBS_TOPIC"] = "jobs"
	return client
}

// messages reads all that is in the topic of jobs.
func messages(t *testing.T, client *kafka.Client) []string {
	t.Helper()
	var bodies []string
	for partition := range int32(2) {
		for _, r := range records(t, client, partition) {
			if !json.Valid(r) {
				t.Errorf("message %q", r)
			}
			bodies = append(bodies, string(r))
		}
	}
	return bodies
}

// records reads the values of a partition.
func records(t *testing.T, client *kafka.Client, partition int32) [][]byte {
	t.Helper()
	got, err := client.FetchRecords(t.Context(), kafka.FetchRequest{Topic: "jobs", Partition: partition, MaxWait: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	var values [][]byte
	for _, r := range got.Records {
		values = append(values, r.Value)
	}
	return values
}
