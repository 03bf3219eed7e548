package report

import (
	"math"
	"time"

	"github.com/scf-etl/scf-etl/pkg/webhook"
)

// Summary is what a message says of a report: its numbers and how they changed.
type Summary struct {
	Report  string          `json:"report"`
	Title   string          `json:"title"`
	Period  Period          `json:"period"`
	Numbers []SummaryNumber `json:"numbers"`
	Page    string          `json:"page,omitempty"` // links
	Data    string          `json:"data,omitempty"`
	Expires time.Time       `json:"expires,omitzero"` // of the links
}

// SummaryNumber is one of its numbers.
type SummaryNumber struct {
	Title  string   `json:"title"`
	Value  Value    `json:"value"`
	Before Value    `json:"before"`
	Change *float64 `json:"change"`
	Text   string   `json:"text"` // for people
}

// Summary sums a report up. page and data are links to it, or empty.
func (r *Report) Summary(page, data string, expires time.Time) Summary {
	s := Summary{Report: r.Name, Title: r.Title, Period: r.Period, Numbers: []SummaryNumber{}, Page: page, Data: data, Expires: expires}
	w := r.Language.words()
	for _, p := range r.Parts {
		if p.Figure == nil {
			continue
		}
		n := numberOf(p, w)
		text := n.Value
		if n.Change != "" {
			text += " (" + joined(n.Arrow, n.Change) + ")"
		}
		s.Numbers = append(s.Numbers, SummaryNumber{p.Title, p.Value, p.Figure.Before, p.Change, text})
	}
	return s
}

func joined(arrow, text string) string {
	if arrow == "" {
		return text
	}
	return arrow + " " + text
}

// Message is the summary for a webhook.
func (s Summary) Message(language Language) webhook.Message {
	m := webhook.Message{Title: s.Title + " – " + s.Period.Label, Data: s}
	for _, n := range s.Numbers {
		m.Lines = append(m.Lines, webhook.Line{Name: n.Title, Text: n.Text})
	}
	w := language.words()
	for _, l := range []webhook.Link{{Text: w.Page, URL: s.Page}, {Text: "JSON", URL: s.Data}} {
		if l.URL != "" {
			m.Links = append(m.Links, l)
		}
	}
	return m
}

// points are the difference of two shares, in hundredths of the whole.
func points(v float64) string { return digits(math.Abs(v)*100, true) }

// change is a change as a share that can be shown.
func change(v float64) string { return Percent.float(math.Abs(v), true) }
