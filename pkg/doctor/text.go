package doctor

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// count is a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// span is a duration as people say it.
func span(d time.Duration) string {
	switch day := 24 * time.Hour; {
	case d >= 2*day:
		return fmt.Sprintf("%d days", d/day)
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", d/time.Hour)
	case d >= 2*time.Minute:
		return fmt.Sprintf("%d minutes", d/time.Minute)
	case d >= time.Second:
		return fmt.Sprintf("%d s", d/time.Second)
	case d >= time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	}
	return "less than 1 ms"
}

// size is a number of bytes as people say it.
func size(n int64) string {
	for _, unit := range []struct {
		bytes int64
		name  string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= unit.bytes {
			return strconv.FormatFloat(float64(n)/float64(unit.bytes), 'f', 1, 64) + " " + unit.name
		}
	}
	return fmt.Sprintf("%d bytes", n)
}

// number reads a setting that is a whole number.
func number(settings map[string]string, name string) (int64, bool) {
	n, err := strconv.ParseInt(settings[name], 10, 64)
	return n, err == nil
}

// milliseconds reads a setting that is a duration; -1 and less is for ever.
func milliseconds(settings map[string]string, name string) (time.Duration, bool) {
	n, ok := number(settings, name)
	const most = int64(1<<63-1) / int64(time.Millisecond)
	return time.Duration(min(n, most)) * time.Millisecond, ok
}

// at is a time stamp of a record.
func at(ms int64) string {
	return time.UnixMilli(ms).UTC().Format(time.DateTime) + " UTC"
}

func list(names []string) string { return strings.Join(names, ", ") }
