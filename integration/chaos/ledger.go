package chaos

import "sync"

// Ledger notes which records of a partition the source has acknowledged. It is
// safe for concurrent use.
type Ledger struct {
	mu    sync.Mutex
	acked set
	count int
}

// Acknowledge notes a record by its number.
func (l *Ledger) Acknowledge(number int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.acked.add(number) {
		l.count++
	}
}

// Count is how many records were acknowledged.
func (l *Ledger) Count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count
}

// set is a set of numbers from 0, a bit each.
type set struct{ words []uint64 }

// add says whether the number is new.
func (s *set) add(n int) bool {
	if s.has(n) {
		return false
	}
	for len(s.words) <= n/64 {
		s.words = append(s.words, 0)
	}
	s.words[n/64] |= 1 << (n % 64)
	return true
}

func (s *set) has(n int) bool { return n/64 < len(s.words) && s.words[n/64]&(1<<(n%64)) != 0 }

// end is above every number in the set.
func (s *set) end() int { return 64 * len(s.words) }
