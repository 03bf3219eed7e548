package emulator

import "sync"

// AsyncStatus is what became of the events that a trigger has sent
// asynchronously, since it was created.
type AsyncStatus struct {
	Sent      int64 `json:"sent"`
	Succeeded int64 `json:"succeeded"`
	GivenUp   int64 `json:"givenUp"`
	// Running events are with the function now, Retrying ones wait to be sent
	// again.
	Running  int `json:"running"`
	Retrying int `json:"retrying"`

	// Invocations is how often the function was invoked, Failures how often that
	// failed, and OverLimit how often it could not be invoked.
	Invocations int64 `json:"invocations"`
	Failures    int64 `json:"failures"`
	OverLimit   int64 `json:"overLimit"`
	// LastError is the last failure, also after it was overcome.
	LastError string `json:"lastError,omitempty"`
}

// GivenUp is an asynchronous event that has failed for good.
type GivenUp struct {
	Function string
	Trigger  string
	// Reason says in words how often it was tried and how it failed.
	Reason string
	// Event is what the function was sent. It must not be changed.
	Event []byte
}

// asyncStatus is an AsyncStatus that goroutines share.
type asyncStatus struct {
	mu     sync.Mutex
	status AsyncStatus
}

func (s *asyncStatus) set(change func(*AsyncStatus)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.status)
}

func (s *asyncStatus) get() AsyncStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}
