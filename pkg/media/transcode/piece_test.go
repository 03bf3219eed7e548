package transcode_test

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/media/transcode"
)

const joinedKey = "transcoded/in/long.mkv/h264-720p.mp4"

// split has a video split, and gives the messages of its pieces.
func split(t *testing.T, s *store) []transcode.Piece {
	t.Helper()
	s.put("in/long.mkv", clip(t, clips.long))
	result, err := s.pieces().Run(t.Context(), request("in/long.mkv", "h264-720p"))
	if err != nil || result.Split < 3 || len(s.sent.pieces) != result.Split {
		t.Fatalf("%+v, %v", result, err)
	}
	return s.sent.pieces
}

// pieces is an engine that splits.
func (s *store) pieces() *transcode.Engine {
	return s.engine(func(c *transcode.Config) { c.SplitOver, c.PieceLength = time.Second, time.Second })
}

func TestPieces(t *testing.T) {
	t.Parallel()

	t.Run("of all deliveries at the same time one joins, and the job leaves nothing but its output", func(t *testing.T) {
		t.Parallel()
		s := newStore(t)
		pieces := split(t, s)
		var joined, made atomic.Int64
		var all sync.WaitGroup
		for _, p := range pieces {
			for range 2 {
				all.Go(func() {
					result, err := s.pieces().Piece(t.Context(), p)
					if err != nil || len(result.Failed) > 0 {
						t.Errorf("%+v, %v", result, err)
					}
					if result.Joined {
						joined.Add(1)
					}
					if result.Piece {
						made.Add(1)
					}
				})
			}
		}
		all.Wait()
		for _, p := range pieces { // and once more, later
			if result, err := s.pieces().Piece(t.Context(), p); err != nil || result.Joined || result.Piece {
				t.Errorf("later: %+v, %v", result, err)
			}
		}
		if result, err := s.pieces().Run(t.Context(), request("in/long.mkv", "h264-720p")); err != nil || len(result.Done) != 1 || result.Split > 0 {
			t.Errorf("the request again: %+v, %v", result, err)
		}
		if joined.Load() != 1 || made.Load() != int64(len(pieces)) {
			t.Errorf("%d joined, %d of %d pieces made", joined.Load(), made.Load(), len(pieces))
		}
		s.want(joinedKey)
	})

	t.Run("a join that is killed goes on when its message comes again, and by no other", func(t *testing.T) {
		t.Parallel()
		for _, heard := range []bool{false, true} { // whether the output was there before the kill
			s := newStore(t)
			pieces := split(t, s)
			last := pieces[len(pieces)-1]
			for _, p := range pieces[:len(pieces)-1] {
				if _, err := s.pieces().Piece(t.Context(), p); err != nil {
					t.Fatal(err)
				}
			}
			dead := false
			var mu sync.Mutex
			s.failing(func(r *http.Request) *localcos.Fault {
				mu.Lock()
				defer mu.Unlock()
				if r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, joinedKey) {
					dead = true
					return &localcos.Fault{Drop: heard, TearUpload: map[bool]int64{false: 100}[heard]}
				}
				if dead {
					return &localcos.Fault{Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable"}
				}
				return nil
			})
			if result, err := s.pieces().Piece(t.Context(), last); err == nil {
				t.Errorf("the join was not killed: %+v", result)
			}
			s.failing(nil)
			if !heard {
				if result, err := s.pieces().Piece(t.Context(), pieces[0]); err != nil || result.Joined {
					t.Errorf("another message: %+v, %v", result, err)
				}
			}
			if result, err := s.pieces().Piece(t.Context(), last); err != nil || result.Joined == heard {
				t.Errorf("output there %v, its message again: %+v, %v", heard, result, err)
			}
			s.want(joinedKey)
		}
	})

	t.Run("a split that is killed is done again, and its messages are for the same pieces", func(t *testing.T) {
		t.Parallel()
		s := newStore(t)
		s.put("in/long.mkv", clip(t, clips.long))
		puts := 0
		var mu sync.Mutex
		s.failing(func(r *http.Request) *localcos.Fault {
			mu.Lock()
			defer mu.Unlock()
			if r.Method == http.MethodPut {
				puts++
			}
			if puts > 2 { // the attempt and a chunk
				return &localcos.Fault{Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable"}
			}
			return nil
		})
		if result, err := s.pieces().Run(t.Context(), request("in/long.mkv", "h264-720p")); err == nil {
			t.Fatalf("it was not killed: %+v", result)
		}
		s.failing(nil)
		first, err := s.pieces().Run(t.Context(), request("in/long.mkv", "h264-720p"))
		pieces := s.sent.pieces
		if err != nil || first.Split < 3 || len(pieces) != first.Split {
			t.Fatalf("%+v, %v", first, err)
		}
		if again, err := s.pieces().Run(t.Context(), request("in/long.mkv", "h264-720p")); err != nil || again.Split != len(pieces) {
			t.Errorf("sent again: %+v, %v", again, err)
		}
		for _, p := range s.sent.pieces {
			if _, err := s.pieces().Piece(t.Context(), p); err != nil {
				t.Fatal(err)
			}
		}
		s.want(joinedKey)
	})

	t.Run("a piece that cannot be made ends its job in the dead letter, and leaves nothing", func(t *testing.T) {
		t.Parallel()
		s := newStore(t)
		pieces := split(t, s)
		if _, err := s.pieces().Piece(t.Context(), pieces[1]); err != nil {
			t.Fatal(err)
		}
		for _, key := range s.keys("transcode.work/") {
			if strings.HasSuffix(key, "chunk/00000") {
				s.put(key, []byte("damaged"))
			}
		}
		result, err := s.pieces().Piece(t.Context(), pieces[0])
		if err != nil || len(result.Failed) != 1 {
			t.Fatalf("%+v, %v", result, err)
		}
		s.want(result.Failed[0].Object)
		if late, err := s.pieces().Piece(t.Context(), pieces[2]); err != nil || late.Skipped == "" {
			t.Errorf("a later piece: %+v, %v", late, err)
		}
		s.want(result.Failed[0].Object)
	})

	t.Run("pieces of a version that was replaced are not joined", func(t *testing.T) {
		t.Parallel()
		s := newStore(t)
		pieces := split(t, s)
		s.put("in/long.mkv", clip(t, clips.other))
		for _, p := range pieces {
			if result, err := s.pieces().Piece(t.Context(), p); err != nil || result.Joined {
				t.Errorf("%+v, %v", result, err)
			}
		}
		s.want()
	})

	t.Run("a message of a job that nobody knows does nothing", func(t *testing.T) {
		t.Parallel()
		s := newStore(t)
		result, err := s.pieces().Piece(t.Context(), transcode.Piece{Job: strings.Repeat("0", 32), Output: "transcoded/x", Number: 1})
		if err != nil || result.Skipped == "" {
			t.Errorf("%+v, %v", result, err)
		}
		s.want()
	})

	t.Run("without a topic a long video is refused", func(t *testing.T) {
		t.Parallel()
		s := newStore(t)
		s.put("in/long.mkv", clip(t, clips.long))
		e := s.engine(func(c *transcode.Config) { c.SplitOver, c.Publish = time.Second, nil })
		result, err := e.Run(t.Context(), request("in/long.mkv", "h264-720p", "thumbnail"))
		if err != nil || len(result.Failed) != 1 || len(result.Made) != 1 || !strings.Contains(result.Failed[0].Error, "topic") {
			t.Errorf("%+v, %v", result, err)
		}
		if _, err := s.bucket.Head(t.Context(), "transcoded/in/long.mkv/thumbnail.jpg"); err != nil {
			t.Error(err)
		}
	})
}
