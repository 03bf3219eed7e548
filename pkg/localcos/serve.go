package localcos

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// DefaultAddress is where Start listens where nothing else is said: on this
// machine alone.
const DefaultAddress = "127.0.0.1:9436"

// Start listens on address, DefaultAddress where it is empty, and serves until
// Close. Port 0 is a free one: see Addr.
func (s *Server) Start(address string) error {
	if address == "" {
		address = DefaultAddress
	}
	if s.http != nil {
		return errors.New("the COS server was started before")
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("start the COS server: %w", err)
	}
	s.listener = listener
	s.http = &http.Server{
		Handler: s, ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
	}
	go func() {
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.config.Log.Error("the COS server ended", "error", err)
		}
	}()
	return nil
}

// Addr is the address it listens on, "" before Start.
func (s *Server) Addr() string {
	if s.listener == nil {
		return ""
	}
	return s.listener.Addr().String()
}

// URL is the address with its scheme, as the Endpoint of pkg/cos takes it.
func (s *Server) URL() string { return "http://" + s.Addr() }

// Close cuts the connections, waits until no request is under way, and gives the
// folder up to the next server. What was answered is kept; calling it again does
// nothing.
func (s *Server) Close() (err error) {
	s.closing.Do(func() {
		close(s.closed)
		if s.http != nil {
			err = s.http.Close()
		}
		s.gate.Lock() // waits for the requests
		defer s.gate.Unlock()
		err = errors.Join(err, s.unlock())
	})
	return err
}
