package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// quiet is how long a command may work before it shows progress, and how often
// a line is printed where there is no terminal.
const (
	quiet    = 2 * time.Second
	lineRate = 5 * time.Second
)

// progress shows how far long work is: a bar with rate and time left on a
// terminal, a line now and then elsewhere. It is for one goroutine at a time.
type progress struct {
	w        io.Writer
	label    string
	terminal bool
	bar      *progressbar.ProgressBar
	begun    time.Time
	line     time.Time // of the last one
}

func (a *app) newProgress(label string) *progress {
	file, ok := a.stderr.(*os.File)
	return &progress{w: a.stderr, label: label, terminal: ok && term.IsTerminal(int(file.Fd())), begun: time.Now()}
}

// onTerminal says whether what is printed goes to a terminal, where a bar would be in
// its way.
func (a *app) onTerminal() bool {
	out, ok := a.stdout.(*output)
	if !ok {
		return false
	}
	file, ok := out.w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// set says that done of total are finished. total may change; 0 is not known.
func (p *progress) set(done, total int64) {
	now := time.Now()
	if now.Sub(p.begun) < quiet || total <= 0 && done == 0 {
		return
	}
	if !p.terminal {
		if now.Sub(p.line) >= lineRate {
			p.line = now
			of := ""
			if total > 0 {
				of = fmt.Sprintf(" of %d (%d%%)", total, 100*done/total)
			}
			fmt.Fprintf(p.w, "%s: %d%s, %.0f a second\n", p.label, done, of, float64(done)/now.Sub(p.begun).Seconds())
		}
		return
	}
	if total <= 0 {
		total = -1 // for the bar, it is not known
	}
	if p.bar == nil {
		unit, _, _ := strings.Cut(p.label, " ") // of "letters sent"
		p.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(p.w), progressbar.OptionSetDescription(p.label),
			progressbar.OptionShowIts(), progressbar.OptionSetItsString(unit), progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	}
	if total > 0 {
		p.bar.ChangeMax64(total)
		done = min(done, total)
	}
	_ = p.bar.Set64(done) // only a terminal that is gone can fail
}

// end takes the bar away.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Clear() // only a terminal that is gone can fail
	}
}
