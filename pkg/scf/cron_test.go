package scf_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

func cron(t testing.TB, text string) scf.Cron {
	t.Helper()
	c, err := scf.ParseCron(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// firings gives the next times after one in UTC+8, as they are written there.
func firings(t testing.TB, text, after string, count int) []string {
	t.Helper()
	at, err := time.ParseInLocation(time.DateTime, after, time.FixedZone("", 8*60*60))
	if err != nil {
		t.Fatal(err)
	}
	c := cron(t, text)
	var got []string
	for range count {
		next, ok := c.Next(at)
		if !ok {
			return append(got, "never")
		}
		got = append(got, next.Format(time.DateTime))
		at = next
	}
	return got
}

func TestACronFiresWhenItsFieldsSay(t *testing.T) {
	t.Parallel()
	// The 27th of November 2026 is a Friday.
	const after = "2026-11-27 11:59:58"
	for requirement, c := range map[string]struct {
		text string
		want []string
	}{
		"all stars are every second": {"* * * * * * *", []string{"2026-11-27 11:59:59", "2026-11-27 12:00:00"}},
		"*/5 is every fifth from 0":  {"*/5 * * * * * *", []string{"2026-11-27 12:00:00", "2026-11-27 12:00:05"}},
		"the days of the manual: on the 1st of each month at 2": {
			"0 0 2 1 * * *", []string{"2026-12-01 02:00:00", "2027-01-01 02:00:00"}},
		"weekdays at 10:15": {"0 15 10 * * MON-FRI *", []string{"2026-11-30 10:15:00", "2026-12-01 10:15:00"}},
		"lists of hours":    {"0 0 10,14,16 * * * *", []string{"2026-11-27 14:00:00", "2026-11-27 16:00:00", "2026-11-28 10:00:00"}},
		"a step in a range": {"0 */30 9-17 * * * *", []string{"2026-11-27 12:00:00", "2026-11-27 12:30:00"}},
		"1/10 is from the first on": {
			"0 1/10 * * * * *", []string{"2026-11-27 12:01:00", "2026-11-27 12:11:00", "2026-11-27 12:21:00"}},
		"a range with a step": {"0 0 8-12/4 * * * *", []string{"2026-11-27 12:00:00", "2026-11-28 08:00:00"}},
		"names of months":     {"0 0 0 1 jan,Jul * *", []string{"2027-01-01 00:00:00", "2027-07-01 00:00:00"}},
		"numbers may have a zero before them": {
			"00 05 09 01 02 * *", []string{"2027-02-01 09:05:00", "2028-02-01 09:05:00"}},
		"Sunday is 0": {"0 0 0 * * 0 *", []string{"2026-11-29 00:00:00", "2026-12-06 00:00:00"}},
		"day and weekday both set means either": {
			"0 0 0 1 * MON *", []string{"2026-11-30 00:00:00", "2026-12-01 00:00:00", "2026-12-07 00:00:00"}},
		"a day that is a star leaves it to the weekday": {"0 0 0 * * WED *", []string{"2026-12-02 00:00:00"}},
		"a weekday that is a star leaves it to the day": {"0 0 0 3 * * *", []string{"2026-12-03 00:00:00"}},
		"the 31st comes in months that have it": {
			"0 0 0 31 * * *", []string{"2026-12-31 00:00:00", "2027-01-31 00:00:00", "2027-03-31 00:00:00"}},
		"the 29th of February comes in leap years": {"0 0 0 29 2 * *", []string{"2028-02-29 00:00:00", "2032-02-29 00:00:00"}},
		"a far year is found":                      {"0 0 0 29 2 * 2096", []string{"2096-02-29 00:00:00", "never"}},
		"a year ends it":                           {"0 0 0 30,31 12 * 2026", []string{"2026-12-30 00:00:00", "2026-12-31 00:00:00", "never"}},
		"a year that is over fires never again":    {"0 0 0 1 1 * 2020", []string{"never"}},
		"the last year is 2099":                    {"0 0 0 1 1 * 2099-2099", []string{"2099-01-01 00:00:00", "never"}},
		"five fields are second 0 and any year":    {"0 12 * * *", []string{"2026-11-27 12:00:00", "2026-11-28 12:00:00"}},
		"five fields count from the minute": {
			"*/20 * * * 5", []string{"2026-11-27 12:00:00", "2026-11-27 12:20:00"}},
		"a range of one value is that value":                                {"0 0 5-5 * * * *", []string{"2026-11-28 05:00:00", "2026-11-29 05:00:00"}},
		"a list may name a value twice":                                     {"0 0 13,13,12-13 * * * *", []string{"2026-11-27 12:00:00", "2026-11-27 13:00:00"}},
		"a step counts from the start of its range":                         {"0 0 0 2-9/3 * * *", []string{"2026-12-02 00:00:00", "2026-12-05 00:00:00", "2026-12-08 00:00:00", "2027-01-02 00:00:00"}},
		"*/2 of days counts from the 1st, anew in each month":               {"0 0 0 */2 * * *", []string{"2026-11-29 00:00:00", "2026-12-01 00:00:00"}},
		"*/2 of weekdays is Sunday, Tuesday, Thursday, Saturday":            {"0 0 0 * * */2 *", []string{"2026-11-28 00:00:00", "2026-11-29 00:00:00", "2026-12-01 00:00:00"}},
		"a day or weekday that is a step is set, and one of both is enough": {"0 0 0 */30 * 0 *", []string{"2026-11-29 00:00:00", "2026-12-01 00:00:00", "2026-12-06 00:00:00"}},
		"a star in a list leaves it to the other field":                     {"0 0 0 *,3 * WED *", []string{"2026-12-02 00:00:00"}},
		"a month bounds both day and weekday":                               {"0 0 0 1 1 MON *", []string{"2027-01-01 00:00:00", "2027-01-04 00:00:00"}},
		"names and numbers mix in a list":                                   {"0 0 0 * * SAT,0 *", []string{"2026-11-28 00:00:00", "2026-11-29 00:00:00"}},
		"years may be a range with a step":                                  {"0 0 0 1 1 * 2027-2031/2", []string{"2027-01-01 00:00:00", "2029-01-01 00:00:00", "2031-01-01 00:00:00", "never"}},
		"the last second of a year is followed by the first of the next":    {"59,0 59,0 23,0 31,1 12,1 * *", []string{"2026-12-01 00:00:00", "2026-12-01 00:00:59"}},
		"five fields may have both day and weekday":                         {"0 0 1 * 1", []string{"2026-11-30 00:00:00", "2026-12-01 00:00:00"}},
		"spaces more or less do not matter":                                 {"  0  0 0 *\t* * * ", []string{"2026-11-28 00:00:00"}},
	} {
		t.Run(requirement, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, firings(t, c.text, after, len(c.want))); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.text, diff)
			}
		})
	}
}

