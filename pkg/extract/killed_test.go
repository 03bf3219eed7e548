package extract_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/extract"
)

// killed runs a job up to its n-th point, from which on nothing more is done: no
// transaction is ended. It gives the point, "" where there are fewer.
func (j *job) killed(n int) (point string) {
	j.Helper()
	type killed struct{}
	e := j.open()
	e.SetFault(func(at string) {
		if n--; n < 0 {
			point = at
			panic(killed{})
		}
	})
	defer func() {
		if p := recover(); p != nil && p != (killed{}) {
			panic(p)
		}
	}()
	_, err := e.Run(deadline(j))
	must(j, err)
	return ""
}

func TestKilledAtEveryPoint(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]struct{ path, settings string }{
		"numbers": {"/orders", "    paging: {page: {param: page}}\n"},
		"links":   {"/orders", "    paging: {link: next}\n"},
		"cursors": {"/items", "    records: items\n    paging: {cursor: {path: next, param: after}}\n"},
	} {
		t.Run("the next run leaves every record there once, with pages by "+name, func(t *testing.T) {
			t.Parallel()
			var all []string
			a := newAPI(t, paged(func() []string { return all }, 4))
			j := newJob(t, httpFile(a.URL+of.path, of.settings), func(c *extract.Config) { c.TransactionBytes = 150 })
			points := map[string]bool{}
			for n := 0; ; n++ {
				all = orders(0, len(all)+9) // each run has pages, and a last one that is not full
				point := j.killed(n)
				points[point] = true
				if r := j.run(); !r.Done || r.Total != int64(len(all)) {
					t.Fatalf("after a death at %q, point %d: %+v", point, n, r)
				}
				j.wants("orders", all...)
				if point == "" {
					break
				}
			}
			for _, want := range []string{"fence", "read", "page", "produce", "cursor", "commit", "committed"} {
				if !points[want] {
					t.Errorf("never killed at %s, only at %v", want, points)
				}
			}
		})
	}
}

// paged has all ways of paging: numbers and links give a list, /items a cursor.
func paged(records func() []string, size int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		all, number := records(), 0
		if n, err := strconv.Atoi(r.URL.Query().Get("page")); err == nil {
			number = n - 1
		}
		if n, err := strconv.Atoi(r.URL.Query().Get("after")); err == nil {
			number = n
		}
		first := min(number*size, len(all))
		end := min(first+size, len(all))
		next := "null"
		if end < len(all) {
			w.Header().Set("Link", fmt.Sprintf(`</orders?page=%d>; rel="next", <https://other.example/>; rel=last`, number+2))
			next = strconv.Itoa(number + 1)
		}
		if r.URL.Path == "/items" {
			fmt.Fprintf(w, `{"items":%s,"next":%s}`, list(all[first:end]), next)
			return
		}
		fmt.Fprint(w, list(all[first:end]))
	}
}

func TestTwoRunsAtOnce(t *testing.T) {
	t.Parallel()
	t.Run("the newer one goes on where the older one has committed; the older one stops, and nothing is there twice", func(t *testing.T) {
		t.Parallel()
		all := orders(0, 30)
		a := newAPI(t, pages(func() []string { return all }, 4))
		for n := range 14 {
			j := newJob(t, httpFile(a.URL+"/orders", "    paging: {page: {param: page}}\n"), func(c *extract.Config) { c.TransactionBytes = 150 })
			older, left := j.open(), n
			older.SetFault(func(string) {
				if left--; left == -1 {
					if r := j.run(); !r.Done {
						t.Errorf("the newer one: %+v", r)
					}
				}
			})
			r, err := older.Run(deadline(t))
			if err != nil || left < 0 && n > 1 && r.Stopped == "" && !r.Done {
				t.Fatalf("point %d: %+v, %v", n, r, err)
			}
			j.run()
			j.wants("orders", all...)
		}
	})
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	t.Run("a run whose time is over stops at a committed point and says so; the next ones finish", func(t *testing.T) {
		t.Parallel()
		all := orders(0, 60)
		numbered := pages(func() []string { return all }, 2)
		a := newAPI(t, func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-time.After(60 * time.Millisecond): // as a source that is slow
			case <-r.Context().Done():
			}
			numbered(w, r)
		})
		j := newJob(t, httpFile(a.URL+"/orders", "    paging: {page: {param: page}}\n"))
		for runs := 0; ; runs++ {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			r, err := j.open().Run(ctx)
			cancel()
			if err != nil && r.Pages > 0 {
				t.Fatalf("%+v, %v", r, err)
			}
			if r.Done {
				break
			}
			if r.Stopped == "" && err == nil || runs > 300 {
				t.Fatalf("run %d: %+v, %v", runs, r, err)
			}
		}
		j.wants("orders", all...)
	})
}
