package cost

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Month is what a month is here: 30 days.
const Month = 30 * 24 * time.Hour

// Use is what a function uses in a month, as it is billed.
type Use struct {
	Function  string  `json:"function"`
	MemoryMB  int     `json:"memoryMb"`
	Calls     float64 `json:"calls"`
	GBSeconds float64 `json:"gbSeconds"`
	EgressGB  float64 `json:"egressGb"` // to the internet, in GB of 2^30 bytes; inside of a private network none
}

// Invocation is what is needed of one that was measured: the JSON of
// emulator.Invocation, which `etl up --record` and `etl invoke -o json` write.
type Invocation struct {
	Function string        `json:"function"`
	Start    time.Time     `json:"start"`
	Duration time.Duration `json:"duration"`
	BilledMS int64         `json:"billedMs"`
	MemoryMB int           `json:"memoryMb"`
}

// Read reads invocations: JSON values one after the other, each an invocation. One
// that lacks what is billed is an error with its number.
func Read(r io.Reader) ([]Invocation, error) {
	decoder := json.NewDecoder(r)
	var all []Invocation
	for {
		var i Invocation
		err := decoder.Decode(&i)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err == nil && (i.Function == "" || i.MemoryMB <= 0 || i.BilledMS < 0 || i.Start.IsZero()) {
			err = errors.New("it has no function, start or memoryMb, as those of etl up --record have")
		}
		if err != nil {
			return nil, fmt.Errorf("invocation %d: %w", len(all)+1, err)
		}
		all = append(all, i)
	}
}

// MinWindow is the shortest time that Measured makes a month of by itself.
const MinWindow = time.Minute

// Measured makes a month of invocations, as if all of it were like the window in
// which they were made. A window of 0 is from the beginning of the first to the end
// of the last; one under MinWindow is an error then. Egress is not measured.
func Measured(all []Invocation, window time.Duration) ([]Use, error) {
	if len(all) == 0 {
		return nil, errors.New("there are no invocations")
	}
	if window == 0 {
		window = span(all)
		if window < MinWindow {
			return nil, fmt.Errorf("the invocations cover %v, too little to make a month of: say with a window for how much they stand",
				window.Round(time.Millisecond))
		}
	}
	if window < 0 {
		return nil, fmt.Errorf("a window of %v is none", window)
	}
	months := float64(Month) / float64(window)
	byKey := map[string]*Use{}
	for _, i := range all {
		key := fmt.Sprintf("%s/%05d", i.Function, i.MemoryMB)
		u := byKey[key]
		if u == nil {
			u = &Use{Function: i.Function, MemoryMB: i.MemoryMB}
			byKey[key] = u
		}
		u.Calls += months
		u.GBSeconds += months * gbSeconds(i.MemoryMB, i.BilledMS)
	}
	uses := make([]Use, 0, len(byKey))
	for _, u := range byKey {
		uses = append(uses, *u)
	}
	slices.SortFunc(uses, func(a, b Use) int {
		if c := strings.Compare(a.Function, b.Function); c != 0 {
			return c
		}
		return a.MemoryMB - b.MemoryMB
	})
	return uses, nil
}

// span is the time from the beginning of the first invocation to the end of the last.
func span(all []Invocation) time.Duration {
	first, last := all[0].Start, all[0].Start
	for _, i := range all {
		if i.Start.Before(first) {
			first = i.Start
		}
		if end := i.Start.Add(i.Duration); end.After(last) {
			last = end
		}
	}
	return last.Sub(first)
}

func gbSeconds(memoryMB int, billedMS int64) float64 {
	return float64(memoryMB) / 1024 * float64(billedMS) / 1000
}
