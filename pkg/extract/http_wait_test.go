package extract_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/extract"
)

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
