package extract_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/extract"
)

// tagged answers with validators, and 304 where they fit.
func tagged(body, tag string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		fmt.Fprint(w, body)
	}
}

func TestASourceWithoutPages(t *testing.T) {
	t.Parallel()
	t.Run("is extracted whole again where its ETag has changed, and not where it has not", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t, tagged(list(orders(0, 3)), `"1"`))
		j := newJob(t, httpFile(a.URL, ""))
		for range 3 {
			j.run()
		}
		j.wants("orders", orders(0, 3)...)
		if asked := a.asked(); len(asked) != 3 || asked[2].Header.Get("If-None-Match") != `"1"` {
			t.Errorf("asked %d times, the last one with %v", len(asked), asked[len(asked)-1].Header)
		}
		a.set(tagged(list(orders(0, 4)), `"2"`))
		j.run()
		j.wants("orders", append(orders(0, 3), orders(0, 4)...)...)
	})
	t.Run("that has no ETag is compared by its content", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t, says(list(orders(0, 3))))
		j := newJob(t, httpFile(a.URL, ""))
		for range 3 {
			j.run()
		}
		j.wants("orders", orders(0, 3)...)
	})
	t.Run("that grows gives what is new with then: resume, and asks with Last-Modified", func(t *testing.T) {
		t.Parallel()
		const modified = "Fri, 27 Nov 2026 09:00:00 GMT"
		lines := strings.Join(orders(0, 3), "\n")
		a := newAPI(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Last-Modified", modified)
			if r.Header.Get("If-Modified-Since") == modified && strings.Count(lines, "\n") == 2 {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			fmt.Fprint(w, lines)
		})
		j := newJob(t, httpFile(a.URL, "    format: ndjson\n    then: resume\n"))
		j.run()
		j.run()
		j.wants("orders", orders(0, 3)...)
		lines = strings.Join(orders(0, 6), "\n") + "\n\n"
		if r := j.run(); r.Records != 3 || r.Total != 6 {
			t.Errorf("%+v", r)
		}
		j.wants("orders", orders(0, 6)...)
	})
	t.Run("whose beginning has changed is an error with then: resume", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t, says(list(orders(0, 3))))
		j := newJob(t, httpFile(a.URL, "    then: resume\n"))
		j.run()
		for _, now := range [][]string{orders(1, 5), orders(0, 2)} {
			a.set(says(list(now)))
			if _, err := j.fails("only grow at the end", "3 records in all"); !errors.Is(err, extract.ErrChanged) {
				t.Error(err)
			}
		}
		j.wants("orders", orders(0, 3)...)
	})
}

func TestARestartedSource(t *testing.T) {
	t.Parallel()
	all := orders(0, 5)
	a := newAPI(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("page") == "1" {
			tag := fmt.Sprintf(`"%d"`, len(all))
			w.Header().Set("ETag", tag)
			if r.Header.Get("If-None-Match") == tag {
				w.WriteHeader(http.StatusNotModified)
				return
			}
		}
		pages(func() []string { return all }, 2)(w, r)
	})
	j := newJob(t, httpFile(a.URL, "    paging: {page: {param: page, size: 2}}\n    then: restart\n"))
	t.Run("is left alone where its first page has not changed", func(t *testing.T) {
		j.run()
		a.asked()
		j.run()
		if n := len(a.asked()); n != 1 {
			t.Errorf("asked %d times", n)
		}
		j.wants("orders", orders(0, 5)...)
	})
	t.Run("is read from there again where it has", func(t *testing.T) {
		all = orders(0, 6)
		j.run()
		j.wants("orders", append(orders(0, 5), orders(0, 6)...)...)
	})
}

func TestASourceThatWasResumed(t *testing.T) {
	t.Parallel()
	const kind, resume = "http json page", "    paging: {page: {param: page, size: 10}}\n"
	for name, state := range map[string]string{
		"at its last page":                  "",
		"and has come to its end meanwhile": `{"done":true}`,
	} {
		t.Run(name+" is read from its first page on with then: restart", func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, pages(func() []string { return orders(0, 25) }, 10))
			j := newJob(t, httpFile(a.URL, resume))
			j.run()
			if state != "" {
				j.stands(kind, state)
			}
			j.file = httpFile(a.URL, resume+"    then: restart\n")
			for range 2 {
				a.asked()
				if r := j.run(); !r.Done || r.Records != 25 {
					t.Errorf("%+v", r)
				}
				if asked := a.asked(); len(asked) != 3 || asked[0].URL.RawQuery != "page=1" {
					t.Errorf("%d times, first %s", len(asked), asked[0].URL)
				}
			}
		})
	}
	t.Run("and has changed since is not an error any more with then: restart", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t, says(list(orders(0, 3))))
		j := newJob(t, httpFile(a.URL, "    then: resume\n"))
		j.run()
		a.set(says(list(orders(1, 3))))
		j.fails("only grow at the end")
		j.file = httpFile(a.URL, "    then: restart\n")
		j.run()
		j.wants("orders", append(orders(0, 3), orders(1, 3)...)...)
	})
}

