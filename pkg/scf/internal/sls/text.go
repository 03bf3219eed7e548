package sls

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// Scalar gives the text that a value becomes inside a longer text: numbers and lists as JavaScript spells them. It is
// false for null and for a map, which have none.
func (v *Value) Scalar() (string, bool) {
	if v == nil {
		return "", false
	}
	switch v.Kind {
	case Bool:
		return strconv.FormatBool(v.Bool), true
	case Number:
		return formatNumber(v.Number), true
	case String:
		return v.Text, true
	case List:
		return v.joined(), true
	}
	return "", false
}

func (v *Value) joined() string {
	parts := make([]string, len(v.List))
	for i, e := range v.List {
		if e.Kind == Map {
			parts[i] = "[object Object]"
			continue
		}
		parts[i], _ = e.Scalar()
	}
	return strings.Join(parts, ",")
}

// AppendJSON appends the tree as compact JSON, keys in the order of the file. It cannot fail: a number that JSON does
// not have was refused at reading, and bytes that are not UTF-8 too.
func (v *Value) AppendJSON(dst []byte) []byte {
	if v == nil {
		return append(dst, "null"...)
	}
	switch v.Kind {
	case String:
		return appendQuoted(dst, v.Text)
	case List:
		dst = append(dst, '[')
		for i, e := range v.List {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = e.AppendJSON(dst)
		}
		return append(dst, ']')
	case Map:
		dst = append(dst, '{')
		for i, f := range v.fields {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendQuoted(dst, f.Name), ':')
			dst = f.Value.AppendJSON(dst)
		}
		return append(dst, '}')
	}
	if text, ok := v.Scalar(); ok {
		return append(dst, text...)
	}
	return append(dst, "null"...)
}

func appendQuoted(dst []byte, s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil {
		return append(dst, `""`...) // a string always marshals
	}
	return append(dst, quoted...)
}

// formatNumber spells a number as JavaScript does: shortest digits, an exponent from 1e21 up and below 1e-6.
func formatNumber(f float64) string {
	if f == 0 {
		return "0" // -0 too
	}
	if abs := math.Abs(f); abs >= 1e-6 && abs < 1e21 {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	s := strconv.FormatFloat(f, 'e', -1, 64)
	mantissa, exponent, _ := strings.Cut(s, "e")
	return mantissa + "e" + exponent[:1] + strings.TrimLeft(exponent[1:], "0")
}
