package extract_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
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

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	for name, value := range map[string]string{"seconds": "3600", "a date, by the source's own clock": "Tue, 01 Jan 2030 01:00:00 GMT"} {
		t.Run("beyond the deadline stops the run at a committed point, and keeps the next one away until then: "+name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, faulty(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", "Tue, 01 Jan 2030 00:00:00 GMT")
				w.Header().Set("Retry-After", value)
				w.WriteHeader(http.StatusTooManyRequests)
			}))
			now := time.Now()
			j := newJob(t, httpFile(a.URL, "    paging: {page: {param: page}}\n"), func(c *extract.Config) {
				c.Now = func() time.Time { return now }
			})
			r := j.run()
			if r.Done || r.Records != 10 || !strings.Contains(r.Stopped, "the source asks to wait until") || !strings.Contains(r.Stopped, "429") {
				t.Errorf("%+v", r)
			}
			j.wants("orders", orders(0, 10)...)
			a.asked()
			now = now.Add(50 * time.Minute)
			if r := j.run(); r.Done || r.Stopped == "" || len(a.asked()) != 0 {
				t.Errorf("before that: %+v", r)
			}
			a.set(pages(func() []string { return orders(0, 12) }, 10))
			now = now.Add(11 * time.Minute)
			if r := j.run(); !r.Done {
				t.Errorf("after that: %+v", r)
			}
			j.wants("orders", orders(0, 12)...)
			now = at // the clock was moved back, and nothing waits for it
			if r := j.run(); !r.Done {
				t.Errorf("%+v", r)
			}
		})
	}
	for name, value := range map[string]string{"of no time": "0", "of a time that is over": "Fri, 27 Nov 2026 09:00:00 GMT"} {
		t.Run(name+" is waited for longer and longer, and not for ever", func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", "Fri, 27 Nov 2026 10:00:00 GMT")
				w.Header().Set("Retry-After", value)
				w.WriteHeader(http.StatusServiceUnavailable)
			})
			e := newJob(t, httpFile(a.URL, "")).open()
			var waits []time.Duration
			e.SetWait(func(_ context.Context, d time.Duration) error {
				if waits = append(waits, d); len(waits) == 50 {
					return errors.New("it never ends")
				}
				return nil
			}, 2*time.Second)
			_, err := e.Run(deadline(t))
			if !errors.Is(err, extract.ErrSource) || strings.Contains(err.Error(), "it never ends") || len(waits) > 0 && slices.Min(waits) <= 0 {
				t.Errorf("%v, after waiting %v", err, waits)
			}
		})
	}
	t.Run("that the run does not live to see is an error with the answer of the source", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		e := newJob(t, httpFile(a.URL, "")).open()
		ended := errors.New("the run was ended")
		e.SetWait(func(context.Context, time.Duration) error { return ended }, time.Minute)
		if _, err := e.Run(deadline(t)); !errors.Is(err, ended) || !errors.Is(err, extract.ErrSource) || !strings.Contains(err.Error(), "503 Service Unavailable") {
			t.Error(err)
		}
	})
	t.Run("at the first page of all is kept, too", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusTooManyRequests)
		})
		j := newJob(t, httpFile(a.URL, ""))
		for range 2 {
			if r := j.run(); r.Done || r.Stopped == "" || r.Total != 0 {
				t.Errorf("%+v", r)
			}
		}
		if n := len(a.asked()); n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
}

