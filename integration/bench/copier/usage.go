package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// cpuSeconds is the processor time, user and system, of this process so far.
func cpuSeconds() float64 {
	usage := usage(unix.RUSAGE_SELF)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}

// peakBytes is the largest resident size that this process had, or of its
// ended children the one that had the largest.
func peakBytes(who int) int64 {
	return usage(who).Maxrss << 10 // Linux counts in KiB
}

func usage(who int) (usage unix.Rusage) {
	_ = unix.Getrusage(who, &usage) // fails only for another who
	return usage
}
