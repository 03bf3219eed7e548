package transform

import (
	"fmt"
	"math"
	"strconv"

	"github.com/scf-etl/scf-etl/internal/rawjson"
	"github.com/scf-etl/scf-etl/pkg/yamlfile"
)

// typed gives a field that was parsed from a text the type that it has in JSON.
type typed struct {
	path *path
	to   fieldType
}

// types reads a mapping of fields to types.
func (l *loader) types(n *yamlfile.Node, format string) []typed {
	if n == nil {
		return nil
	}
	if format == "json" {
		l.Fault(n, "remove it", "JSON has types of its own")
		return nil
	}
	if n.Kind != yamlfile.Mapping {
		l.Fault(n, "write {status: int}", "types has to be a mapping of fields to types")
		return nil
	}
	var out []typed
	for i, key := range n.Keys {
		p := l.field(key)
		allowed := []string{string(stringType), string(intType), string(floatType), string(boolType)}
		to := l.Text(n.Values[i], "a type")
		if !contains(allowed, to) {
			l.Fault(n.Values[i], yamlfile.Suggest(to, allowed), "%q is no type", to)
			continue
		}
		out = append(out, typed{p, fieldType(to)})
		l.shape.fields[key.Text] = fieldType(to)
	}
	return out
}

// convert changes the field where it is there. A number keeps its digits, except
// for what JSON does not allow: a plus, zeros in front.
func (t typed) convert(d *document) error {
	f := d.findText(t.path.text)
	if f == nil || f.kind != text || t.to == stringType {
		return nil
	}
	ok := false
	switch t.to {
	case intType:
		f.value, ok = d.integer(f.value)
	case floatType:
		f.value, ok = d.float(f.value)
	case boolType:
		f.value, ok = truth(f.value)
	}
	if !ok {
		return &failure{field: t.path.text, value: f.raw, err: fmt.Errorf("%w: it is no %s", ErrParse, t.to)}
	}
	return nil
}

// integer reads a text of digits as a number.
func (d *document) integer(v value) (value, bool) {
	digits := v.raw
	negative := len(digits) > 0 && digits[0] == '-'
	if len(digits) > 0 && (negative || digits[0] == '+') {
		digits = digits[1:]
	}
	if len(digits) == 0 {
		return v, false
	}
	for _, b := range digits {
		if b < '0' || b > '9' {
			return v, false
		}
	}
	for len(digits) > 1 && digits[0] == '0' {
		digits = digits[1:]
	}
	if size := len(digits); negative && size+1 < len(v.raw) {
		return value{number, d.keep(func(dst []byte) []byte { return append(append(dst, '-'), digits...) })}, true
	}
	if negative {
		digits = v.raw
	}
	return value{number, digits}, true
}

func (d *document) float(v value) (value, bool) {
	if len(v.raw) > 0 && (v.raw[0] == '-' || v.raw[0]-'0' <= 9) && rawjson.Valid(v.raw) {
		return value{number, v.raw}, true
	}
	f, err := strconv.ParseFloat(string(v.raw), 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return v, false
	}
	return value{number, d.keep(func(dst []byte) []byte { return strconv.AppendFloat(dst, f, 'g', -1, 64) })}, true
}

func truth(v value) (value, bool) {
	switch string(v.raw) {
	case "true", "1", "yes", "on":
		return value{boolean, []byte("true")}, true
	case "false", "0", "no", "off":
		return value{boolean, []byte("false")}, true
	}
	return v, false
}
