package localcos

import (
	"maps"
	"slices"
)

// Buckets are the names of the buckets that there are, in order.
func (s *Server) Buckets() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Sorted(maps.Keys(s.buckets))
}
