package report

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/yamlfile"
)

// Period is a time from From on, before To. Both are in the zone of the report.
type Period struct {
	Label    string // of a page's address: 2026-11-26, 2026-W48, 2026-11, 2026-11-26T09, or first--last
	From, To time.Time
}

// rule makes the period of a moment.
type rule struct {
	unit     string // hour, day, week, month; empty where it is fixed
	back     int    // units before that of the moment at which it begins
	count    int    // units that it has
	from, to time.Time
}

// lastMost is how many hours or days a period has at most.
const lastMost = 10_000

var lastSome = regexp.MustCompile(`^last ([1-9][0-9]{0,4}) (hour|day)s?$`)

// named are the periods that one word names.
func named(text string) (rule, bool) {
	switch text {
	case "today":
		return rule{unit: "day", count: 1}, true
	case "yesterday":
		return rule{unit: "day", back: 1, count: 1}, true
	}
	which, unit, _ := strings.Cut(text, " ")
	switch unit {
	case "hour", "week", "month":
	default:
		return rule{}, false
	}
	switch which {
	case "this":
		return rule{unit: unit, count: 1}, true
	case "last":
		return rule{unit: unit, back: 1, count: 1}, true
	}
	return rule{}, false
}

const periodForms = "write one of: this hour, last hour, today, yesterday, this week, last week, this month, last month, last 24 hours, last 7 days, " +
	"or {from: 2026-11-01, to: 2026-12-01}"

func (l *loader) period(n *yamlfile.Node, zone *time.Location) rule {
	if n.Kind == yamlfile.Mapping {
		return l.fixed(n, zone)
	}
	text := l.Text(n, "range")
	if r, ok := named(text); ok {
		return r
	}
	if found := lastSome.FindStringSubmatch(text); found != nil {
		if count, err := strconv.Atoi(found[1]); err == nil && count <= lastMost {
			return rule{unit: found[2], back: count, count: count}
		}
	}
	if n.Kind == yamlfile.Scalar {
		l.Fault(n, periodForms, "range %q is no period", text)
	}
	return rule{}
}

func (l *loader) fixed(n *yamlfile.Node, zone *time.Location) (r rule) {
	t := l.Table(n, "range", "from", "to")
	for key, at := range map[string]*time.Time{"from": &r.from, "to": &r.to} {
		if v := t.Need(key); v != nil {
			*at = l.moment(v, key, zone)
		}
	}
	if !r.from.IsZero() && !r.to.IsZero() && !r.from.Before(r.to) {
		l.Fault(n, "to is the first moment that is not in it", "the range ends before it begins")
	}
	return r
}

// moments are the forms in which a file has a moment.
func moments() []string {
	return []string{time.DateOnly, "2006-01-02T15:04", "2006-01-02T15:04:05", time.RFC3339, time.DateTime}
}

func parseMoment(text string, zone *time.Location) (time.Time, bool) {
	for _, layout := range moments() {
		if at, err := time.ParseInLocation(layout, text, zone); err == nil && at.Year() >= 1 && at.Year() <= 9998 {
			return at.In(zone), true
		}
	}
	return time.Time{}, false
}

func (l *loader) moment(n *yamlfile.Node, what string, zone *time.Location) time.Time {
	at, ok := parseMoment(l.Text(n, what), zone)
	if !ok {
		l.Fault(n, "write 2026-11-01, 2026-11-01T12:00 or 2026-11-01T12:00:00+08:00", "%s is no moment", what)
	}
	return at
}

// Period is that of a report that is made at a moment, and the one before it, which changes are measured against.
func (s *Spec) Period(at time.Time) (period, before Period) {
	r := s.Time.period
	if r.unit == "" {
		return fixedPeriod(r.from, r.to), fixedPeriod(stepBack(r.from, r.to), r.from)
	}
	start := begin(at.In(s.Time.Zone), r.unit)
	from := step(start, r.unit, -r.back)
	to := step(from, r.unit, r.count)
	earlier := step(from, r.unit, -r.count)
	return Period{label(from, to, r), from, to}, Period{label(earlier, from, r), earlier, from}
}

// stepBack is where the period before [from, to) begins: as many days, or as long.
func stepBack(from, to time.Time) time.Time {
	days := int(to.Sub(from).Round(24*time.Hour) / (24 * time.Hour))
	if from.AddDate(0, 0, days).Equal(to) {
		return from.AddDate(0, 0, -days)
	}
	return from.Add(from.Sub(to))
}

// begin is when the unit of a moment has begun.
func begin(at time.Time, unit string) time.Time {
	year, month, day := at.Date()
	switch unit {
	case "hour":
		// why not Truncate, or Date: zones are not whole hours apart, and an hour comes twice when clocks are set back
		return at.Add(-time.Duration(at.Minute())*time.Minute - time.Duration(at.Second())*time.Second -
			time.Duration(at.Nanosecond()))
	case "week":
		day -= (int(at.Weekday()) + 6) % 7
	case "month":
		day = 1
	}
	return time.Date(year, month, day, 0, 0, 0, 0, at.Location())
}

func step(at time.Time, unit string, n int) time.Time {
	switch unit {
	case "hour":
		return at.Add(time.Duration(n) * time.Hour)
	case "week":
		return at.AddDate(0, 0, 7*n)
	case "month":
		return at.AddDate(0, n, 0)
	}
	return at.AddDate(0, 0, n)
}

// label names a period, with characters that every address takes.
func label(from, to time.Time, r rule) string {
	switch {
	case r.unit == "hour":
		text := hourLabel(from)
		if r.count > 1 {
			text += "--" + hourLabel(to.Add(-time.Hour))
		}
		return text
	case r.unit == "week":
		year, week := from.ISOWeek()
		return fmt.Sprintf("%d-W%02d", year, week)
	case r.unit == "month":
		return from.Format("2006-01")
	}
	return fixedPeriod(from, to).Label
}

// hourLabel tells the second of two hours with the same name, when clocks are set back, from the first.
func hourLabel(at time.Time) string {
	text := at.Format("2006-01-02T15")
	if at.Add(-time.Hour).Hour() == at.Hour() {
		text += "b"
	}
	return text
}

func fixedPeriod(from, to time.Time) Period {
	p := Period{From: from, To: to}
	first, last := from.Format(time.DateOnly), to.Add(-1).Format(time.DateOnly)
	switch {
	case !begin(from, "day").Equal(from) || !begin(to, "day").Equal(to):
		p.Label = from.Format("2006-01-02T150405") + "--" + to.Format("2006-01-02T150405")
	case first == last:
		p.Label = first
	default:
		p.Label = first + "--" + last
	}
	return p
}
