package deadletter

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// Group is the letters of one reason, function and topic.
type Group struct {
	Reason   Reason `json:"reason"`
	Function string `json:"function"`
	Topic    string `json:"topic"` // of the records

	Open        int64 `json:"open"`
	Redriven    int64 `json:"redriven"`
	Interrupted int64 `json:"interrupted"`

	First time.Time `json:"first"` // in which a record failed
	Last  time.Time `json:"last"`

	Example Position `json:"example"` // of the first one, of those that are open where there are any
	Error   string   `json:"error"`   // of that letter
}

// Summary is what is in a dead-letter topic.
type Summary struct {
	Reading
	Groups []Group `json:"groups"` // those with the most open letters first
}

// Summary counts the letters of a selection that a filter chooses.
func (t Topic) Summary(ctx context.Context, sel Selection, filter Filter) (Summary, error) {
	s := Summary{Groups: []Group{}}
	log, err := t.Log(ctx)
	if err != nil {
		return s, err
	}
	type kind struct {
		reason          Reason
		function, topic string
	}
	at := map[kind]int{}
	s.Reading, err = t.Read(ctx, sel, func(f Found) error {
		if !filter.Match(f.Letter) {
			return nil
		}
		l := f.Letter
		i, ok := at[kind{l.Reason, l.Function, l.Topic}]
		if !ok {
			i = len(s.Groups)
			at[kind{l.Reason, l.Function, l.Topic}] = i
			s.Groups = append(s.Groups, Group{Reason: l.Reason, Function: l.Function, Topic: l.Topic, First: l.At, Last: l.At, Example: f.Position, Error: l.Error})
		}
		status, _ := log.Status(f)
		if g := &s.Groups[i]; status == Open && g.Open == 0 {
			g.Example, g.Error = f.Position, l.Error
		}
		s.Groups[i].add(l.At, status)
		return nil
	})
	slices.SortFunc(s.Groups, func(a, b Group) int {
		return cmp.Or(-cmp.Compare(a.Open, b.Open), a.Example.Compare(b.Example))
	})
	return s, err
}

func (g *Group) add(at time.Time, status Status) {
	switch status {
	case Open:
		g.Open++
	case Redriven:
		g.Redriven++
	case Interrupted:
		g.Interrupted++
	}
	if at.Before(g.First) {
		g.First = at
	}
	if at.After(g.Last) {
		g.Last = at
	}
}