func TestASourceThatGoesRound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settings string
		answer   http.HandlerFunc
		want     string
	}{
		"with a cursor that does not move": {
			"    records: items\n    paging: {cursor: {path: next, param: after}}\n",
			func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprintf(w, `{"items":[{"id":1,"q":%q}],"next":"c"}`, r.URL.RawQuery)
			}, `the cursor "c" does not move`,
		},
		"with cursors in a circle": {
			"    records: items\n    paging: {cursor: {path: next, param: after}}\n",
			func(w http.ResponseWriter, r *http.Request) {
				next := map[string]string{"": "a", "a": "b", "b": "c", "c": "a"}[r.URL.Query().Get("after")]
				fmt.Fprintf(w, `{"items":[{"id":1,"q":%q}],"next":%q}`, r.URL.RawQuery, next)
			}, "after a was read in this run already",
		},
		"with the same page for every number": {
			"    paging: {page: {param: p}}\n", says(list(orders(0, 3))), "does the source know the parameter?",
		},
		"with a link to itself": {
			"    paging: {link: next}\n",
			func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Link", `</?page=1>; rel=next`)
				fmt.Fprintf(w, `[{"id":1,"q":%q}]`, r.URL.RawQuery)
			}, "was read in this run already",
		},
	} {
		t.Run(name+" is an error", func(t *testing.T) {
			t.Parallel()
			j := newJob(t, httpFile(newAPI(t, c.answer).URL, c.settings))
			if _, err := j.fails(c.want); !errors.Is(err, extract.ErrRepeated) {
				t.Error(err)
			}
		})
	}
	t.Run("with the cursor that it was given, and no record, has come to its end", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("after") == "c" {
				fmt.Fprint(w, `{"items":null,"next":"c"}`)
				return
			}
			fmt.Fprintf(w, `{"items":%s,"next":"c"}`, list(orders(0, 2)))
		})
		j := newJob(t, httpFile(a.URL, "    records: items\n    paging: {cursor: {path: next, param: after}}\n"))
		for range 2 {
			if r := j.run(); !r.Done || r.Total != 2 {
				t.Errorf("%+v", r)
			}
		}
	})
}

// faulty answers with a second page that is wrong.
func faulty(answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("page") == "2" {
			answer(w, r)
			return
		}
		pages(func() []string { return orders(0, 12) }, 10)(w, r)
	}
}

func cut(declared int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		connection, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(buffered, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", declared, body)
		buffered.Flush()
		connection.Close()
	}
}

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}
}

