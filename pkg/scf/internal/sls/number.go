package sls

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// decimalLiteral is what JavaScript's Number() takes besides 0x, 0o and 0b.
var decimalLiteral = regexp.MustCompile(`^[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$`)

// parseLiteralNumber reads a number in a variable, where JavaScript's rules hold: 1, -1.5, .5, 1e3, 0x10. A number that
// is not finite is none.
func parseLiteralNumber(s string) (float64, bool) {
	if len(s) > 2 && s[0] == '0' && strings.ContainsRune("xXoObB", rune(s[1])) {
		return parseBased(s[2:], s[1]|0x20)
	}
	if !decimalLiteral.MatchString(s) {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// parseBased reads digits of base 2, 8 or 16, as large as they come.
func parseBased(digits string, letter byte) (float64, bool) {
	base := map[byte]int{'b': 2, 'o': 8, 'x': 16}[letter]
	var f float64
	for _, c := range []byte(digits) {
		d, err := strconv.ParseUint(string(c), base, 8)
		if err != nil {
			return 0, false
		}
		f = f*float64(base) + float64(d)
	}
	return f, len(digits) > 0 && !math.IsInf(f, 0)
}
