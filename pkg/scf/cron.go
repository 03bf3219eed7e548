package scf

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Years that the expression of a timer can name (583/9708).
const MinCronYear, MaxCronYear = 1970, 2099

// CronForms says in words what [ParseCron] takes.
const CronForms = "seven fields (second minute hour day month weekday year), or five without second and year"

// Cron says when a timer trigger fires (583/9708). Its fields are evaluated in UTC+8, by the second. A value is safe for
// use by several goroutines at once.
//
// It is own code because no kept library has these rules. Of those looked at in November 2026, robfig/cron v3 (MIT, last
// release 2020) has no year; adhocore/gronx v1.20 (MIT) wants both of day and weekday where the one begins with * or the
// other with */, and takes a weekday 7; hashicorp/cronexpr v1.1 (Apache-2.0) comes closest, but panics where a range of
// months goes backwards, reads the weekday 0-0 as the whole week, takes a weekday 7, drops fields beyond the seventh and may
// not be used by two goroutines at once. None says what is allowed in a field. A check of every field would have to stand
// before either, and that is most of what is below.
type Cron struct {
	text   string
	fields [7]cronField
}

// The places of the fields in an expression of seven.
const (
	cronSecond = iota
	cronMinute
	cronHour
	cronDay
	cronMonth
	cronWeekday
	cronYear
)

// cronField is one field: the values that it names.
type cronField struct {
	any   bool // it says *
	least int
	named []bool // by value, from least on
}

func (f cronField) has(value int) bool {
	i := value - f.least
	return i >= 0 && i < len(f.named) && f.named[i]
}

// Next gives the first time after the given one, at a whole second, that the expression names, in UTC+8; false where there
// is none any more, which is so when its years are over.
func (c Cron) Next(after time.Time) (time.Time, bool) {
	t := after.In(CronZone()).Truncate(time.Second).Add(time.Second)
	if t.Year() < MinCronYear {
		t = time.Date(MinCronYear, time.January, 1, 0, 0, 0, 0, t.Location())
	}
	// Each turn goes to the beginning of the next year, month, day, hour, minute or second. This zone never moves its clocks.
	for t.Year() <= MaxCronYear {
		year, month, day := t.Date()
		hour, minute, second := t.Clock()
		switch {
		case !c.fields[cronYear].has(year):
			year, month, day, hour, minute, second = year+1, time.January, 1, 0, 0, 0
		case !c.fields[cronMonth].has(int(month)):
			month, day, hour, minute, second = month+1, 1, 0, 0, 0
		case !c.onDay(t):
			day, hour, minute, second = day+1, 0, 0, 0
		case !c.fields[cronHour].has(hour):
			hour, minute, second = hour+1, 0, 0
		case !c.fields[cronMinute].has(minute):
			minute, second = minute+1, 0
		case !c.fields[cronSecond].has(second):
			second++
		default:
			return t, true
		}
		t = time.Date(year, month, day, hour, minute, second, 0, t.Location())
	}
	return time.Time{}, false
}

// onDay looks at day and weekday: where both are set, one of them is enough.
func (c Cron) onDay(t time.Time) bool {
	day, weekday := c.fields[cronDay], c.fields[cronWeekday]
	onDay, onWeekday := day.has(t.Day()), weekday.has(int(t.Weekday()))
	if day.any || weekday.any {
		return onDay && onWeekday
	}
	return onDay || onWeekday
}

// String gives the expression as it was written.
func (c Cron) String() string { return c.text }

// CronZone is where the fields are evaluated: UTC+8, all year.
func CronZone() *time.Location { return time.FixedZone("UTC+8", 8*60*60) }

// ParseCron reads the expression of a timer trigger: seven fields, or five, which stand for second 0 and any year
// (583/9708). A field is *, or values with commas between: a number, a name (JAN to DEC, SUN to SAT, in any case [?]), a
// range 1-5, which goes upwards, or a step: */10, 1-30/10, or 5/10, which is from 5 to the end of the field.
//
// The error is a [*CronError]. An expression that no time matches, such as one for February 30, is one too.
func ParseCron(text string) (Cron, error) {
	c := Cron{text: text}
	words := strings.Fields(text)
	if len(words) == 5 {
		words = append(append([]string{"0"}, words...), "*")
	}
	if len(words) != len(c.fields) {
		return Cron{}, &CronError{Value: text, Problem: fmt.Sprintf("has %d fields", len(words)), Allowed: CronForms}
	}
	for i, unit := range cronUnits() {
		field, err := unit.parse(words[i])
		if err != nil {
			return Cron{}, err
		}
		c.fields[i] = field
	}
	if _, ok := c.Next(time.Date(MinCronYear-1, time.December, 1, 0, 0, 0, 0, time.UTC)); !ok {
		return Cron{}, &CronError{Value: text, Problem: "never fires", Allowed: "a day that one of the months has, in one of the years"}
	}
	return c, nil
}

