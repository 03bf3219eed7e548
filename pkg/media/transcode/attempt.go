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

// forget bounds the requests that clean up after the context has ended.
const forget = 5 * time.Second

// mostAlive is how long an attempt may be alive where its context has no deadline: the longest
// that an invocation of SCF takes, an asynchronous one.
const mostAlive = 24 * time.Hour

// untilLayout is that of the time in the name of an attempt, in UTC.
const untilLayout = "20060102T150405Z"

// attemptPrefix begins the names of the attempts at a job of which that many outputs are open. One
// that has made some of them got on, so what it tries next begins anew.
func attemptPrefix(state string, open int) string { return fmt.Sprintf("%sattempt-%02d-", state, open) }

// attempted does a piece of work that may kill the process: before it an attempt is put, which
// says until when it may be alive, and after it removed, whatever its end but a kill or the end of
// the context's time. An attempt that may still be alive does not count: it is another delivery that
// is at the same job. work is given ErrKills, in an InputError, where as many count as there may be.
func (e *Engine) attempted(
	ctx context.Context, state string, open int, result Result, work func(killed error) (Result, error),
) (Result, error) {
	now, prefix := e.Now(), attemptPrefix(state, open)
	var before []string // of all deliveries that began before this one
	over := 0
	for o, err := range e.Bucket.List(ctx, cos.ListOptions{Prefix: state + "attempt-"}) {
		if err != nil {
			return result, err
		}
		before = append(before, o.Key)
		if rest, same := strings.CutPrefix(o.Key, prefix); same && !alive(rest, now) {
			over++
		}
	}
	var mine string
	var killed error
	if over >= e.Attempts {
		killed = &media.InputError{Err: fmt.Errorf("%w: it was tried %d times and each time its process was killed or had too little time: give the function more memory or time, or let the job be split", ErrKills, over)}
	} else {
		until, ok := ctx.Deadline()
		if !ok {
			until = now.Add(mostAlive)
		}
		mine = prefix + until.Add(forget).UTC().Format(untilLayout) + "-" + e.ID()
		if _, err := e.Bucket.Put(ctx, mine, strings.NewReader(""), cos.PutOptions{}); err != nil {
			return result, err
		}
		before = append(before, mine)
	}
	result, err := work(killed)
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), forget)
	defer cancel()
	switch {
	case err == nil: // it is done: those of killed processes count no more
		return result, e.Bucket.Delete(after, before...)
	case mine == "", errors.Is(ctx.Err(), context.DeadlineExceeded):
		// why: a job that has too little time would be tried for ever. Any other end of time, as that of
		// a request, is not the job's.
		return result, err
	}
	return result, errors.Join(err, e.Bucket.Delete(after, mine))
}

// alive says whether the process of an attempt may still be there, by the rest of its name.
func alive(rest string, now time.Time) bool {
	text, _, _ := strings.Cut(rest, "-")
	until, err := time.Parse(untilLayout, text)
	return err == nil && now.Before(until)
}
