package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"
)

// measure is one round of one way.
type measure struct {
	bytes, records int64 // of input
	spent          time.Duration
	allocations    uint64
}

// result is what was measured of a comparison: of each way, one measure a round.
type result struct {
	comparison
	ways     []string
	measures map[string][]measure
}

// bench measures the cases that were chosen.
func bench(o options) (*report, error) {
	r := newReport(o)
	for _, c := range comparisons() {
		if !o.cases.MatchString(c.name) {
			continue
		}
		found, err := c.bench(o)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		r.results = append(r.results, *found)
	}
	return r, nil
}

// bench measures all ways in turn, each round beginning with another one, once it is
// sure that they do the same. That run warms them up.
func (c comparison) bench(o options) (found *result, err error) {
	ways, end, err := c.ways()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, end()) }()
	values := c.values()
	if err := equal(values, ways); err != nil {
		return nil, err
	}
	found = &result{comparison: c, measures: map[string][]measure{}}
	for _, w := range ways {
		found.ways = append(found.ways, w.name)
	}
	for round := range o.rounds {
		for i := range ways {
			w := ways[(i+round)%len(ways)]
			m, err := w.measure(values, o.spend)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", w.name, err)
			}
			found.measures[w.name] = append(found.measures[w.name], m)
			fmt.Fprintf(os.Stderr, "%s %s: %s: %.1f MiB/s of the processor\n", time.Now().Format(time.TimeOnly), c.name, w.name, m.speed())
		}
	}
	return found, nil
}

// measure runs a way over and over until it has spent so much time of the processor,
// that of the garbage collector included. Others share the machine: the clock on the
// wall would measure them too.
func (w way) measure(values [][]byte, spend time.Duration) (m measure, err error) {
	var size int64
	for _, value := range values {
		size += int64(len(value))
	}
	emit := func([]byte) {}
	var before, after runtime.MemStats
	runtime.GC() // what the last one has left behind is not for this one to collect
	runtime.ReadMemStats(&before)
	for begin := cpuTime(); m.spent < spend; m.spent = cpuTime() - begin {
		if err := w.run(values, emit); err != nil {
			return m, err
		}
		m.bytes += size
		m.records += int64(len(values))
	}
	runtime.ReadMemStats(&after)
	m.allocations = after.Mallocs - before.Mallocs
	return m, nil
}

// cpuTime is the time that this process has spent on processors.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // it fails for wrong arguments only
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// speed is MiB of input in a second of the processor.
func (m measure) speed() float64 { return float64(m.bytes) / (1 << 20) / m.spent.Seconds() }