func TestACronIsEvaluatedInUTC8(t *testing.T) {
	t.Parallel()
	// 02:30 on the 1st in UTC+8 is still the day before in UTC, and here in New York, on the day on which clocks go back.
	newYork := time.FixedZone("", -4*60*60)
	next, ok := cron(t, "0 30 2 1 * * *").Next(time.Date(2026, 10, 31, 14, 29, 59, 999, newYork))
	if want := "2026-10-31T18:30:00Z"; !ok || next.UTC().Format(time.RFC3339Nano) != want {
		t.Errorf("got %v, want %s", next.UTC(), want)
	}
	if name, offset := next.Zone(); name != "UTC+8" || offset != 8*60*60 {
		t.Errorf("got the zone %s %d", name, offset)
	}
}

func TestNextIsAfterAndAtAWholeSecond(t *testing.T) {
	t.Parallel()
	every := cron(t, "* * * * * * *")
	for _, nanos := range []int{0, 1, 999_999_999} {
		after := time.Date(2026, 1, 1, 0, 0, 0, nanos, time.UTC)
		if got, ok := every.Next(after); !ok || !got.Equal(time.Date(2026, 1, 1, 0, 0, 1, 0, time.UTC)) {
			t.Errorf("after %v: got %v", after, got)
		}
	}
	if got, ok := every.Next(time.Time{}); !ok || got.Year() != scf.MinCronYear {
		t.Errorf("after the zero time: got %v, %v", got, ok)
	}
	if got, ok := every.Next(time.Date(5000, 1, 1, 0, 0, 0, 0, time.UTC)); ok {
		t.Errorf("after the last year: got %v", got)
	}
}

