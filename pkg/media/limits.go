package media

import (
	"errors"
	"fmt"
	"time"
)

// Limits bound what a job may need. Zero fields have the value of [DefaultLimits].
type Limits struct {
	InputBytes  int64         // of an input
	OutputBytes int64         // of all that one preset makes
	TempBytes   int64         // of files in the folder of a job
	Duration    time.Duration // of the media
	Pixels      int64         // of a frame
	FrameRate   float64       // frames per second
	Streams     int           // in a file
	Memory      int64         // of a child, in bytes
	Threads     int           // of a child
}

// DefaultLimits are those of a function with 3 GB of memory and 512 MB of /tmp.
func DefaultLimits() Limits {
	return Limits{
		InputBytes: 20 << 30, OutputBytes: 20 << 30, TempBytes: 480 << 20, Duration: 6 * time.Hour,
		Pixels: 4096 * 2304, FrameRate: 240, Streams: 64, Memory: 2 << 30, Threads: 2,
	}
}

// WithDefaults fills zero fields.
func (l Limits) WithDefaults() Limits {
	d := DefaultLimits()
	for _, f := range []struct{ value, otherwise *int64 }{
		{&l.InputBytes, &d.InputBytes}, {&l.OutputBytes, &d.OutputBytes}, {&l.TempBytes, &d.TempBytes},
		{&l.Pixels, &d.Pixels}, {&l.Memory, &d.Memory},
	} {
		if *f.value <= 0 {
			*f.value = *f.otherwise
		}
	}
	if l.Duration <= 0 {
		l.Duration = d.Duration
	}
	if l.FrameRate <= 0 {
		l.FrameRate = d.FrameRate
	}
	if l.Streams <= 0 {
		l.Streams = d.Streams
	}
	if l.Threads <= 0 {
		l.Threads = d.Threads
	}
	return l
}

// check holds the limits against what ffprobe has found; all that is beyond is named.
func (l Limits) check(info Info) error {
	var faults []error
	add := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if len(info.Streams) > l.Streams {
		add("%d streams, at most %d are taken", len(info.Streams), l.Streams)
	}
	if info.Duration > l.Duration {
		add("%v long, at most %v is taken", info.Duration.Round(time.Second), l.Duration)
	}
	for _, s := range info.Streams {
		if s.Kind != Video {
			continue
		}
		if pixels := int64(s.Width) * int64(s.Height); pixels > l.Pixels {
			add("stream %d has frames of %dx%d, at most %d pixels are taken", s.Index, s.Width, s.Height, l.Pixels)
		}
		if s.FrameRate > l.FrameRate && !s.Picture {
			add("stream %d has %.0f frames per second, at most %.0f are taken", s.Index, s.FrameRate, l.FrameRate)
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return &InputError{fmt.Errorf("%w: %w", ErrLimit, errors.Join(faults...))}
}