func TestASourceThatFails(t *testing.T) {
	t.Parallel()
	half := list(orders(10, 12))[:30]
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		words  []string
	}{
		"half a page":                     {cut(60, half), []string{"ends in the middle, after 30 bytes"}},
		"half a page of the right length": {says(half), []string{"no JSON, or only a part of it"}},
		"HTML": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, "<!doctype html><title>Log in</title>")
		}, []string{"answers HTML, where json is wanted", "Log in"}},
		"HTML that says it is JSON": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, "\n <html>")
		}, []string{"begins as HTML or XML does"}},
		"an object without a list":   {says(`{"error":"none","code":7}`), []string{"the answer is no list, but an object with error, code"}},
		"nothing":                    {says(""), []string{"no JSON"}},
		"an error of its own":        {status(500, "out of cheese"), []string{"500 Internal Server Error", "out of cheese"}},
		"that it is too busy":        {status(429, ""), []string{"429 Too Many Requests"}},
		"that it knows nobody":       {status(401, "who?"), []string{"401 Unauthorized", "write auth"}},
		"that there is no such page": {status(404, "gone"), []string{"404 Not Found", "gone"}},
	} {
		t.Run(name+" is an error that says where and what is committed, and the page before it is", func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, faulty(c.answer))
			j := newJob(t, httpFile(a.URL+"/orders?key=secret", "    paging: {page: {param: page}}\n"))
			r, err := j.fails(append(c.words, "/orders page 2", "1 pages with 10 records of this run are committed, 10 records in all")...)
			if !errors.Is(err, extract.ErrSource) || strings.Contains(err.Error(), "secret") || r.Records != 10 {
				t.Errorf("%+v, %v", r, err)
			}
			j.wants("orders", orders(0, 10)...)
			a.set(pages(func() []string { return orders(0, 12) }, 10))
			j.run()
			j.wants("orders", orders(0, 12)...)
		})
	}
	t.Run("and comes back is asked again in the same run", func(t *testing.T) {
		t.Parallel()
		var failures atomic.Int32
		a := newAPI(t, func(w http.ResponseWriter, r *http.Request) {
			switch failures.Add(1) % 4 {
			case 1:
				status(502, "")(w, r)
			case 2:
				cut(50, "[")(w, r)
			case 3:
				w.Header().Set("Retry-After", "7")
				status(503, "")(w, r)
			default:
				pages(func() []string { return orders(0, 12) }, 10)(w, r)
			}
		})
		j := newJob(t, httpFile(a.URL, "    paging: {page: {param: page}}\n"))
		e := j.open()
		var waited time.Duration
		e.SetWait(func(_ context.Context, d time.Duration) error { waited += d; return nil }, time.Minute)
		if r, err := e.Run(deadline(t)); err != nil || !r.Done {
			t.Errorf("%+v, %v", r, err)
		}
		if waited < 21*time.Second {
			t.Errorf("waited %v, and the source has asked for 3 times 7s", waited)
		}
		j.wants("orders", orders(0, 12)...)
	})
}

func TestBounds(t *testing.T) {
	t.Parallel()
	t.Run("an answer that is too large is an error", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t, says(list(orders(0, 100))))
		newJob(t, httpFile(a.URL, "    max_bytes: 1000\n")).fails("larger than 1000 bytes")
	})
	t.Run("so is one of very many empty records, whatever the format", func(t *testing.T) {
		t.Parallel()
		for format, body := range map[string]string{
			"ndjson": strings.Repeat("1\n", 500_001), "csv": "a\n" + strings.Repeat("1\n", 500_001), "json": "[" + strings.Repeat("1,", 500_000) + "1]",
		} {
			a := newAPI(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", fmt.Sprint(len(body)))
				fmt.Fprint(w, body)
			})
			newJob(t, httpFile(a.URL, "    format: "+format+"\n")).fails("more than 500000 records: ask for smaller pages")
		}
	})
	t.Run("a cursor that does not fit is an error before anything is written", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t, func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"items":[{"id":1}],"next":%q}`, strings.Repeat("x", 5000))
		})
		j := newJob(t, httpFile(a.URL, "    records: items\n    paging: {cursor: {path: next, param: after}}\n"))
		if _, err := j.fails("4096"); !errors.Is(err, extract.ErrCursorTooLong) {
			t.Error(err)
		}
		j.wants("orders")
	})
	t.Run("requests are no more than the rate", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t, pages(func() []string { return orders(0, 8) }, 2))
		j := newJob(t, httpFile(a.URL, "    paging: {page: {param: page}}\n    rate: 20\n"))
		began := time.Now()
		j.run()
		if took := time.Since(began); took < 4*50*time.Millisecond {
			t.Errorf("5 requests took %v", took)
		}
	})
	t.Run("lines whose end nobody knows are refused", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t, func(w http.ResponseWriter, _ *http.Request) {
			connection, buffered, _ := http.NewResponseController(w).Hijack()
			fmt.Fprint(buffered, "HTTP/1.0 200 OK\r\n\r\n{\"id\":1}\n")
			buffered.Flush()
			connection.Close()
		})
		newJob(t, httpFile(a.URL, "    format: ndjson\n")).fails("says not where it ends")
	})
	t.Run("a cursor of another source is an error, and so is one of another paging", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t, says(list(orders(0, 3))))
		j := newJob(t, httpFile(a.URL, ""))
		j.run()
		j.file = httpFile(a.URL, "    paging: {link: next}\n")
		if _, err := j.fails("http json none", "http json link", "another name"); !errors.Is(err, extract.ErrCursor) {
			t.Error(err)
		}
	})
}
