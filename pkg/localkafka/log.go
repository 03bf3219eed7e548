package localkafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/twmb/franz-go/pkg/kfake"
)

// logger carries kfake's log lines to slog. It keeps the errors, because kfake
// reports a state that it could not write in no other way.
type logger struct {
	to *slog.Logger

	mu   sync.Mutex
	errs []error
}

// maxErrors bounds what a full disk, say, leaves behind.
const maxErrors = 8

// Logf implements kfake.Logger.
func (l *logger) Logf(level kfake.LogLevel, format string, args ...any) {
	if level == kfake.LogLevelError {
		l.keep(fmt.Errorf(format, args...))
	}
	to := slogLevel(level)
	if !l.to.Enabled(context.Background(), to) { // kfake's Logger has no context
		return
	}
	l.to.Log(context.Background(), to, fmt.Sprintf(format, args...))
}

func (l *logger) keep(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.errs) < maxErrors {
		l.errs = append(l.errs, err)
	}
}

// failed returns the errors logged so far as one, or nil.
func (l *logger) failed() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.errs...)
}

// slogLevel puts kfake's request log, its info level, at debug: a line a
// request is too much beside a function's own log.
func slogLevel(l kfake.LogLevel) slog.Level {
	switch l {
	case kfake.LogLevelError:
		return slog.LevelError
	case kfake.LogLevelWarn:
		return slog.LevelWarn
	default:
		return slog.LevelDebug
	}
}
