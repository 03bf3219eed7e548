package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/scf-etl/scf-etl/pkg/event"
)

// Event asks for a restore: by hand, or as the body of a POST to the function's URL. A GET
// asks for the plan of one.
type Event struct {
	Request
}

// Request says what is restored.
type Request struct {
	Cluster string `json:"cluster,omitempty"` // whose backup; needed where there are several
	Job     string `json:"job,omitempty"`     // name of the restore: the same one goes on where it was

	Topics  []string          `json:"topics,omitempty"`  // regular expressions; none is all
	Exclude []string          `json:"exclude,omitempty"` // regular expressions
	Rename  map[string]string `json:"rename,omitempty"`  // names of topics in the target

	// Partitions are those to restore of the topics in it; where Topics says nothing, no
	// other topics.
	Partitions map[string][]int32 `json:"partitions,omitempty"`
	// Groups are those whose positions are set: none, all, or a regular expression; "" is
	// all, in topics that keep their name.
	Groups string `json:"groups,omitempty"`

	Time   time.Time `json:"time,omitzero"`    // to this moment
	Backup int64     `json:"backup,omitempty"` // to this backup

	Plan        bool `json:"plan,omitempty"` // say what would be done, and do nothing
	SkipDamaged bool `json:"skip_damaged,omitempty"`
	Unlimited   bool `json:"keep_for_ever,omitempty"` // topics without retention

	IntoTopicsThatHoldRecords bool `json:"into_topics_that_hold_records,omitempty"`
}

// UnmarshalJSON tells a request to the URL from one by hand. What it does not know is an
// error: a misspelt member would restore something else.
func (e *Event) UnmarshalJSON(payload []byte) error {
	*e = Event{}
	var kind struct {
		Method *string `json:"httpMethod"`
	}
	if json.Unmarshal(payload, &kind) != nil || kind.Method == nil {
		return e.decode(payload)
	}
	var asked event.HTTP
	if err := asked.UnmarshalJSON(payload); err != nil {
		return err
	}
	switch {
	case asked.Method != http.MethodPost && asked.Method != http.MethodGet:
		return fmt.Errorf("restore: the method is %s: want POST, or GET for a plan", asked.Method)
	case len(bytes.TrimSpace(asked.Body)) > 0:
		if err := e.decode(asked.Body); err != nil {
			return err
		}
	}
	e.Plan = e.Plan || asked.Method == http.MethodGet
	return nil
}

func (e *Event) decode(payload []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&e.Request); err != nil {
		return fmt.Errorf("restore: the request is wrong: %w", err)
	}
	return nil
}

// LogAttrs describes the event for the log line of its invocation.
func (e Event) LogAttrs() []slog.Attr {
	return []slog.Attr{
		slog.String("job", e.Job),
		slog.Any("topics", e.Topics),
		slog.Time("to", e.Time),
		slog.Int64("backup", e.Backup),
		slog.Bool("plan", e.Plan),
	}
}