func TestAuth(t *testing.T) {
	t.Parallel()
	const auth = "    auth: {header: X-Api-Key, env: KEY, prefix: 'Token '}\n    headers: {X-Tenant: {env: TENANT}}\n"
	job := func(t *testing.T, url, settings string) *job {
		j := newJob(t, httpFile(url, auth+settings))
		j.env["KEY"], j.env["TENANT"] = "hunter2", "t1"
		return j
	}
	t.Run("is a header with a value of the environment", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t, says("[]"))
		job(t, a.URL, "").run()
		if h := a.asked()[0].Header; h.Get("X-Api-Key") != "Token hunter2" || h.Get("X-Tenant") != "t1" {
			t.Errorf("%v", h)
		}
	})
	t.Run("is in no error, also where the source repeats it", func(t *testing.T) {
		t.Parallel()
		for _, code := range []int{401, 400, 500} {
			a := newAPI(t, func(w http.ResponseWriter, r *http.Request) { status(code, r.Header.Get("X-Api-Key"))(w, r) })
			_, err := job(t, a.URL, "").fails(fmt.Sprint(code))
			if strings.Contains(err.Error(), "hunter2") {
				t.Error(err)
			}
		}
	})
	t.Run("goes with a redirect on the same host", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				http.Redirect(w, r, "/orders", http.StatusFound)
				return
			}
			fmt.Fprint(w, "[]")
		})
		job(t, a.URL, "").run()
		if asked := a.asked(); len(asked) != 2 || asked[1].Header.Get("X-Api-Key") != "Token hunter2" {
			t.Errorf("asked %d times", len(asked))
		}
	})
	t.Run("never goes to another host, by a redirect or a link, and nobody goes there unasked", func(t *testing.T) {
		t.Parallel()
		other := newAPI(t, says(list(orders(3, 5))))
		for _, c := range []struct {
			paging string
			answer http.HandlerFunc
		}{
			{"", func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
			}},
			{"    paging: {link: next}\n", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Link", "<"+other.URL+">; rel=next")
				fmt.Fprint(w, "[]")
			}},
		} {
			a := newAPI(t, c.answer)
			if _, err := job(t, a.URL, c.paging).fails("the source", other.URL, "redirects: any"); !errors.Is(err, extract.ErrPolicy) || len(other.asked()) != 0 {
				t.Error(err)
			}
			j := job(t, a.URL, c.paging+"    redirects: any\n")
			j.run()
			j.wants("orders", orders(3, 5)...)
			for _, r := range other.asked() {
				if r.Header.Get("X-Api-Key") != "" || r.Header.Get("X-Tenant") != "" {
					t.Errorf("%v", r.Header)
				}
			}
		}
	})
	t.Run("nor by a path that would be a host, or a cursor that is committed", func(t *testing.T) {
		t.Parallel()
		const paging = "    paging: {link: next}\n"
		other := newAPI(t, says(list(orders(3, 5))))
		path := strings.TrimPrefix(other.URL, "http:") + "/latest"
		var a *api
		a = newAPI(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				w.Header().Set("Link", "<"+a.URL+path+">; rel=next")
			}
			fmt.Fprintf(w, `[{"id":%q}]`, r.URL.Path)
		})
		for _, redirects := range []string{"same-host", "none", "any"} {
			a.asked()
			j := job(t, a.URL+"/", paging+"    redirects: "+redirects+"\n")
			for range 2 { // in the same run, and from the cursor
				j.run()
			}
			asked := a.asked()
			if len(asked) != 3 || asked[1].RequestURI != path || asked[2].RequestURI != path || len(other.asked()) != 0 {
				t.Errorf("%s: asked %d times", redirects, len(asked))
			}
		}
		j := job(t, a.URL+"/", paging)
		j.run()
		for _, at := range []string{path, other.URL + "/latest"} {
			j.stands("http json link", fmt.Sprintf(`{"at":%q}`, at))
			if _, err := j.fails("the committed cursor", other.URL); !errors.Is(err, extract.ErrPolicy) || len(other.asked()) != 0 {
				t.Error(err)
			}
		}
	})
	t.Run("and no request goes to a file or the like, nor from https to http", func(t *testing.T) {
		t.Parallel()
		for _, to := range []string{"file:///etc/passwd", "gopher://x/", "ftp://x/y"} {
			a := newAPI(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", to)
				w.WriteHeader(http.StatusFound)
			})
			if _, err := job(t, a.URL, "    redirects: any\n").fails("neither http nor https"); !errors.Is(err, extract.ErrPolicy) {
				t.Error(err)
			}
		}
		a := newAPI(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusFound) })
		if _, err := job(t, a.URL, "    redirects: none\n").fails("redirects to"); !errors.Is(err, extract.ErrPolicy) {
			t.Error(err)
		}
		if _, err := job(t, a.URL, "").fails("redirects more than 10 times"); !errors.Is(err, extract.ErrSource) {
			t.Error(err)
		}
	})
	t.Run("and a certificate that nobody has signed is refused", func(t *testing.T) {
		t.Parallel()
		server := httptest.NewTLSServer(says("[]"))
		t.Cleanup(server.Close)
		job(t, server.URL, "").fails("certificate")
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
