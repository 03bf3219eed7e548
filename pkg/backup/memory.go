package backup

import "sync"

// spare is memory that is used again. Unlike a sync.Pool it keeps what it has: some large
// pieces that come and go would else be made anew after each collection, and double what a
// process takes.
type spare struct {
	mu     sync.Mutex
	pieces [][]byte
}

// take gives an empty slice with room for about so many bytes.
func (s *spare) take(room int) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.pieces); n > 0 {
		piece := s.pieces[n-1]
		s.pieces = s.pieces[:n-1]
		return piece[:0]
	}
	return make([]byte, 0, room)
}

// give takes a slice back that nobody uses any more.
func (s *spare) give(piece []byte) {
	if cap(piece) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pieces = append(s.pieces, piece)
}
