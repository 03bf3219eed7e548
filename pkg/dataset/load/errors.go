package load

import (
	"context"
	"errors"
	"fmt"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

var (
	// ErrRecreated: the topic was deleted and created again since it was loaded: its offsets would come a second time.
	ErrRecreated = errors.New("the topic was deleted and created again")
	// ErrGap: records were deleted from the source before they were loaded.
	ErrGap = errors.New("records were deleted before they were loaded")
	// ErrNotStable: the next record is in a transaction that is open.
	ErrNotStable = errors.New("a transaction in the source is open")
	// ErrRefused: a record does not fit, and there is no dead letter.
	ErrRefused = errors.New("the record does not fit the schema")
	// ErrTime: there was no time left; the next invocation goes on.
	ErrTime = errors.New("there is no time left")
)

// Lasting gives those faults of an error of [Loader.Load] or [Loader.LoadAll] that more time does not mend: all that
// are not [ErrTime]. It is nil where there is none.
func Lasting(err error) error {
	if !errors.Is(err, ErrTime) {
		return err
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	var lasting []error
	for _, fault := range joined.Unwrap() {
		if !errors.Is(fault, ErrTime) {
			lasting = append(lasting, fault)
		}
	}
	return errors.Join(lasting...)
}

// timely makes an error [ErrTime] where the end of the context is its reason: that may have come in the middle of a
// call as well as between two.
func timely(ctx context.Context, err error) error {
	ended := kafka.Ended(ctx)
	if err == nil || ended == nil || errors.Is(err, ErrTime) {
		return err
	}
	if errors.Is(err, ended) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return fmt.Errorf("%w: %w", ErrTime, err)
	}
	return err
}

// GapError says which offsets are missing.
type GapError struct {
	Topic       string
	Partition   int32
	First, Last int64
	// Begun says that an entry of the log has them: some or all of their rows may be in the dataset, and nobody can
	// find out.
	Begun bool
}

// Error names the offsets, and what can be done.
func (e *GapError) Error() string {
	if e.Begun {
		return fmt.Sprintf(
			"load %s/%d: %v: offsets %d to %d, whose load was begun and not finished; keep records for longer, and set "+
				"GAPS=record to leave what is missing of them and go on",
			e.Topic,
			e.Partition,
			ErrGap,
			e.First,
			e.Last,
		)
	}
	return fmt.Sprintf(
		"load %s/%d: %v: offsets %d to %d; keep records for longer, and set GAPS=record to go on behind them",
		e.Topic,
		e.Partition,
		ErrGap,
		e.First,
		e.Last,
	)
}

// Unwrap gives [ErrGap].
func (e *GapError) Unwrap() error { return ErrGap }
