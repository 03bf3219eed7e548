package extract_test

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/extract"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

func deadline(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func cluster(t testing.TB) *kafka.Client {
	t.Helper()
	brokers, err := localkafka.Start(localkafka.Config{})
	must(t, err)
	t.Cleanup(func() { brokers.Close() })
	client, err := kafka.Open(t.Context(), kafka.Config{Brokers: brokers.Brokers(), MetadataTTL: 100 * time.Millisecond})
	must(t, err)
	t.Cleanup(func() { client.Close() })
	return client
}

// job is an extraction into a cluster of its own.
type job struct {
	testing.TB
	target *kafka.Client
	file   string
	env    map[string]string
	config extract.Config
}

func newJob(t testing.TB, file string, change ...func(*extract.Config)) *job {
	t.Helper()
	j := &job{TB: t, target: cluster(t), file: file, env: map[string]string{}}
	j.config = extract.Config{
		Job: "orders", Target: j.target, CreateTopics: true, Partitions: 2, DeadLetters: "deadletter", Function: "extract", RetryFor: 20 * time.Second,
	}
	for _, c := range change {
		c(&j.config)
	}
	return j
}

// open is a cold start.
func (j *job) open() *extract.Extractor {
	j.Helper()
	file, err := extract.Load("extract.yaml", []byte(j.file), extract.Options{Env: func(name string) (string, bool) {
		value, ok := j.env[name]
		return value, ok
	}})
	must(j, err)
	config := j.config
	config.File = file
	e, err := extract.New(config)
	must(j, err)
	j.Cleanup(func() { e.Close() })
	return e
}

// run is a cold run that does well.
func (j *job) run() extract.Result {
	j.Helper()
	result, err := j.open().Run(deadline(j))
	must(j, err)
	return result
}

// fails is a cold run that does not, with all of the words in its error.
func (j *job) fails(words ...string) (extract.Result, error) {
	j.Helper()
	e := j.open()
	e.SetWait(func(context.Context, time.Duration) error { return nil }, 0)
	result, err := e.Run(deadline(j))
	if err == nil {
		j.Fatalf("no error, but %+v", result)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			j.Errorf("got %v\nwant %q in it", err, w)
		}
	}
	return result, err
}

// stands commits a state of the source as another run could have left it.
func (j *job) stands(kind, state string) {
	j.Helper()
	const topic = "orders"
	p, err := j.target.Transactional(deadline(j), extract.Group(j.config.Job), time.Minute)
	must(j, err)
	then, err := j.target.Committed(deadline(j), extract.Group(j.config.Job), topic, 0)
	must(j, err)
	at := kafka.Committed{Offset: max(then[0].Offset, 0), Metadata: fmt.Sprintf(`{"v":1,"kind":%q,"state":%s}`, kind, state)}
	must(j, p.CommitOffsets(deadline(j), extract.Group(j.config.Job), topic, map[int32]kafka.Committed{0: at}))
	must(j, p.Commit(deadline(j)))
}

// records are those that are committed in a topic, in the order of the source.
func (j *job) records(topic string) []batch.Record {
	j.Helper()
	described, err := j.target.Topic(deadline(j), topic)
	must(j, err)
	var all []batch.Record
	for _, p := range described.Partitions {
		ends, err := j.target.Offsets(deadline(j), topic, kafka.Latest, p.ID)
		must(j, err)
		for next := int64(0); next < ends[p.ID]; {
			fetched, err := j.target.FetchRecords(deadline(j), kafka.FetchRequest{
				Topic: topic, Partition: p.ID, Offset: next, MinBytes: 1, MaxBytes: 1 << 20, MaxWait: 100 * time.Millisecond, ReadCommitted: true,
			})
			must(j, err)
			if fetched.Next == next {
				break
			}
			for _, r := range fetched.Records {
				all = append(all, r.Clone())
			}
			next = fetched.Next
		}
	}
	return all
}

// values are the records of a topic as text, sorted.
func (j *job) values(topic string) []string {
	j.Helper()
	var values []string
	for _, r := range j.records(topic) {
		values = append(values, string(r.Value))
	}
	slices.Sort(values)
	return values
}

func (j *job) wants(topic string, want ...string) {
	j.Helper()
	want = slices.Sorted(slices.Values(want))
	if got := j.values(topic); !slices.Equal(got, want) {
		j.Fatalf("%s has %d records, want %d\ngot  %.2000q\nwant %.2000q", topic, len(got), len(want), got, want)
	}
}

func (j *job) letters() []deadletter.Letter {
	j.Helper()
	var letters []deadletter.Letter
	for _, r := range j.records("deadletter") {
		l, err := deadletter.Decode(r)
		must(j, err)
		letters = append(letters, l)
	}
	slices.SortFunc(letters, func(a, b deadletter.Letter) int { return cmp.Compare(a.Record.Offset, b.Record.Offset) })
	return letters
}

// api is an HTTP source whose answers a test changes.
type api struct {
	*httptest.Server
	mu       sync.Mutex
	answer   http.HandlerFunc
	requests []*http.Request
}

func newAPI(t testing.TB, answer http.HandlerFunc) *api {
	t.Helper()
	a := &api{answer: answer}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		answer := a.answer
		a.requests = append(a.requests, r)
		a.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *api) set(answer http.HandlerFunc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer = answer
}

// asked are the requests since the last call.
func (a *api) asked() []*http.Request {
	a.mu.Lock()
	defer a.mu.Unlock()
	asked := a.requests
	a.requests = nil
	return asked
}

// says answers with a body.
func says(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }
}

// orders are JSON records with ids.
func orders(first, end int) []string {
	var all []string
	for i := first; i < end; i++ {
		all = append(all, fmt.Sprintf(`{"id":%d,"name":"order %d"}`, i, i))
	}
	return all
}

func list(records []string) string { return "[" + strings.Join(records, ",") + "]" }

// httpFile is an extract.yaml with settings of an HTTP source.
func httpFile(url, settings string) string {
	return "version: 1\nsource:\n  http:\n    url: " + url + "\n" + settings +
		"rules: [{parse: json}]\noutput: {topic: orders, key: {field: id}}\n"
}
