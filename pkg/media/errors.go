package media

import (
	"errors"
	"fmt"
	"strings"
)

// Errors to be asked for with errors.Is.
var (
	// ErrNoFFmpeg says that FFmpeg is not where it was looked for.
	ErrNoFFmpeg = errors.New("FFmpeg is missing")
	// ErrFormat says that an input is none of the formats that are taken.
	ErrFormat = errors.New("this is no media file that is taken")
	// ErrLimit says that an input is beyond one of the limits.
	ErrLimit = errors.New("beyond a limit")
	// ErrNoRoom says that the files of a job would not fit into the budget for them.
	ErrNoRoom = errors.New("no room for temporary files")
	// ErrStream says that a stream that a preset needs is not there.
	ErrStream = errors.New("a stream is missing")
	// ErrOutput says that an output is not what it should be.
	ErrOutput = errors.New("the output is not as it should be")
)

// InputError is a fault of the input, or of what was asked of it: the same job would
// fail again.
type InputError struct{ Err error }

// Error is the message of the whole chain.
func (e *InputError) Error() string { return e.Err.Error() }

// Unwrap gives the reason.
func (e *InputError) Unwrap() error { return e.Err }

// IsInput reports whether an error is a fault of the input.
func IsInput(err error) bool { return errors.As(err, new(*InputError)) }

func inputf(kind error, format string, args ...any) error {
	return &InputError{fmt.Errorf("%w: %s", kind, fmt.Sprintf(format, args...))}
}

// ProcessError is a run of FFmpeg that failed by itself.
type ProcessError struct {
	Program string // ffmpeg or ffprobe
	Code    int    // exit code; -1 where a signal ended it
	Signal  string // that ended it, in words; "" where none did
	Stderr  string // its last lines
}

// Error has the exit code or the signal, and the last lines of stderr.
func (e *ProcessError) Error() string {
	how := fmt.Sprintf("exit code %d", e.Code)
	switch {
	case strings.HasPrefix(e.Signal, "CPU time limit"):
		how = "it used up its processor time"
	case strings.HasPrefix(e.Signal, "file size limit"):
		how = "it wrote a file that is too large"
	case e.Signal == "killed":
		how = "it was killed from outside, mostly for want of memory"
	case e.Signal != "":
		how = "ended by a signal: " + e.Signal
	}
	if e.Stderr == "" {
		return fmt.Sprintf("%s: %s", e.Program, how)
	}
	return fmt.Sprintf("%s: %s: %s", e.Program, how, strings.ReplaceAll(e.Stderr, "\n", " | "))
}
