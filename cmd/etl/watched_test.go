package main

import (
	"strings"
	"sync"
)

// watched is output that tells when it holds a text.
type watched struct {
	until string
	seen  chan struct{}

	mu   sync.Mutex
	text strings.Builder
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	had := strings.Contains(w.text.String(), w.until)
	w.text.Write(p)
	if !had && strings.Contains(w.text.String(), w.until) {
		close(w.seen)
	}
	return len(p), nil
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}
