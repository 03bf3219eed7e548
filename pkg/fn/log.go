package fn

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"reflect"
	"time"
)

// An event or a result that implements it adds its attributes to the summary line, in the groups "event" and
// "result". They are for positions and counts (topic, partition, offsets): never for payloads.
type logAttrer interface{ LogAttrs() []slog.Attr }

// newLogger writes JSON lines to out, which on the platform is stdout: what it collects as the function's log.
func newLogger(out io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level}))
}

// summarised writes the one line of an invocation, however it ends. It is the only place that logs an error.
func (in *Instance[C, E, R]) summarised(next step) step {
	return func(ctx context.Context, c *call) (payload []byte, err error) {
		begin := time.Now()
		defer func() {
			value := recover()
			if value == nil {
				c.summary(ctx, time.Since(begin), err)
				return
			}
			failure, ok := value.(*PanicError)
			if !ok { // not from the handler: a fault of a layer
				failure = in.newPanicError(value)
			}
			c.summary(ctx, time.Since(begin), failure)
			panic(failure)
		}()
		return next(ctx, c)
	}
}

func (c *call) summary(ctx context.Context, took time.Duration, err error) {
	attrs := []slog.Attr{
		slog.String("version", c.invocation.FunctionVersion),
		slog.Float64("duration_ms", milliseconds(took)),
		slog.Bool("cold_start", c.coldStart),
	}
	if c.built > 0 {
		attrs = append(attrs, slog.Float64("build_ms", milliseconds(c.built)))
	}
	// why GroupAttrs: slog leaves out a group without attributes
	attrs = append(attrs, slog.GroupAttrs("event", c.event...), slog.GroupAttrs("result", c.result...))
	if err == nil {
		c.logger.LogAttrs(ctx, slog.LevelInfo, "invocation done", attrs...)
		return
	}
	attrs = append(attrs, slog.String("error", err.Error()), slog.String("error_type", typeName(err)))
	var panicked *PanicError
	if errors.As(err, &panicked) {
		attrs = append(attrs, slog.String("stack", panicked.Stack))
	}
	c.logger.LogAttrs(ctx, slog.LevelError, "invocation failed", attrs...)
}

// milliseconds with three digits after the point, so that short invocations do not all take 0.
func milliseconds(d time.Duration) float64 {
	return math.Round(float64(d)/float64(time.Microsecond)) / 1000
}

// typeName is the Type that the platform shows of err.
func typeName(err error) string {
	t := reflect.TypeOf(err)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Name()
}

// attrsOf gives the attributes of an event or a result; none for a zero value, which says nothing and may be nil.
func attrsOf[T any](value *T) []slog.Attr {
	if reflect.ValueOf(value).Elem().IsZero() {
		return nil
	}
	if attrer, ok := any(*value).(logAttrer); ok {
		return attrer.LogAttrs()
	}
	if attrer, ok := any(value).(logAttrer); ok {
		return attrer.LogAttrs()
	}
	return nil
}
