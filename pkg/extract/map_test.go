package extract_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/extract"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

func TestMapping(t *testing.T) {
	t.Parallel()
	t.Run("gives a record its key, headers, time, topic, and the partition of its key", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t, says(`[{"id":12345678901234567890,"at":"2026-11-27T09:00:00Z","name":"a","status":"paid","price":1.10},{"id":"b","at":"2026-11-27T09:00:01Z","status":"new","name":"x@example.com"},{"id":"c","at":"2026-11-27T09:00:01Z","status":"drop"}]`))
		j := newJob(t, `
source: {http: {url: `+a.URL+`}}
rules:
- parse: json
- filter: status != "drop"
- timestamp: at
- mask: {fields: [name], find: [email]}
- drop: [at]
output:
  topic: orders
  routes: [{when: status == "paid", topic: paid}]
  key: {field: id}
  headers: {source: shop, state: {field: status}}
`)
		if r := j.run(); r.Records != 3 || r.Written != 2 || r.Dropped != 1 {
			t.Errorf("%+v", r)
		}
		paid := j.records("paid")[0]
		if string(paid.Key) != "12345678901234567890" || string(paid.Value) != `{"id":12345678901234567890,"name":"a","status":"paid","price":1.10}` ||
			paid.Timestamp != time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC).UnixMilli() {
			t.Errorf("%q %q %d", paid.Key, paid.Value, paid.Timestamp)
		}
		if h := fmt.Sprintf("%s", paid.Headers); h != "[{source shop} {state paid}]" {
			t.Error(h)
		}
		if masked := j.records("orders")[0]; strings.Contains(string(masked.Value), "x@example.com") {
			t.Errorf("%s", masked.Value)
		}
		ends, err := j.target.Offsets(deadline(t), "paid", kafka.Latest, batch.Partition(paid.Key, 2))
		if err != nil || ends[batch.Partition(paid.Key, 2)] == 0 {
			t.Errorf("%v, %v: it is in another partition", ends, err)
		}
	})
	t.Run("that cannot be done sends the record to the dead letter, with its bytes and its place in the source", func(t *testing.T) {
		t.Parallel()
		lines := append(orders(0, 8), `{"name":"no id"}`, `not json`, `{"id":9,`)
		a := newAPI(t, says(strings.Join(lines, "\n")))
		j := newJob(t, httpFile(a.URL+"/orders", "    format: ndjson\n"))
		if r := j.run(); r.Records != 11 || r.Written != 8 || r.DeadLetters != 3 {
			t.Errorf("%+v", r)
		}
		letters := j.letters()
		if len(letters) != 3 {
			t.Fatalf("%d letters", len(letters))
		}
		for i, want := range []string{`{"name":"no id"}`, `not json`, `{"id":9,`} {
			l := letters[i]
			if string(l.Record.Value) != want || l.Reason != deadletter.Rejected || l.Function != "extract" || l.Topic != "etl.orders" || l.Record.Offset != int64(8+i) {
				t.Errorf("%+v", l)
			}
			if h := fmt.Sprintf("%s", l.Record.Headers); h != fmt.Sprintf("[{%s %s/orders} {%s record %d}]", extract.HeaderSource, a.URL, extract.HeaderPosition, 9+i) {
				t.Error(h)
			}
		}
		j.run()
		if n := len(j.letters()); n != 3 {
			t.Errorf("%d letters after another run", n)
		}
	})
	t.Run("a record that is too large for its topic goes there too, in parts", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t, says(`[{"id":1},{"id":2,"text":"`+strings.Repeat("x", 1<<20)+`"},{"id":3}]`))
		j := newJob(t, httpFile(a.URL, ""))
		if r := j.run(); r.Written != 2 || r.DeadLetters != 1 {
			t.Errorf("%+v", r)
		}
		j.wants("orders", `{"id":1}`, `{"id":3}`)
		if l := j.letters(); len(l) < 1 || l[0].Reason != deadletter.TooLarge {
			t.Errorf("%d letters", len(l))
		}
	})
	t.Run("without a topic for dead letters stops before the page", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t, pages(func() []string { return append(orders(0, 5), "{}") }, 3))
		j := newJob(t, httpFile(a.URL, "    paging: {page: {param: page}}\n"), func(c *extract.Config) { c.DeadLetters = "" })
		if r, err := j.fails("page 2, record 3", "1 pages with 3 records"); r.Records != 3 {
			t.Errorf("%+v, %v", r, err)
		}
		j.wants("orders", orders(0, 3)...)
	})
	t.Run("of most of a page impossible is a change of its form: the pages before it are committed, and nothing is buried", func(t *testing.T) {
		t.Parallel()
		all := append(orders(0, 40), strings.Split(strings.Repeat(`{"key":1} `, 20), " ")[:20]...)
		a := newAPI(t, pages(func() []string { return all }, 20))
		j := newJob(t, httpFile(a.URL, "    paging: {page: {param: page}}\n"))
		if r, err := j.fails("page 3", "20 of 20 records", "record 1", "the field is missing", "2 pages with 40 records"); !errors.Is(err, extract.ErrSchema) || r.Records != 40 {
			t.Errorf("%+v, %v", r, err)
		}
		j.wants("orders", orders(0, 40)...)
		j.file = "reject: 100\n" + j.file
		if r := j.run(); r.DeadLetters != 20 || r.Total != 60 {
			t.Errorf("%+v", r)
		}
	})
	t.Run("into a topic that is not there is an error where the job may not create it", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t, says(list(orders(0, 3))))
		j := newJob(t, httpFile(a.URL, ""), func(c *extract.Config) { c.CreateTopics = false })
		if _, err := j.fails("orders", "CREATE_TOPICS"); !errors.Is(err, kafka.ErrUnknownTopic) {
			t.Error(err)
		}
	})
}

