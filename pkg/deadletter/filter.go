package deadletter

import (
	"bytes"
	"strings"
	"time"
)

// Filter chooses letters. The zero value chooses all; each field that is set
// chooses fewer.
type Filter struct {
	Reason   Reason
	Function string // as deployed, or the end of it behind a hyphen: its name in serverless.yml
	Topic    string // of the record
	Error    string // is a part of the letter's
	Key      []byte // of the record; empty is one, nil is none
	Since    time.Time
	Until    time.Time // before that
}

// Match says whether the filter chooses a letter.
func (f Filter) Match(l Letter) bool {
	return (f.Reason == "" || f.Reason == l.Reason) &&
		(f.Function == "" || f.Function == l.Function || strings.HasSuffix(l.Function, "-"+f.Function)) &&
		(f.Topic == "" || f.Topic == l.Topic) &&
		strings.Contains(l.Error, f.Error) &&
		(f.Key == nil || l.Record.Key != nil && bytes.Equal(f.Key, l.Record.Key)) &&
		(f.Since.IsZero() || !l.At.Before(f.Since)) &&
		(f.Until.IsZero() || l.At.Before(f.Until))
}