func TestACronThatCannotBeReadSaysWhichFieldAndWhatIsAllowed(t *testing.T) {
	t.Parallel()
	for requirement, c := range map[string]struct {
		text string
		want []string
	}{
		"nothing is no expression":                        {"", []string{`"" has 0 fields`, "seven fields", "or five"}},
		"six fields are neither form":                     {"0 0 * * * *", []string{"has 6 fields", "seven fields", "or five"}},
		"eight fields are one too many":                   {"*/1 * * * * * * *", []string{"has 8 fields"}},
		"seconds end at 59":                               {"60 * * * * * *", []string{`the second "60" is out of range`, "0 to 59"}},
		"minutes end at 59":                               {"0 60 * * * * *", []string{`the minute "60" is out of range`, "0 to 59"}},
		"hours end at 23":                                 {"0 0 24 * * * *", []string{`the hour "24" is out of range`, "0 to 23"}},
		"days begin at 1":                                 {"0 0 0 0 * * *", []string{`the day "0" is out of range`, "1 to 31"}},
		"months end at 12":                                {"0 0 0 1 13 * *", []string{`the month "13" is out of range`, "1 to 12 or JAN to DEC"}},
		"a weekday 7 is none":                             {"0 0 0 * * 7 *", []string{`the weekday "7" is out of range`, "0 to 6 or SUN to SAT"}},
		"years begin at 1970":                             {"0 0 0 * * * 1969", []string{`the year "1969" is out of range`, "1970 to 2099"}},
		"years end at 2099":                               {"0 0 0 * * * 2100", []string{`the year "2100" is out of range`, "1970 to 2099"}},
		"a range of months does not go round the year":    {"0 0 0 1 12-1 * *", []string{`the month "12-1" has a range that ends before it begins`}},
		"a range of weekdays does not go round the week":  {"0 0 0 * * FRI-SUN *", []string{`the weekday "FRI-SUN" has a range that ends before it begins`}},
		"a step of 0 is none":                             {"0 */0 * * * * *", []string{`the minute "*/0" has a step that is not 1 to 59`}},
		"a step beyond the field is none":                 {"0 */90 * * * * *", []string{`the minute "*/90" has a step that is not 1 to 59`}},
		"a step without a number is none":                 {"0 1/ * * * * *", []string{`the minute "1/" has a step`}},
		"two steps are none":                              {"0 1/2/3 * * * * *", []string{`the minute "1/2/3" has a step`}},
		"an empty value in a list is none":                {"0 1,,2 * * * * *", []string{`the minute "1,,2" cannot be read`}},
		"a negative number is none":                       {"0 -1 * * * * *", []string{`the minute "-1" cannot be read`}},
		"a range of three is none":                        {"0 1-2-3 * * * * *", []string{`the minute "1-2-3" cannot be read`}},
		"a sign is none":                                  {"0 +1 * * * * *", []string{`the minute "+1" cannot be read`}},
		"five digits are none":                            {"0 00001 * * * * *", []string{`the minute "00001" cannot be read`}},
		"a name has three letters":                        {"0 0 0 1 January * *", []string{`the month "January" cannot be read`}},
		"names stand in their own fields alone":           {"0 0 0 MON * * *", []string{`the day "MON" cannot be read`}},
		"words of other crons are none":                   {"@daily", []string{"has 1 fields"}},
		"L is of the Chinese manual":                      {"0 0 0 L * * *", []string{`the day "L" has a form that this project does not know`}},
		"? and # are of the Chinese manual":               {"0 0 0 ? * 1#2 *", []string{`the day "?" has a form that this project does not know`}},
		"W is of the Chinese manual":                      {"0 0 0 15W * * *", []string{`the day "15W" has a form that this project does not know`}},
		"30 February never fires":                         {"0 0 0 30 2 * *", []string{"never fires"}},
		"the 31st of months that have none never fires":   {"0 0 0 31 4,6,9,11 * *", []string{`"0 0 0 31 4,6,9,11 * *" never fires`, "a day that one of the months has"}},
		"29 February of years that have none never fires": {"0 0 0 29 2 * 2023,2025", []string{"never fires"}},
	} {
		t.Run(requirement, func(t *testing.T) {
			t.Parallel()
			_, err := scf.ParseCron(c.text)
			var of *scf.CronError
			if !errors.As(err, &of) {
				t.Fatalf("%q: got %v", c.text, err)
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q: got %v\nwant %q in it", c.text, err, part)
				}
			}
			if unknown := strings.Contains(err.Error(), "does not know"); of.Unknown != unknown {
				t.Errorf("%q: unknown is %v", c.text, of.Unknown)
			}
		})
	}
}

