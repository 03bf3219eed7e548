package transcode

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/media"
)

// ErrKills says that a job has killed its process as often as it may.
var ErrKills = errors.New("the job kills its process")

// attemptName begins the names of attempts below the state of a job.
const attemptName = "attempt-"

// forget bounds the requests that remove an attempt after the context has ended.
const forget = 5 * time.Second

// attempted does a piece of work that may kill the process: before it an attempt is put, after it
// removed, whatever its end but a kill or the end of its time. work is given ErrKills, in an InputError, where attempts of
// that many killed processes are there.
func (e *Engine) attempted(ctx context.Context, state string, result Result, work func(killed error) (Result, error)) (Result, error) {
	var mine string
	before := 0
	for _, err := range e.Bucket.List(ctx, cos.ListOptions{Prefix: state + attemptName}) {
		if err != nil {
			return result, err
		}
		before++
	}
	var killed error
	if before >= e.Attempts {
		killed = &media.InputError{Err: fmt.Errorf("%w: it was tried %d times and each time its process was killed or had too little time: give the function more memory or time, or let the job be split", ErrKills, before)}
	} else {
		mine = fmt.Sprintf("%s%s%04d", state, attemptName, before+1)
		if _, err := e.Bucket.Put(ctx, mine, strings.NewReader(""), cos.PutOptions{}); err != nil {
			return result, err
		}
	}
	result, err := work(killed)
	over, cancel := context.WithTimeout(context.WithoutCancel(ctx), forget)
	defer cancel()
	switch {
	case err == nil: // it is done: those of killed processes count no more
		return result, e.remove(over, state+attemptName, nil)
	case mine == "", errors.Is(err, context.DeadlineExceeded):
		return result, err // why: a job that has too little time would be tried for ever
	}
	return result, errors.Join(err, e.Bucket.Delete(over, mine))
}
