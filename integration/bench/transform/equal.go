package main

import (
	"encoding/json"
	"fmt"
	"reflect"
)

// values are the lines as records have them.
func (c comparison) values() [][]byte {
	found := make([][]byte, len(c.lines))
	for i, line := range c.lines {
		found[i] = []byte(line)
	}
	return found
}

// outputs are what a way makes of the values, decoded: the order of fields and the
// way to write a number are not compared.
func (w way) outputs(values [][]byte) (found []map[string]any, err error) {
	var fault error
	err = w.run(values, func(text []byte) {
		var fields map[string]any
		if err := json.Unmarshal(text, &fields); err != nil && fault == nil {
			fault = fmt.Errorf("%s: %w", text, err)
		}
		found = append(found, fields)
	})
	if err == nil {
		err = fault
	}
	return found, err
}

// equal is nil where all ways give the same records, with the same fields and
// values, and some.
func equal(values [][]byte, ways []way) error {
	want, err := ways[0].outputs(values)
	if err != nil {
		return fmt.Errorf("%s: %w", ways[0].name, err)
	}
	if len(want) == 0 {
		return fmt.Errorf("%s gives nothing", ways[0].name)
	}
	for _, w := range ways[1:] {
		got, err := w.outputs(values)
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		if len(got) != len(want) {
			return fmt.Errorf("%s gives %d records, %s %d", w.name, len(got), ways[0].name, len(want))
		}
		for i := range want {
			if !reflect.DeepEqual(got[i], want[i]) {
				return fmt.Errorf("record %d: %s gives %v, %s %v", i, w.name, got[i], ways[0].name, want[i])
			}
		}
	}
	return nil
}
