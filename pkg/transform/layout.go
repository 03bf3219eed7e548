package transform

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"time"
)

// layout reads a time. near is the time of the record in milliseconds, for what has
// no year.
type layout func(text []byte, near int64) (time.Time, bool)

func layoutNames() []string {
	return []string{"rfc3339", "common_log", "datetime", "syslog", "unix", "unix_ms", "unix_us", "unix_ns"}
}

// layoutOf returns the layout of a name, or of Go's notation. zone is what a text
// without one is in.
//
//	rfc3339     2026-01-02T15:04:05.678+08:00, with a space for T too (RFC 3339 5.6)
//	common_log  02/Jan/2026:15:04:05 +0800 (Apache httpd %t, nginx $time_local)
//	datetime    2026-01-02 15:04:05, with T, / and parts of a second too
//	syslog      Jan  2 15:04:05 (RFC 3164 4.1.2), in the year next to the record's time
//	unix...     seconds, milli-, micro-, nanoseconds since 1970, with decimals
func layoutOf(name string, zone *time.Location) (layout, bool) {
	switch name {
	case "rfc3339":
		return func(b []byte, _ int64) (time.Time, bool) { return dateTime(b, nil) }, true
	case "datetime":
		return func(b []byte, _ int64) (time.Time, bool) { return dateTime(b, zone) }, true
	case "common_log":
		return func(b []byte, _ int64) (time.Time, bool) { return commonLogTime(b) }, true
	case "syslog":
		return func(b []byte, near int64) (time.Time, bool) { return syslogTime(b, near, zone) }, true
	case "unix":
		return epoch(9), true
	case "unix_ms":
		return epoch(6), true
	case "unix_us":
		return epoch(3), true
	case "unix_ns":
		return epoch(0), true
	}
	if !strings.Contains(name, "2006") && !strings.Contains(name, "06") || !strings.ContainsAny(name, "0123456789") {
		return nil, false
	}
	return func(b []byte, _ int64) (time.Time, bool) {
		t, err := time.ParseInLocation(name, string(b), zone)
		return t, err == nil
	}, true
}

// clock reads the parts of a time one after the other.
type clock struct {
	rest []byte
	bad  bool
}

func (c *clock) number(digits int) int {
	if len(c.rest) < digits {
		c.bad = true
		return 0
	}
	n := 0
	for _, b := range c.rest[:digits] {
		if b-'0' > 9 {
			c.bad = true
			return 0
		}
		n = n*10 + int(b-'0')
	}
	c.rest = c.rest[digits:]
	return n
}

func (c *clock) char(allowed string) byte {
	if len(c.rest) == 0 || strings.IndexByte(allowed, c.rest[0]) < 0 {
		c.bad = true
		return 0
	}
	b := c.rest[0]
	c.rest = c.rest[1:]
	return b
}

func (c *clock) month() time.Month {
	const names = "JanFebMarAprMayJunJulAugSepOctNovDec"
	if len(c.rest) >= 3 {
		for i := 0; i < len(names); i += 3 {
			if string(c.rest[:3]) == names[i:i+3] {
				c.rest = c.rest[3:]
				return time.Month(i/3 + 1)
			}
		}
	}
	c.bad = true
	return 0
}

// nanoseconds reads what follows a second: nothing, or a point or comma and digits.
func (c *clock) nanoseconds() int {
	if len(c.rest) == 0 || c.rest[0] != '.' && c.rest[0] != ',' {
		return 0
	}
	c.rest = c.rest[1:]
	n, digits := 0, 0
	for len(c.rest) > 0 && c.rest[0]-'0' <= 9 {
		if digits < 9 {
			n = n*10 + int(c.rest[0]-'0')
			digits++
		}
		c.rest = c.rest[1:]
	}
	c.bad = c.bad || digits == 0
	for ; digits < 9; digits++ {
		n *= 10
	}
	return n
}

// zone reads Z, +08:00 or +0800 in seconds.
func (c *clock) zone() int {
	sign := c.char("Zz+-")
	if c.bad || sign|0x20 == 'z' {
		return 0
	}
	hours := c.number(2)
	if len(c.rest) > 0 && c.rest[0] == ':' {
		c.rest = c.rest[1:]
	}
	minutes := c.number(2)
	c.bad = c.bad || hours > 23 || minutes > 59
	seconds := hours*3600 + minutes*60
	if sign == '-' {
		return -seconds
	}
	return seconds
}

