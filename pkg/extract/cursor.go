package extract

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// maxCursor is offset.metadata.max.bytes of a broker that is not told otherwise.
const maxCursor = 4096

// Group is the consumer group that holds the cursor of a job, as the metadata of the
// offset committed for partition 0 of the output's topic. It is also the job's
// transactional id. A job's name has no dot, so none is the group of a copy.
func Group(job string) string { return "etl." + job }

// CheckJob refuses what cannot be the name of a job.
func CheckJob(name string) error { return mirror.CheckJob(name) }

// cursorVersion is that of the form below: another one is refused, never guessed.
const cursorVersion = 1

// cursor is how far a job is. The zero value is that of a job that never ran.
type cursor struct {
	Version int             `json:"v"`
	Kind    string          `json:"kind"`            // of the source and its paging: another one cannot read State
	Topic   string          `json:"topic,omitempty"` // id of the output's topic, where the cluster has ids
	At      int64           `json:"at,omitempty"`    // when it was committed, in seconds since 1970
	Until   int64           `json:"until,omitempty"` // the source wants to be left alone so long, in seconds since 1970
	State   json.RawMessage `json:"state,omitempty"` // of the source

	records int64 // handled before it: the offset
}

func (c cursor) encode() (string, error) {
	c.Version = cursorVersion
	text, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("write the cursor: %w", err)
	}
	if len(text) > maxCursor {
		return "", fmt.Errorf("%w: it has %d", ErrCursorTooLong, len(text))
	}
	return string(text), nil
}

// decodeCursor reads what encode wrote, for a source of a kind.
func decodeCursor(text string, records int64, kind string) (cursor, error) {
	c := cursor{records: records}
	if err := json.Unmarshal([]byte(text), &c); err != nil || c.Version != cursorVersion {
		return cursor{}, fmt.Errorf("%w: %.100q is none of this release: give the job another name, and it begins anew", ErrCursor, text)
	}
	if c.Kind != kind {
		return cursor{}, fmt.Errorf("%w: it is one of %s, and the file says %s: give the job another name, and it begins anew", ErrCursor, c.Kind, kind)
	}
	return c, nil
}

// longestUntil bounds how long a source can keep a job away from one firing to the next:
// after a clock was moved back the rest would be as long as that.
const longestUntil = 24 * time.Hour

// wait is how long the source wants to be left alone from now on.
func (c cursor) wait(now time.Time) time.Duration {
	left := time.Unix(c.Until, 0).Sub(now)
	if c.Until == 0 || left < 0 || left > longestUntil {
		return 0
	}
	return left
}