// FuzzCron wants that no text panics, and that the next time of one that can be read is after the given one and matches the
// fields, and that no second of the first five minutes in between does.
func FuzzCron(f *testing.F) {
	for _, text := range []string{"* * * * * * *", "0 0 2 1 * * *", "0 15 10 * * MON-FRI *", "*/5 1/10 8-12/4 29 2 1,3 2026-2096/10", "0 0 31 12 SUN"} {
		f.Add(text, int64(1_795_000_000))
	}
	f.Fuzz(func(t *testing.T, text string, unix int64) {
		c, err := scf.ParseCron(text)
		if err != nil {
			var of *scf.CronError
			if !errors.As(err, &of) || of.Problem == "" || of.Allowed == "" {
				t.Errorf("%q: got %v", text, err)
			}
			return
		}
		const years = 200 * 365 * 24 * 60 * 60
		after := time.Unix(unix%years, 0)
		next, ok := c.Next(after)
		if !ok {
			return
		}
		if !next.After(after) || !matches(text, next) {
			t.Errorf("%q after %v: got %v", text, after, next)
		}
		for at := after.Add(time.Second); at.Before(next) && at.Sub(after) < 5*time.Minute; at = at.Add(time.Second) {
			if matches(text, at) {
				t.Errorf("%q after %v: got %v, left out %v", text, after, next, at)
			}
		}
	})
}

// matches reads an expression that is known to be right in the plainest way.
func matches(text string, at time.Time) bool {
	at = at.In(time.FixedZone("", 8*60*60))
	words := strings.Fields(strings.ToUpper(text))
	if len(words) == 5 {
		words = slices.Concat([]string{"0"}, words, []string{"*"})
	}
	months := []string{"", "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
	days := []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}
	in := func(field string, value, least int, names []string) bool {
		read := func(s string) int {
			if i := slices.Index(names, s); i >= 0 && s != "" {
				return i
			}
			n, _ := strconv.Atoi(s)
			return n
		}
		return slices.ContainsFunc(strings.Split(field, ","), func(part string) bool {
			part, every, stepped := strings.Cut(part, "/")
			first, last, ranged := strings.Cut(part, "-")
			low, high := read(first), read(last)
			if part == "*" {
				low, high = least, 9999
			} else if !ranged {
				if high = low; stepped {
					high = 9999
				}
			}
			step := 1
			if stepped {
				step = read(every)
			}
			return value >= low && value <= high && (value-low)%step == 0
		})
	}
	star := func(field string) bool { return slices.Contains(strings.Split(field, ","), "*") }
	day := in(words[3], at.Day(), 1, nil)
	weekday := in(words[5], int(at.Weekday()), 0, days)
	onDay := day && weekday
	if !star(words[3]) && !star(words[5]) {
		onDay = day || weekday
	}
	return onDay && in(words[0], at.Second(), 0, nil) && in(words[1], at.Minute(), 0, nil) && in(words[2], at.Hour(), 0, nil) &&
		in(words[4], int(at.Month()), 1, months) && in(words[6], at.Year(), scf.MinCronYear, nil)
}

func BenchmarkCronNext(b *testing.B) {
	c := cron(b, "0 0 0 29 2 * *")
	after := time.Date(2028, 3, 1, 0, 0, 0, 0, time.UTC)
	for b.Loop() {
		c.Next(after)
	}
}