func TestCSV(t *testing.T) {
	t.Parallel()
	const settings = "    format: csv\n    paging: {page: {param: page}}\n"
	t.Run("rows become objects of texts; those that are none go to the dead letter as they were", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t, says("\xef\xbb\xbfid,name,note\r\n1,\"a \"\"b\"\", c\",\"two\nlines\"\r\n2,x\r\n3,y,\xff\r\n4,zä\t,\r\n5,b\"c,d\r\n"))
		j := newJob(t, httpFile(a.URL, "    format: csv\n"))
		if r := j.run(); r.Records != 5 || r.Written != 2 || r.DeadLetters != 3 {
			t.Errorf("%+v", r)
		}
		j.wants("orders", `{"id":"1","name":"a \"b\", c","note":"two\nlines"}`, `{"id":"4","name":"zä\t","note":""}`)
		for i, want := range []string{"2,x", "3,y,\xff", "5,b\"c,d"} {
			if l := j.letters()[i]; string(l.Record.Value) != want {
				t.Errorf("got %q, want %q", l.Record.Value, want)
			}
		}
	})
	t.Run("columns that change in the middle are an error, unless the file names those that it needs", func(t *testing.T) {
		t.Parallel()
		text := map[string]string{"1": "id,name\n1,a\n2,b\n", "2": "id,title\n3,c\n", "3": "title,id,more\nd,4,x\n", "4": "more\n"}
		a := newAPI(t, nil)
		a.set(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, text[r.URL.Query().Get("page")]) })
		j := newJob(t, httpFile(a.URL, settings))
		if r, err := j.fails("page 2", "the columns are not those", "2 records"); !errors.Is(err, extract.ErrSchema) || r.Records != 2 {
			t.Errorf("%+v, %v", r, err)
		}
		j.file = httpFile(a.URL, settings+"    columns: [id]\n")
		if _, err := j.fails("page 4", `the column "id" is not there any more`); !errors.Is(err, extract.ErrSchema) {
			t.Error(err)
		}
		j.wants("orders", `{"id":"1","name":"a"}`, `{"id":"2","name":"b"}`, `{"id":"3","title":"c"}`, `{"title":"d","id":"4","more":"x"}`)
	})
	t.Run("a quote that is never closed is half a page", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t, says("id,name\n1,a\n2,\"b\n3,c\n"))
		newJob(t, httpFile(a.URL, "    format: csv\n")).fails("a quote is never closed")
	})
}
