package api

import (
	"sync"
	"time"
)

// limit counts the requests of each action in the present second.
type limit struct {
	most int // 0 is no limit

	mu     sync.Mutex
	second int64
	counts map[string]int
}

// allow counts a request, and reports whether it may be answered.
func (l *limit) allow(action string, now time.Time) bool {
	if l.most <= 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if second := now.Unix(); second != l.second || l.counts == nil {
		l.second, l.counts = second, map[string]int{}
	}
	l.counts[action]++
	return l.counts[action] <= l.most
}
