package extract

import (
	"strconv"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/transform"
)

const (
	// defaultDelay is how long rows wait for transactions that commit late, where the file
	// does not say it.
	defaultDelay = 10 * time.Second
	longestDelay = 24 * time.Hour

	delayUnsaid = -1
)

// readDelay reads a delay, which 0 is one of, too.
func readDelay(t transform.Table) time.Duration {
	d := t.Get("delay")
	if d.IsText() && (d.Text("delay") == "0" || d.Text("delay") == "0s") {
		return 0
	}
	return t.Duration("delay", delayUnsaid)
}

// age is how old a row has to be, by a column that is a time, before it is read: as long
// as delay says, and until no other row can get the same time. One that gets it later, with
// a smaller key, would be passed over.
func (f databaseFile) age(c column, digits int) time.Duration {
	delay := f.delay
	if delay == delayUnsaid {
		delay = defaultDelay
	}
	return delay + unit(c, digits)
}

// unit is how far a time is from the next one that a column can hold. digits are those of
// seconds in a column that does not say them.
func unit(c column, digits int) time.Duration {
	if strings.EqualFold(c.kind, "date") {
		return 24 * time.Hour
	}
	if _, text, ok := strings.Cut(c.full, "("); ok {
		text, _, _ = strings.Cut(text, ")")
		digits, _ = strconv.Atoi(text) // 0 is the coarsest
	}
	unit := time.Second
	for range digits {
		unit /= 10
	}
	return max(unit, time.Microsecond)
}
