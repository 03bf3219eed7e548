package deadletter

import (
	"strconv"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// Redrive is what a record carries that was sent on its way again, in headers of
// its own. It is zero for every other record.
type Redrive struct {
	Count int    // how often, this time included
	ID    string // of this sending: RUN/PARTITION:OFFSET, the position being the letter's
	// Function could not handle the record, and is the one that it is meant for.
	Function string
}

// Headers of a record that was sent on its way again. They come behind its own.
const (
	redrivePrefix = "etl.redrive."

	headerRedriveID    = redrivePrefix + "id"
	headerRedriveCount = redrivePrefix + "count"

	headerRedriveFunction = redrivePrefix + "function"
)

// TakeRedrive gives a record as it was before it was sent on its way again, and
// what it carries about that. A record that carries nothing is given back as it
// is, without an allocation. What is not a number counts as 0: nobody but a
// redrive writes such headers.
func TakeRedrive(r batch.Record) (batch.Record, Redrive) {
	for i := range r.Headers {
		if strings.HasPrefix(r.Headers[i].Key, redrivePrefix) {
			return takeRedrive(r)
		}
	}
	return r, Redrive{}
}

func takeRedrive(r batch.Record) (batch.Record, Redrive) {
	var redrive Redrive
	var own []batch.Header
	for _, h := range r.Headers {
		switch {
		case !strings.HasPrefix(h.Key, redrivePrefix):
			own = append(own, h)
		case h.Key == headerRedriveID:
			redrive.ID = string(h.Value)
		case h.Key == headerRedriveCount:
			if n, err := strconv.Atoi(string(h.Value)); err == nil {
				redrive.Count = max(n, 0)
			}
		case h.Key == headerRedriveFunction:
			redrive.Function = string(h.Value)
		}
	}
	r.Headers = own
	return r, redrive
}

// put gives the record with the headers that TakeRedrive takes off.
func (d Redrive) put(r batch.Record) batch.Record {
	headers := make([]batch.Header, 0, len(r.Headers)+3)
	headers = append(headers, r.Headers...)
	r.Headers = append(headers,
		batch.Header{Key: headerRedriveID, Value: []byte(d.ID)},
		batch.Header{Key: headerRedriveCount, Value: strconv.AppendInt(nil, int64(d.Count), 10)},
		batch.Header{Key: headerRedriveFunction, Value: []byte(d.Function)})
	return r
}
