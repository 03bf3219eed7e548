package transcode_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/media/transcode"
)

// later is an engine after all that was alive has had its time.
func later(c *transcode.Config) {
	c.Now = func() time.Time { return time.Now().Add(25 * time.Hour) }
}

// expiring is a context whose deadline passes when over is closed.
type expiring struct {
	context.Context
	over chan struct{}
}

func (e expiring) Deadline() (time.Time, bool) { return time.Now().Add(time.Hour), true }
func (e expiring) Done() <-chan struct{}       { return e.over }
func (e expiring) Err() error {
	select {
	case <-e.over:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

func TestAttempts(t *testing.T) {
	t.Parallel()

	for what, same := range map[string]bool{
		"messages for other outputs of the same input": false,
		"more deliveries of the same job":              true,
	} {
		t.Run(what+" that are alive at once are no killed ones", func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			s.put("in/a.mkv", clip(t, clips.short))
			run := func(n int) {
				if same {
					n = 0
				}
				r := transcode.Request{Input: "in/a.mkv", Outputs: []transcode.Output{{Preset: "thumbnail", Key: fmt.Sprintf("transcoded/%d.jpg", n)}}}
				result, err := s.engine(nil).Run(t.Context(), r)
				if err != nil || len(result.Made)+len(result.Done) != 1 {
					t.Errorf("%d: %+v, %v", n, result, err)
				}
			}
			goOn, waiting := make(chan struct{}), atomic.Int64{}
			s.failing(func(r *http.Request) *localcos.Fault {
				if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/in/a.mkv") {
					waiting.Add(1)
					<-goOn
				}
				return nil
			})
			var alive sync.WaitGroup
			for n := range 3 {
				alive.Go(func() { run(n) })
			}
			s.until(func() bool { return waiting.Load() == 3 })
			s.failing(nil)
			run(3)
			if left := s.keys("transcode.work/"); !same && len(left) != 3 {
				t.Errorf("attempts %q: want those of the three that are at it", left)
			}
			close(goOn)
			alive.Wait()
			if left := s.keys("transcode.work/"); len(left) > 0 {
				t.Errorf("left: %q", left)
			}
		})
	}

	t.Run("a request that runs out of its time is none, and an invocation that does is one", func(t *testing.T) {
		t.Parallel()
		s := newStore(t)
		s.put("in/a.mkv", clip(t, clips.short))
		slow := func(c *transcode.Config) {
			c.SplitOver = time.Millisecond
			c.Publish = func(context.Context, []transcode.Piece) error {
				return fmt.Errorf("no answer: %w", context.DeadlineExceeded)
			}
		}
		if result, err := s.engine(slow).Run(t.Context(), request("in/a.mkv", "h264-720p")); err == nil {
			t.Errorf("no error: %+v", result)
		}
		if got := len(s.keysWith("/attempt-")); got != 0 {
			t.Errorf("%d attempts after a request without an answer, want 0", got)
		}
		for n := range 3 {
			ctx := expiring{t.Context(), make(chan struct{})}
			var once atomic.Bool
			s.failing(func(r *http.Request) *localcos.Fault {
				if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/in/a.mkv") && once.CompareAndSwap(false, true) {
					close(ctx.over)
					<-r.Context().Done()
				}
				return nil
			})
			if result, err := s.engine(nil).Run(ctx, request("in/a.mkv", "thumbnail")); err == nil {
				t.Errorf("no error: %+v", result)
			}
			s.failing(nil)
			if got := len(s.keysWith("/attempt-")); got != n+1 {
				t.Errorf("%d attempts after %d invocations without time", got, n+1)
			}
		}
		result, err := s.engine(later).Run(t.Context(), request("in/a.mkv", "thumbnail"))
		if err != nil || len(result.Failed) != 1 || !strings.Contains(result.Failed[0].Error, transcode.ErrKills.Error()) {
			t.Errorf("%+v, %v", result, err)
		}
	})

	t.Run("a job that makes one output in each attempt gets on, and leaves none", func(t *testing.T) {
		t.Parallel()
		s := newStore(t)
		s.put("in/a.mkv", clip(t, clips.short))
		r := transcode.Request{Input: "in/a.mkv"}
		for n := range 3 {
			r.Outputs = append(r.Outputs, transcode.Output{Preset: "thumbnail", Key: fmt.Sprintf("transcoded/%d.jpg", n)})
		}
		process := func(n int) *transcode.Engine { // each begins when the time of the one before is over
			return s.engine(func(c *transcode.Config) {
				c.Attempts, c.Now = 1, func() time.Time { return time.Now().Add(time.Duration(n) * 25 * time.Hour) }
			})
		}
		for n := range 2 {
			var made atomic.Bool
			s.failing(func(request *http.Request) *localcos.Fault {
				if made.Load() { // the process is dead
					return &localcos.Fault{Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable"}
				}
				made.Store(request.Method == http.MethodPut && strings.HasSuffix(request.URL.Path, fmt.Sprintf("transcoded/%d.jpg", n)))
				return nil
			})
			if result, err := process(n).Run(t.Context(), r); err == nil {
				t.Errorf("it was not killed: %+v", result)
			}
			s.failing(nil)
		}
		if result, err := process(2).Run(t.Context(), r); err != nil || len(result.Failed) > 0 || len(result.Done) != 2 {
			t.Errorf("%+v, %v", result, err)
		}
		s.want("transcoded/0.jpg", "transcoded/1.jpg", "transcoded/2.jpg")
	})
}