// cronUnit is what a field counts.
type cronUnit struct {
	name        string
	least, most int
	names       []string // of the values from least on; nil for none
}

func cronUnits() [7]cronUnit {
	return [7]cronUnit{
		{"second", 0, 59, nil},
		{"minute", 0, 59, nil},
		{"hour", 0, 23, nil},
		{"day", 1, 31, nil},
		{"month", 1, 12, []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}},
		{"weekday", 0, 6, []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}},
		{"year", MinCronYear, MaxCronYear, nil},
	}
}

// parse reads one field.
func (u cronUnit) parse(text string) (cronField, error) {
	f := cronField{least: u.least, named: make([]bool, u.most-u.least+1)}
	for _, part := range strings.Split(text, ",") {
		first, last, step, problem := u.part(part)
		if problem != "" {
			return cronField{}, &CronError{Field: u.name, Value: text, Problem: problem, Allowed: u.allowed(), Unknown: problem == cronUnknown}
		}
		for v := first; v <= last; v += step {
			f.named[v-u.least] = true
		}
		f.any = f.any || part == "*"
	}
	return f, nil
}

// part reads what stands between two commas; problem is empty where it can be read.
func (u cronUnit) part(text string) (first, last, step int, problem string) {
	values, every, stepped := strings.Cut(text, "/")
	from, to, ranged := strings.Cut(values, "-")
	switch {
	case values == "*":
		first, last = u.least, u.most
	case ranged:
		first, problem = u.value(from)
		if problem == "" {
			last, problem = u.value(to)
		}
		if problem == "" && first > last {
			problem = "has a range that ends before it begins"
		}
	default:
		first, problem = u.value(from)
		last = first
		if stepped {
			last = u.most
		}
	}
	if step = 1; stepped && problem == "" {
		if step = number(every); step < 1 || step > u.most {
			problem = fmt.Sprintf("has a step that is not 1 to %d", u.most)
		}
	}
	return first, last, step, problem
}

// cronUnknown is the problem of what the cloud may take all the same.
const cronUnknown = "has a form that this project does not know: ?, L, W and # stand in the Chinese manual alone"

// value reads one number or name.
func (u cronUnit) value(text string) (value int, problem string) {
	for i, name := range u.names {
		if strings.EqualFold(text, name) {
			return u.least + i, ""
		}
	}
	switch value = number(text); {
	case value >= u.least && value <= u.most:
		return value, ""
	case value >= 0:
		return 0, "is out of range"
	case (u.name == "day" || u.name == "weekday") && text != "" && strings.Trim(text, "0123456789?LW#") == "":
		return 0, cronUnknown
	}
	return 0, "cannot be read"
}

// number reads at most four digits; -1 for anything else.
func number(text string) int {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || len(text) > 4 {
		return -1
	}
	return int(n)
}

func (u cronUnit) allowed() string {
	named := ""
	if u.names != nil {
		named = fmt.Sprintf(" or %s to %s", u.names[0], u.names[len(u.names)-1])
	}
	return fmt.Sprintf("*, or %d to %d%s with commas, ranges like %d-%d and steps like */2", u.least, u.most, named, u.least, u.least+1)
}

// CronError says which part of an expression cannot be, and what could stand there.
type CronError struct {
	Field   string // second, minute, hour, day, month, weekday or year; empty where it is the expression as a whole
	Value   string // what stands there
	Problem string
	Allowed string
	Unknown bool // the cloud may take it: only this project does not know the form
}

// Error gives all of it in one line.
func (e *CronError) Error() string {
	return fmt.Sprintf("%s %s, allowed: %s", e.subject(), e.Problem, e.Allowed)
}

func (e *CronError) subject() string {
	if e.Field == "" {
		return strconv.Quote(e.Value)
	}
	return "the " + e.Field + " " + strconv.Quote(e.Value)
}
