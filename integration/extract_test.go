package integration

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// TestFiftyKillsOfAnExtraction is the story of kill -9 of the built function extract.
func TestFiftyKillsOfAnExtraction(t *testing.T) {
	t.Parallel()
	t.Run("50 kill -9 of an extraction, at any moment, lose and double no record", func(t *testing.T) {
		t.Parallel()
		extractUnderKills(t, real(t), 50)
	})
	t.Run("and so do 5 on embedded brokers", func(t *testing.T) {
		t.Parallel()
		extractUnderKills(t, embedded(t), 5)
	})
}

// growing is a source with pages by number, whose records come as it is told. A page
// that is not full is another one a moment later.
type growing struct {
	*httptest.Server
	records atomic.Int64
}

const growingPage = 50

func newGrowing(t testing.TB) *growing {
	g := &growing{}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, _ := strconv.ParseInt(r.URL.Query().Get("page"), 10, 64)
		w.Write([]byte{'['})
		for i := page * growingPage; i < min((page+1)*growingPage, g.records.Load()); i++ {
			if i > page*growingPage {
				w.Write([]byte{','})
			}
			w.Write(growingRecord(i))
		}
		w.Write([]byte{']'})
	}))
	t.Cleanup(g.Close)
	return g
}

func growingRecord(i int64) []byte { return fmt.Appendf(nil, `{"id":"%08d","name":"record %d"}`, i, i) }

func extractUnderKills(t *testing.T, w *world, kills int) {
	const perRun = 7 * growingPage / 2
	source := newGrowing(t)
	topic := w.topic
	job := "kills-" + topic[max(len(topic)-12, 0):] // a name of a job is not as long as one of a topic
	file := filepath.Join(t.TempDir(), "extract.yaml")
	text := "source: {http: {url: {env: SOURCE_URL}, paging: {page: {param: page, first: 0}}}}\nrules: [{parse: json}]\n" +
		"output: {topic: " + topic + ", key: {field: id}}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	environment := map[string]string{
		"JOB": job, "EXTRACT_FILE": file, "SOURCE_URL": source.URL, "TARGET_BROKERS": strings.Join(w.brokers[1].Brokers, ","),
		"TRANSACTION_BYTES": "1", // a transaction a page, so that there are many points to be killed at
	}
	payload, err := event.Timer{TriggerName: "extract", Time: time.Now()}.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 2))
	// A whole run takes about so long: the kills are to come at any moment of one.
	whole := time.Second
	runs, failures := 0, 0
	for hit := 0; hit < kills; runs++ {
		source.records.Store(int64(perRun * (runs + 1))) // each run has something to do
		p, err := tryProcess(w.ctx, extractBinary(t), environment)
		if err != nil {
			if failures++; failures > kills {
				t.Fatal(err)
			}
			continue // why: the port may be taken before the instance has it
		}
		c, began := p.invoke(payload, time.Now().Add(time.Minute)), time.Now()
		select {
		case <-c.done:
			if err := c.failure(); err != nil {
				t.Fatalf("after %d kills: %v", hit, err)
			}
			whole = time.Since(began)
		case <-time.After(time.Duration(random.Int64N(int64(whole)))):
			hit++
		}
		p.kill()
		if w.ctx.Err() != nil {
			t.Fatalf("%d kills have hit in %d runs", hit, runs)
		}
	}
	var total int64
	w.await(t, "the rest", func() (bool, error) {
		p, err := tryProcess(w.ctx, extractBinary(t), environment)
		if err != nil {
			return false, err
		}
		defer p.kill()
		c := p.invoke(payload, time.Now().Add(time.Minute))
		if err := c.await(w.ctx); err != nil {
			return false, err
		}
		var result struct {
			Total int64
			Done  bool
		}
		err = json.Unmarshal(c.response.Payload, &result)
		total = result.Total
		return result.Done, err
	})
	records := source.records.Load()
	count, sum := w.digestOfValues(t, topic)
	want := sha256.New()
	for i := range records {
		want.Write(growingRecord(i))
	}
	if total != records || count != records || !bytes.Equal(sum, want.Sum(nil)) {
		t.Errorf("the source has %d records; the job says %d, and the topic has %d with digest %x, want %x", records, total, count, sum, want.Sum(nil))
	}
	t.Logf("%d kills in %d runs, %d records", kills, runs, records)
}

// digestOfValues counts the committed records of a topic, and gives the digest of their
// values in order.
func (w *world) digestOfValues(t *testing.T, topic string) (count int64, sum []byte) {
	t.Helper()
	described, err := w.target.Topic(w.ctx, topic)
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	for _, p := range described.Partitions {
		ends, err := w.target.Offsets(w.ctx, topic, kafka.Latest, p.ID)
		if err != nil {
			t.Fatal(err)
		}
		for next := int64(0); next < ends[p.ID]; {
			fetched, err := w.target.FetchRecords(w.ctx, kafka.FetchRequest{
				Topic: topic, Partition: p.ID, Offset: next, MinBytes: 1, MaxBytes: 4 << 20, MaxWait: 100 * time.Millisecond, ReadCommitted: true,
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range fetched.Records {
				values = append(values, string(r.Value))
			}
			next = fetched.Next
		}
	}
	slices.Sort(values)
	h := sha256.New()
	for _, v := range values {
		h.Write([]byte(v))
	}
	return int64(len(values)), h.Sum(nil)
}
