package transcode_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/localcos"
)

func TestPlan(t *testing.T) {
	t.Parallel()

	for what, c := range map[string]struct {
		at    string // the request of the second delivery, before which the first one does all of its own
		fault *localcos.Fault
	}{
		"one that fails removes no chunk of the other": {"/chunk/00001", &localcos.Fault{Status: http.StatusServiceUnavailable, Code: "SlowDown"}},
		"the one whose plan is second has no effect":   {"/plan.json", nil},
	} {
		t.Run("of two deliveries that split at once "+what, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			s.put("in/long.mkv", clip(t, clips.long))
			var first atomic.Bool
			s.failing(func(r *http.Request) *localcos.Fault {
				if r.Method != http.MethodPut || !strings.HasSuffix(r.URL.Path, c.at) || !first.CompareAndSwap(false, true) {
					return nil
				}
				if result, err := s.pieces().Run(t.Context(), request("in/long.mkv", "h264-720p")); err != nil || result.Split < 3 {
					t.Errorf("the first: %+v, %v", result, err)
				}
				return c.fault
			})
			second, err := s.pieces().Run(t.Context(), request("in/long.mkv", "h264-720p"))
			if (err != nil) != (c.fault != nil) {
				t.Errorf("the second: %+v, %v", second, err)
			}
			s.failing(nil)
			pieces := s.sent.pieces
			if err == nil {
				pieces = pieces[:second.Split]
			}
			if got := len(s.keysWith("/chunk/")); got != len(pieces)-1 {
				t.Errorf("chunks %q, want %d", s.keysWith("/chunk/"), len(pieces)-1)
			}
			if c.fault == nil {
				pieces = pieces[:1]
			}
			for _, p := range pieces {
				if result, err := s.pieces().Piece(t.Context(), p); err != nil || !result.Piece || len(result.Failed) > 0 {
					t.Errorf("piece %d: %+v, %v", p.Number, result, err)
				}
			}
			if c.fault != nil {
				s.want(joinedKey)
			}
		})
	}

	t.Run("a chunk or a piece that was removed is in the dead letter, and the job is never forgotten", func(t *testing.T) {
		t.Parallel()
		for _, lost := range []struct {
			key, method string // removed before this request
			all         bool   // whether all pieces are made
		}{
			{"/chunk/00000", http.MethodHead, false}, {"/chunk/00000", http.MethodGet, false}, {"/piece/00001", http.MethodGet, true},
		} {
			s := newStore(t)
			pieces := split(t, s)
			s.failing(func(r *http.Request) *localcos.Fault {
				if r.Method == lost.method && strings.HasSuffix(r.URL.Path, lost.key) {
					if err := s.bucket.Delete(t.Context(), s.keysWith(lost.key)...); err != nil {
						t.Error(err)
					}
				}
				return nil
			})
			var letters []string
			if lost.all { // the first of them comes last
				pieces[0], pieces[len(pieces)-1] = pieces[len(pieces)-1], pieces[0]
			}
			for _, p := range pieces {
				result, err := s.pieces().Piece(t.Context(), p)
				if err != nil {
					t.Errorf("%v: piece %d: %v", lost, p.Number, err)
				}
				for _, f := range result.Failed {
					letters = append(letters, f.Object)
					if !strings.Contains(f.Error, "missing") {
						t.Errorf("%v: %s", lost, f.Error)
					}
				}
			}
			if len(letters) != 1 {
				t.Fatalf("%v: letters %q", lost, letters)
			}
			s.want(letters[0])
		}
	})
}
