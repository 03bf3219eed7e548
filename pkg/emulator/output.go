package emulator

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"sync"
)

// output collects what one process writes to stdout and stderr, in order, and
// says which invocation it belongs to.
//
// Both streams are one pipe. When an invocation ends the platform writes a mark
// into that same pipe: what the process wrote before it answered is in front of
// the mark, however late it is read. So no line is attributed to the wrong
// invocation, and nothing has to wait for a while.
type output struct {
	read, write *os.File
	mark        []byte
	limit       int
	line        func(requestID string, line []byte) // may be nil
	done        chan struct{}                       // closed when the reader has ended

	mu        sync.Mutex
	section   *ring
	requestID string
	reached   chan struct{} // closed when the reader meets the next mark; nil where none is out
	partial   []byte        // an unfinished line, for the line hook
}

// maxLine bounds what the line hook waits for before it gets a line in parts.
const maxLine = 64 << 10

func newOutput(limit int, line func(requestID string, line []byte)) (*output, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("create the output pipe: %w", err)
	}
	// why: random, so that no output holds it by chance; the bytes at the ends
	// keep it out of any text and its end from being taken for a beginning.
	mark := append(append([]byte{0}, rand.Text()...), 1)
	o := &output{read: r, write: w, mark: mark, limit: limit, line: line, done: make(chan struct{}), section: newRing(limit)}
	go o.run()
	return o, nil
}

func (o *output) run() {
	defer close(o.done)
	buf := make([]byte, 32<<10)
	kept := 0 // bytes of buf that may be the beginning of a mark
	for {
		n, err := o.read.Read(buf[kept:])
		kept = o.take(buf[:kept+n], err != nil)
		if err != nil {
			return
		}
	}
}

// take stores p up to a possible beginning of a mark at its end, moves that
// beginning to the front of p and returns its length. At the end of the stream
// there is no beginning to wait for.
func (o *output) take(p []byte, end bool) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	whole := p
	for {
		i := bytes.Index(p, o.mark)
		if i < 0 {
			break
		}
		o.add(p[:i])
		p = p[i+len(o.mark):]
		if o.reached != nil {
			close(o.reached)
			o.reached = nil
		}
	}
	keep := 0
	if !end {
		keep = overlap(p, o.mark)
	}
	o.add(p[:len(p)-keep])
	return copy(whole, p[len(p)-keep:])
}

// overlap is the length of the longest end of p that a mark begins with.
func overlap(p, mark []byte) int {
	for n := min(len(p), len(mark)-1); n > 0; n-- {
		if bytes.HasPrefix(mark, p[len(p)-n:]) {
			return n
		}
	}
	return 0
}

func (o *output) add(p []byte) {
	if len(p) == 0 {
		return
	}
	o.section.write(p)
	if o.line == nil {
		return
	}
	o.partial = append(o.partial, p...)
	for {
		i := bytes.IndexByte(o.partial, '\n')
		if i < 0 {
			break
		}
		o.line(o.requestID, o.partial[:i])
		o.partial = o.partial[i+1:]
	}
	if len(o.partial) > maxLine {
		o.flush()
	}
}

func (o *output) flush() {
	if len(o.partial) > 0 && o.line != nil {
		o.line(o.requestID, o.partial)
	}
	o.partial = nil
}

// begin says whose output the following is. What was written since the
// invocation before belongs to it too: in the cloud a process does not run
// between two invocations.
func (o *output) begin(requestID string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.requestID = requestID
}

// end returns what was written since the last end, and how many bytes before
// that were too many to keep. The process must not be writing, or its later
// output counts to the next section. It does not block once the process is
// gone.
func (o *output) end() (log []byte, dropped int64) {
	reached := make(chan struct{})
	o.mu.Lock()
	o.reached = reached
	o.mu.Unlock()
	// why: shorter than PIPE_BUF, so it is written in one piece. An error means
	// that close was called, and then done closes.
	if _, err := o.write.Write(o.mark); err == nil {
		select {
		case <-reached:
		case <-o.done:
		}
	} else {
		<-o.done
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush()
	log, dropped = o.section.bytes(), o.section.dropped
	o.section, o.requestID, o.reached = newRing(o.limit), "", nil
	return log, dropped
}

// close ends the reader. Call it when the process group is gone, after the last
// end; a descendant that left the group and still holds the pipe is cut off.
func (o *output) close() {
	_ = o.write.Close()
	_ = o.read.Close()
	<-o.done
}
