package localcos

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// Fault is what goes wrong with a request. Fields are independent of each
// other; the zero value is nothing.
type Fault struct {
	// Delay is how long the request waits before anything else, or until its
	// client leaves, or the server is closed.
	Delay time.Duration
	// Status and Code are the answer, in place of doing anything: 503 and
	// "SlowDown", 400 and "ExpiredToken".
	Status int
	Code   string
	// TearUpload cuts the connection after that many bytes of the body.
	TearUpload int64
	// DiskFull fails the write of the body after that many bytes, as a full disk.
	DiskFull int64
	// FlipUpload changes the byte of the body at this position, from 1 on.
	FlipUpload int64
	// Drop does what was asked for and then cuts the connection without an answer.
	Drop bool
	// CutDownload cuts the connection after that many bytes of the answer's body.
	CutDownload int64
	// Flip changes the byte of the answer's body at this position, from 1 on.
	Flip int64
	// WrongCRC gives a checksum that is another's.
	WrongCRC bool
}

var (
	errDiskFull = errors.New("no space left on the disk")
	errTorn     = errors.New("the connection was cut, by a fault that was asked for")
)

// before does what a fault does instead of the request. The connection is cut
// by a panic that net/http knows.
func (f *Fault) before(r *http.Request, closed <-chan struct{}) error {
	if f.Delay > 0 {
		timer := time.NewTimer(f.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		case <-closed: // why beside it: of a client whose body is not read net/http does not see the end
			panic(http.ErrAbortHandler)
		}
	}
	if f.Status != 0 {
		return &apiError{f.Status, f.Code, "A fault that was asked for."}
	}
	switch {
	case f.TearUpload > 0:
		r.Body = &failing{r.Body, f.TearUpload, errTorn}
	case f.DiskFull > 0:
		r.Body = &failing{r.Body, f.DiskFull, errDiskFull}
	case f.FlipUpload > 0:
		r.Body = &flipping{r.Body, f.FlipUpload - 1}
	}
	return nil
}

// flipping is a body with a byte that is changed.
type flipping struct {
	io.ReadCloser
	at int64 // from here on
}

func (f *flipping) Read(p []byte) (int, error) {
	n, err := f.ReadCloser.Read(p)
	if f.at >= 0 && f.at < int64(n) {
		p[f.at] ^= 1
	}
	f.at -= int64(n)
	return n, err
}

// failing is a body that fails after some bytes.
type failing struct {
	io.ReadCloser
	left int64
	err  error
}

func (f *failing) Read(p []byte) (int, error) {
	if f.left == 0 {
		return 0, f.err
	}
	n, err := f.ReadCloser.Read(p[:min(int64(len(p)), f.left)])
	f.left -= int64(n)
	return n, err
}

// faultyWriter spoils an answer.
type faultyWriter struct {
	http.ResponseWriter
	fault *Fault
	sent  int64
}

func (w *faultyWriter) WriteHeader(status int) {
	if w.fault.Drop {
		panic(http.ErrAbortHandler)
	}
	if h := w.Header(); w.fault.WrongCRC && h.Get(crcHeader) != "" {
		h.Set(crcHeader, "4711")
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *faultyWriter) Write(p []byte) (int, error) {
	cut := w.fault.CutDownload > 0 && w.sent+int64(len(p)) >= w.fault.CutDownload
	if cut {
		p = p[:w.fault.CutDownload-w.sent]
	}
	if at := w.fault.Flip - 1 - w.sent; at >= 0 && at < int64(len(p)) {
		p = append([]byte(nil), p...)
		p[at] ^= 1
	}
	n, err := w.ResponseWriter.Write(p)
	w.sent += int64(n)
	if cut {
		if flusher, ok := w.ResponseWriter.(http.Flusher); ok {
			flusher.Flush()
		}
		panic(http.ErrAbortHandler)
	}
	return n, err
}