// parts are what a clock has read.
type parts struct {
	year                 int
	month                time.Month
	day, hour, min, sec  int
	nanoseconds, seconds int // of a second; east of UTC
}

// time checks the ranges, which time.Date would carry over. A second 60 is a leap
// second.
func (c *clock) time(p parts, zone *time.Location) (time.Time, bool) {
	if c.bad || len(c.rest) > 0 || p.month < 1 || p.month > 12 || p.day < 1 || p.hour > 23 || p.min > 59 || p.sec > 60 {
		return time.Time{}, false
	}
	if p.day > time.Date(p.year, p.month+1, 0, 0, 0, 0, 0, time.UTC).Day() {
		return time.Time{}, false
	}
	t := time.Date(p.year, p.month, p.day, p.hour, p.min, p.sec, p.nanoseconds, zone)
	return t.Add(-time.Duration(p.seconds) * time.Second), true
}

// dateTime reads RFC 3339, or, with a zone given, a date and time that may lack one.
func dateTime(text []byte, zone *time.Location) (time.Time, bool) {
	c := clock{rest: text}
	var p parts
	p.year = c.number(4)
	separators := "-"
	if zone != nil {
		separators = "-/"
	}
	separator := c.char(separators)
	p.month = time.Month(c.number(2))
	c.bad = c.char(separators) != separator || c.bad
	p.day = c.number(2)
	c.char("Tt ")
	c.hms(&p)
	p.nanoseconds = c.nanoseconds()
	if zone == nil || len(c.rest) > 0 {
		p.seconds = c.zone()
		zone = time.UTC
	}
	return c.time(p, zone)
}

func (c *clock) hms(p *parts) {
	p.hour = c.number(2)
	c.char(":")
	p.min = c.number(2)
	c.char(":")
	p.sec = c.number(2)
}

func commonLogTime(text []byte) (time.Time, bool) {
	c := clock{rest: text}
	var p parts
	p.day = c.number(2)
	c.char("/")
	p.month = c.month()
	c.char("/")
	p.year = c.number(4)
	c.char(":")
	c.hms(&p)
	c.char(" ")
	p.seconds = c.zone()
	return c.time(p, time.UTC)
}

// syslogTime takes the year that brings the time nearest to that of the record.
func syslogTime(text []byte, near int64, zone *time.Location) (best time.Time, found bool) {
	c := clock{rest: text}
	var p parts
	p.month = c.month()
	c.char(" ")
	if len(c.rest) > 0 && c.rest[0] == ' ' {
		c.rest = c.rest[1:]
		p.day = c.number(1)
	} else {
		p.day = c.number(2)
	}
	c.char(" ")
	c.hms(&p)
	p.nanoseconds = c.nanoseconds()
	record := time.UnixMilli(max(near, 0)).In(zone)
	for year := record.Year() - 1; year <= record.Year()+1; year++ {
		p.year = year
		t, ok := c.time(p, zone)
		if ok && (!found || t.Sub(record).Abs() < best.Sub(record).Abs()) {
			best, found = t, true
		}
	}
	return best, found
}

// epoch reads a decimal number of units of 10^digits nanoseconds.
func epoch(digits int) layout {
	return func(text []byte, _ int64) (time.Time, bool) {
		whole, fraction, _ := bytes.Cut(text, []byte{'.'})
		n, err := strconv.ParseInt(string(whole), 10, 64)
		if err != nil || len(fraction) > 0 && fraction[0] == '-' {
			return time.Time{}, false
		}
		var part int64
		for i := range digits {
			part *= 10
			if i < len(fraction) {
				part += int64(fraction[i] - '0')
			}
		}
		for _, b := range fraction {
			if b-'0' > 9 {
				return time.Time{}, false
			}
		}
		if len(whole) > 0 && whole[0] == '-' {
			part = -part
		}
		unit := int64(math.Pow10(digits))
		perSecond := int64(time.Second) / unit
		return time.Unix(n/perSecond, n%perSecond*unit+part), true
	}
}
