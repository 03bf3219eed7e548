package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// busy shows what short work is waiting for: on a terminal one line that is
// taken away again, elsewhere a line now and then.
type busy struct {
	w        io.Writer
	label    string
	terminal bool
	stop     chan struct{}
	stopped  sync.WaitGroup

	mu    sync.Mutex
	names []string
}

func (a *app) newBusy(label string) *busy {
	file, ok := a.stderr.(*os.File)
	b := &busy{w: a.stderr, label: label, terminal: ok && term.IsTerminal(int(file.Fd())), stop: make(chan struct{})}
	b.stopped.Go(b.show)
	return b
}

// set says what is under way.
func (b *busy) set(names []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.names = names
}

// end takes the line away.
func (b *busy) end() {
	close(b.stop)
	b.stopped.Wait()
}

func (b *busy) show() {
	rate := lineRate
	if b.terminal {
		rate = quiet
	}
	tick := time.NewTicker(rate)
	defer tick.Stop()
	shown := false
	for begun := time.Now(); ; {
		select {
		case <-b.stop:
			if shown && b.terminal {
				fmt.Fprint(b.w, "\r\033[K")
			}
			return
		case <-tick.C:
		}
		b.mu.Lock()
		line := fmt.Sprintf("%s %s, %.0f s", b.label, strings.Join(b.names, ", "), time.Since(begun).Seconds())
		b.mu.Unlock()
		if b.terminal {
			fmt.Fprintf(b.w, "\r\033[K%s", line)
			tick.Reset(time.Second)
		} else {
			fmt.Fprintln(b.w, line)
		}
		shown = true
	}
}
