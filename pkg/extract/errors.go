package extract

import (
	"errors"
	"fmt"
	"time"
)

// What can be wrong with a source, to be told apart with errors.Is. The text says where,
// and what was committed before.
var (
	// ErrSource: the source gave no answer, or none that can be used.
	ErrSource = errors.New("the source gave nothing usable")
	// ErrRepeated: the source gives the same page or cursor again and again.
	ErrRepeated = errors.New("the source goes round in a circle")
	// ErrChanged: records that were taken are not what they were.
	ErrChanged = errors.New("what was taken from the source has changed there")
	// ErrSchema: the records have another form than before, or than the file says.
	ErrSchema = errors.New("the form of the source's records has changed")
	// ErrClock: the clock of the source is behind what was taken from it.
	ErrClock = errors.New("the clock of the source was moved back")
	// ErrPolicy: the source points to where the file does not let the job go.
	ErrPolicy = errors.New("not allowed by redirects")
	// ErrCursor: the committed cursor belongs to another source.
	ErrCursor = errors.New("the committed cursor does not fit the file")
	// ErrCursorTooLong: the cursor does not fit where it is kept.
	ErrCursorTooLong = fmt.Errorf("the cursor is longer than the %d bytes that brokers keep with an offset", maxCursor)
	// ErrRecreated: the output's topic is another one than that of the cursor.
	ErrRecreated = errors.New("the topic was deleted and created again")
)

// waitError says that the source is to be left alone for longer than there is time.
type waitError struct {
	until time.Time
	why   string
}

func (e *waitError) Error() string {
	return fmt.Sprintf("the source asks to wait until %s (%s)", e.until.UTC().Format(time.RFC3339), e.why)
}

// permanent marks an error of the source that the same request will bring again.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// refusal is an [ErrSource] that another try does not mend.
func refusal(format string, arguments ...any) error {
	return permanent{fmt.Errorf("%w: %w", ErrSource, fmt.Errorf(format, arguments...))}
}
