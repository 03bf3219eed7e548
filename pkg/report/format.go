package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Format is how a number is shown.
type Format string

// The formats. Each keeps what a reader can use: three digits on an axis, all of a whole number in a table.
const (
	Number       Format = "number"
	Percent      Format = "percent"      // of a share: 0.5 is 50 %
	Bytes        Format = "bytes"        // in powers of 1,000, as axes are
	Seconds      Format = "seconds"      // a length of time
	Milliseconds Format = "milliseconds" // a length of time
)

func formats() []string {
	return []string{string(Number), string(Percent), string(Bytes), string(Seconds), string(Milliseconds)}
}

// text shows a value in full.
func (f Format) text(value any) string {
	switch v := value.(type) {
	case int64:
		if f == Number {
			return grouped(strconv.FormatInt(v, 10))
		}
		return f.float(float64(v), false)
	case float64:
		return f.float(v, false)
	}
	return plainText(value)
}

// short shows a number in the little space of an axis.
func (f Format) short(v float64) string { return f.float(v, true) }

func (f Format) float(v float64, short bool) string {
	switch {
	case math.IsNaN(v):
		return "NaN"
	case math.IsInf(v, 0):
		return strings.ReplaceAll(fmt.Sprint(v), "Inf", "∞")
	}
	switch f {
	case Percent:
		return digits(v*100, short) + " %"
	case Bytes:
		return scaled(v, []string{" B", " kB", " MB", " GB", " TB", " PB", " EB"})
	case Seconds:
		return length(v)
	case Milliseconds:
		return length(v / 1000)
	}
	if short {
		return scaled(v, []string{"", "k", "M", "G", "T", "P", "E"})
	}
	return digits(v, false)
}

// scaled is a number with the largest of the units that leaves at least one before the point.
func scaled(v float64, units []string) string {
	const by = 1000
	unit := 0
	for unit+1 < len(units) && math.Abs(v) >= by {
		v, unit = v/by, unit+1
	}
	return digits(v, true) + units[unit]
}

// length is a length of time, from microseconds to days.
func length(seconds float64) string {
	switch abs := math.Abs(seconds); {
	case abs == 0:
		return "0 s"
	case abs < 0.001:
		return digits(seconds*1e6, true) + " µs"
	case abs < 1:
		return digits(seconds*1e3, true) + " ms"
	case abs < 120:
		return digits(seconds, true) + " s"
	case abs < 7200:
		return digits(seconds/60, true) + " min"
	case abs < 172_800:
		return digits(seconds/3600, true) + " h"
	}
	return digits(seconds/86_400, true) + " d"
}

// digits has as many places behind the point as there is use for: short is three digits or so.
func digits(v float64, short bool) string {
	abs := math.Abs(v)
	if abs >= 1e15 || abs != 0 && abs < 1e-4 {
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	places := 2
	switch {
	case short && abs >= 100:
		places = 0
	case short && abs >= 10:
		places = 1
	case abs < 0.1:
		places = 4
	}
	text := strconv.FormatFloat(v, 'f', places, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	if text == "-0" {
		text = "0"
	}
	return grouped(text)
}

// grouped puts commas between thousands.
func grouped(text string) string {
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	whole, rest, point := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if point {
		rest = "." + rest
	}
	return sign + whole + rest
}

// plainText shows what is no number.
func plainText(value any) string {
	switch v := value.(type) {
	case nil:
		return "–"
	case string:
		return strings.ToValidUTF8(v, "\uFFFD")
	case []byte:
		return fmt.Sprintf("%x", v)
	case time.Time:
		return timeText(v)
	}
	return fmt.Sprint(value)
}

// timeText is a moment without the parts that are zero.
func timeText(t time.Time) string {
	switch {
	case t.Nanosecond() != 0:
		return t.Format("2006-01-02 15:04:05.000")
	case t.Second() != 0:
		return t.Format(time.DateTime)
	case t.Hour() != 0 || t.Minute() != 0:
		return t.Format("2006-01-02 15:04")
	}
	return t.Format(time.DateOnly)
}

// asNumber gives a value as what can be drawn.
func asNumber(value any) (float64, bool) {
	switch v := value.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, !math.IsNaN(v) && !math.IsInf(v, 0)
	}
	return 0, false
}
