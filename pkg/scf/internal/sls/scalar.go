package sls

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// The core schema of YAML 1.2 as the framework's parser (js-yaml 4) reads it: yes, no, on and off are texts; a date is a
// time, which the framework prints as an ISO text.
var (
	yamlFloat = regexp.MustCompile(`^(?:[-+]?[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?)$`)
	yamlBased = regexp.MustCompile(`^[-+]?0(?:b[01]+|o[0-7]+|x[0-9a-fA-F]+)$`)
	yamlDate  = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
	yamlTime  = regexp.MustCompile(`^(\d{4})-(\d\d?)-(\d\d?)(?:[Tt]|[ \t]+)(\d\d?):(\d\d):(\d\d)(?:\.(\d*))?` +
		`(?:[ \t]*(?:Z|([-+])(\d\d?)(?::(\d\d))?))?$`)
)

// plainScalar gives a plain (unquoted) scalar its kind.
func plainScalar(text string) (Value, error) {
	v := Value{Raw: text, Literal: true}
	switch text {
	case "", "~", "null", "Null", "NULL":
		return v, nil
	case "true", "True", "TRUE", "false", "False", "FALSE":
		v.Kind, v.Bool = Bool, text[0]|0x20 == 't'
		return v, nil
	case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", ".nan", ".NaN", ".NAN":
		return v, fmt.Errorf("a number that is not finite has no meaning in a configuration")
	}
	if f, ok := plainNumber(text); ok {
		v.Kind, v.Number = Number, f
		return v, nil
	}
	v.Kind, v.Text = String, text
	if iso, ok := isoTime(text); ok {
		v.Text = iso
	}
	return v, nil
}

func plainNumber(text string) (float64, bool) {
	if yamlBased.MatchString(text) {
		sign, digits := 1.0, text
		if digits[0] == '-' || digits[0] == '+' {
			if digits[0] == '-' {
				sign = -1
			}
			digits = digits[1:]
		}
		f, ok := parseBased(digits[2:], digits[1])
		return sign * f, ok
	}
	if !yamlFloat.MatchString(text) {
		return 0, false
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil
}

// isoTime reads a YAML timestamp and spells it as JavaScript's Date does. Days and hours past their range carry over, as
// they do there.
func isoTime(text string) (string, bool) {
	const layout = "2006-01-02T15:04:05.000Z"
	if yamlDate.MatchString(text) {
		return time.Date(atoi(text[:4]), time.Month(atoi(text[5:7])), atoi(text[8:]), 0, 0, 0, 0, time.UTC).Format(layout), true
	}
	m := yamlTime.FindStringSubmatch(text)
	if m == nil {
		return "", false
	}
	millis := atoi((m[7] + "000")[:3])
	t := time.Date(atoi(m[1]), time.Month(atoi(m[2])), atoi(m[3]), atoi(m[4]), atoi(m[5]), atoi(m[6]), millis*1e6, time.UTC)
	shift := time.Duration(atoi(m[9])*60+atoi(m[10])) * time.Minute
	if m[8] == "+" {
		shift = -shift
	}
	return t.Add(shift).Format(layout), true
}

// atoi reads digits that a pattern has matched; empty is 0.
func atoi(s string) int {
	n := 0
	for _, c := range []byte(s) {
		n = n*10 + int(c-'0')
	}
	return n
}
