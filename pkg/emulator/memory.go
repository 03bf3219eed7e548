package emulator

import (
	"sync"
	"time"
)

// memoryWatch looks at a process while it runs an invocation. The cloud kills
// an instance in the moment in which it wants more than its memory; here that
// is noticed at the next sample, so a short peak passes. MaxRSS shows it.
type memoryWatch struct {
	over chan int64 // gets what the process held, once, when that was too much

	quit chan struct{}
	done chan struct{}
	once sync.Once
	peak int64 // read after done
}

func watchMemory(pid int, limits callLimits) *memoryWatch {
	w := &memoryWatch{over: make(chan int64, 1), quit: make(chan struct{}), done: make(chan struct{})}
	if limits.sample <= 0 {
		close(w.done)
		return w
	}
	resetPeak(pid)
	go w.run(pid, limits)
	return w
}

func (w *memoryWatch) run(pid int, limits callLimits) {
	defer close(w.done)
	tick := time.NewTicker(limits.sample)
	defer tick.Stop()
	for ended := false; !ended; {
		select {
		case <-w.quit:
			ended = true
		case <-tick.C:
		}
		m, ok := readMemory(pid)
		if !ok {
			continue
		}
		w.peak = max(w.peak, m.peak)
		if limits.memory > 0 && m.held > limits.memory && !ended {
			select {
			case w.over <- m.held:
			default: // told already
			}
		}
	}
}

// stop ends the watch and returns the largest resident size. It may be called
// again.
func (w *memoryWatch) stop() int64 {
	w.once.Do(func() { close(w.quit) })
	<-w.done
	return w.peak
}
