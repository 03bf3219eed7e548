package transform

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/expr-lang/expr/vm"
)

// evaluator runs one expression for one transformer.
type evaluator struct {
	*expression
	machine vm.VM
	env     map[string]any
	scratch scratch
}

// start of nil is an evaluator that nobody asks.
func (e *expression) start() evaluator {
	return evaluator{expression: e, env: map[string]any{}}
}

// truth returns the result of a condition.
func (e *evaluator) truth(s *state) (bool, error) {
	if e.fast != nil {
		ok, err := e.fast(s, &e.scratch)
		if err != nil {
			return false, e.failed(err)
		}
		return ok, nil
	}
	out, err := e.run(s)
	if err != nil {
		return false, err
	}
	ok, isBool := out.(bool)
	if !isBool {
		return false, e.failed(fmt.Errorf("the result is a %T, not true or false", out))
	}
	return ok, nil
}

// value returns the result; its kind is missing for nil.
func (e *evaluator) value(s *state) (value, error) {
	if e.direct != nil {
		if v := e.direct.get(s); v.kind != null {
			return v, nil
		}
		return value{}, nil
	}
	out, err := e.run(s)
	if err != nil {
		return value{}, err
	}
	v, err := s.doc.box(out)
	if err != nil {
		return value{}, e.failed(err)
	}
	return v, nil
}

func (e *evaluator) run(s *state) (any, error) {
	clear(e.env)
	for _, o := range e.paths {
		e.env[o.name] = s.doc.unbox(o.get(s))
	}
	out, err := e.machine.Run(e.program, e.env)
	if err != nil {
		return nil, e.failed(err)
	}
	return out, nil
}

func (o *operand) get(s *state) value {
	if o.meta != nil {
		return o.meta(s)
	}
	return s.doc.get(o.path)
}

// unbox returns a value as the library takes it: numbers that are whole and fit are
// int, others float64.
func (d *document) unbox(v value) any {
	switch v.kind {
	case text, quoted:
		return string(d.text(v))
	case number:
		if n, ok := whole(v.raw); ok {
			return n
		}
		return fraction(v.raw)
	case boolean:
		return v.raw[0] == 't'
	case object, array:
		decoder := json.NewDecoder(bytes.NewReader(v.raw))
		decoder.UseNumber()
		var out any
		if decoder.Decode(&out) != nil {
			return nil
		}
		return numbers(out)
	}
	return nil
}

// numbers gives the numbers inside of a value the types that they have outside.
func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, ok := whole([]byte(v)); ok {
			return n
		}
		return fraction([]byte(v))
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = numbers(v[name])
		}
	}
	return v
}

// whole reads a JSON number without a point as an int.
func whole(raw []byte) (int, bool) {
	digits := raw
	if negative := raw[0] == '-'; negative {
		digits = raw[1:]
	}
	if len(digits) > 18 {
		n, err := strconv.ParseInt(string(raw), 10, 64)
		return int(n), err == nil
	}
	n := 0
	for _, b := range digits {
		if b-'0' > 9 {
			return 0, false
		}
		n = n*10 + int(b-'0')
	}
	if len(digits) < len(raw) {
		n = -n
	}
	return n, true
}

// fraction reads any JSON number; what is too large is infinite.
func fraction(raw []byte) float64 {
	f, _ := strconv.ParseFloat(string(raw), 64) // an error comes with the infinity
	return f
}

// box returns a result of the library as a value.
func (d *document) box(v any) (value, error) {
	switch v := v.(type) {
	case nil:
		return value{}, nil
	case string:
		return value{text, d.keep(func(dst []byte) []byte { return append(dst, v...) })}, nil
	case bool:
		return value{boolean, strconv.AppendBool(nil, v)}, nil
	case int:
		return value{number, d.keep(func(dst []byte) []byte { return strconv.AppendInt(dst, int64(v), 10) })}, nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return value{}, errors.New("the result is no finite number")
		}
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return value{}, err
	}
	return jsonValue(raw), nil
}
