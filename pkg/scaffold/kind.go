package scaffold

import (
	"fmt"
	"slices"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/fn"
	"github.com/scf-etl/scf-etl/pkg/job"
)

// kind is what the templates of a kind of trigger do not say themselves.
type kind struct {
	trigger  string
	does     string // what the function does, as a template
	promise  string // what the platform does with an event
	sample   string // the kind of the event in testdata; "" for none
	settings []fn.Setting
}

// kinds are those that there are templates for.
func kinds() []kind {
	return []kind{
		{
			trigger:  "kafka",
			does:     "passes on the records of a topic whose value is JSON",
			settings: fn.Describe[job.Config](),
		},
		{
			trigger: "timer",
			does:    "says what is kept no longer",
			promise: "The platform sends an event each time that the timer is due, and twice more\n" +
				"where the function fails. An event holds the time at which it was due.",
			sample:   event.KindTimer,
			settings: []fn.Setting{{Key: "RETAIN", Default: "720h", Doc: "how long something is kept"}},
		},
		{
			trigger: "cos",
			does:    "lists the objects that were written to a bucket",
			promise: "The platform sends an event for each object, at least once and in no certain\n" +
				"order, and twice more where the function fails.",
			sample:   event.KindCOS,
			settings: []fn.Setting{{Key: "SUFFIX", Doc: "end of the keys of the objects that count; empty for all"}},
		},
		{
			trigger: "http",
			does:    "answers requests to its URL",
			promise: "The platform sends each request once, and the answer is the response. A client may\n" +
				"repeat a request.",
			sample:   event.KindHTTP,
			settings: []fn.Setting{{Key: "GREETING", Default: "hello", Doc: "the beginning of the answer"}},
		},
	}
}

// Triggers lists the kinds of trigger that a function can be made for.
func Triggers() []string {
	var all []string
	for _, k := range kinds() {
		all = append(all, k.trigger)
	}
	return all
}

func kindOf(trigger string) (kind, error) {
	all := kinds()
	i := slices.IndexFunc(all, func(k kind) bool { return k.trigger == trigger })
	if i < 0 {
		return kind{}, fmt.Errorf("%w: %q, want one of %s", ErrTrigger, trigger, strings.Join(Triggers(), ", "))
	}
	return all[i], nil
}
