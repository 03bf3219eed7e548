package scf_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/adhocore/gronx"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// TestCronBesideAPeer compares with github.com/adhocore/gronx, on what both take and mean the same by: see
// [cronMaker] for what is left out. Is the next time one that the peer fires at, and no moment before it? The peer's own
// search for the next time is slow, and asked of a part.
func TestCronBesideAPeer(t *testing.T) {
	t.Parallel()
	const expressions, workers, searched = 100_000, 4, 50
	var group sync.WaitGroup
	for worker := range uint64(workers) {
		group.Go(func() {
			peer := cronPeer{t, gronx.New(), cronMaker{rand.New(rand.NewPCG(20261127, worker))}}
			fired := 0
			for i := 0; i < expressions/workers && !t.Failed(); i++ {
				text, after := peer.random.expression(), peer.random.moment()
				if peer.compare(text, after) {
					fired++
				}
				if i%searched == 0 {
					peer.search(text, after)
				}
			}
			if least := expressions / workers / 2; fired < least && !t.Failed() {
				t.Errorf("%d expressions of %d fire at all", fired, expressions/workers)
			}
		})
	}
	group.Wait()
}

type cronPeer struct {
	*testing.T
	peer   *gronx.Gronx
	random cronMaker
}

func (p cronPeer) parse(text string) (scf.Cron, bool) {
	c, err := scf.ParseCron(text)
	if err != nil && !strings.Contains(err.Error(), "never fires") {
		p.Errorf("%q: %v", text, err)
	}
	return c, err == nil
}

// due asks the peer.
func (p cronPeer) due(text string, at time.Time) bool {
	due, err := p.peer.IsDue(text, at)
	if err != nil {
		p.Errorf("%q at %v: the peer says %v", text, at, err)
	}
	return due
}

// compare says whether the expression fires again.
func (p cronPeer) compare(text string, after time.Time) bool {
	c, ok := p.parse(text)
	next, fires := c.Next(after)
	until := after.AddDate(8, 0, 0)
	if ok && fires {
		until = next
		if !p.due(text, next) {
			p.Errorf("%q after %v: got %v, which the peer leaves out", text, after, next)
		}
	}
	between := after.Add(time.Second * time.Duration(p.random.Int64N(until.Unix()-after.Unix())))
	for _, at := range []time.Time{after.Add(time.Second), between, until.Add(-time.Second)} {
		if at.After(after) && at.Before(until) && at.Year() <= scf.MaxCronYear && p.due(text, at) {
			p.Errorf("%q after %v: got %v, %v; the peer fires at %v", text, after, next, fires, at)
		}
	}
	return ok && fires
}

// search compares with what the peer finds, which looks no further than so many steps.
func (p cronPeer) search(text string, after time.Time) {
	c, _ := p.parse(text)
	want, err := gronx.NextTickAfter(text, after, false)
	if err != nil {
		return
	}
	got, ok := c.Next(after)
	never := want.Year() > scf.MaxCronYear // its years have no end
	if ok == never || ok && !got.Equal(want) {
		p.Errorf("%q after %v:\ngot  %v, %v\nwant %v", text, after, got, ok, want)
	}
}

// cronMaker makes expressions. The peer takes day and weekday together where the one begins with * or the other with
// */, so these stand alone here; it counts the steps of */ in years from 0 on, and takes a weekday 7, so there are none.
type cronMaker struct{ *rand.Rand }

func (m cronMaker) moment() time.Time {
	first := time.Date(1990, 1, 1, 0, 0, 0, 0, scf.CronZone()).Unix()
	return time.Unix(first+m.Int64N(90*365*24*60*60), 0).In(scf.CronZone())
}

func (m cronMaker) expression() string {
	months := []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
	weekdays := []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}
	day, weekday := "*", "*"
	switch m.IntN(4) {
	case 0: // both of them: one is enough
		day, weekday = m.named(1, 31, nil), m.named(0, 6, weekdays)
	case 1:
		day = m.field(1, 31, nil)
	case 2:
		weekday = m.field(0, 6, weekdays)
	}
	fields := []string{m.field(0, 59, nil), m.field(0, 59, nil), m.field(0, 23, nil), day, m.field(1, 12, months), weekday, "*"}
	switch m.IntN(8) {
	case 0:
		fields[6] = m.named(1995, 2099, nil)
	case 1:
		fields = fields[1:6] // five fields
	}
	return strings.Join(fields, " ")
}

// field is any form of a field.
func (m cronMaker) field(least, most int, names []string) string {
	switch m.IntN(6) {
	case 0, 1:
		return "*"
	case 2:
		return fmt.Sprintf("*/%d", 1+m.IntN(most))
	}
	return m.named(least, most, names)
}

// named is a list of values, ranges and steps.
func (m cronMaker) named(least, most int, names []string) string {
	var parts []string
	for range 1 + m.IntN(3) {
		first := least + m.IntN(most-least+1)
		last := first + m.IntN(most-first+1)
		switch m.IntN(5) {
		case 0:
			parts = append(parts, fmt.Sprintf("%d-%d/%d", first, last, 1+m.IntN(most-least)))
		case 1:
			parts = append(parts, fmt.Sprintf("%d/%d", first, 1+m.IntN(most-least)))
		case 2:
			parts = append(parts, m.value(first, least, names)+"-"+m.value(last, least, names))
		default:
			parts = append(parts, m.value(first, least, names))
		}
	}
	return strings.Join(parts, ",")
}

func (m cronMaker) value(v, least int, names []string) string {
	if names != nil && m.IntN(2) == 0 {
		return names[v-least]
	}
	return fmt.Sprint(v)
}
