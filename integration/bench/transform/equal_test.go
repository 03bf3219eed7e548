package main

import (
	"strings"
	"testing"
)

func TestEqual(t *testing.T) {
	for _, c := range comparisons() {
		ways, end, err := c.ways()
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		t.Run(c.name+": every way gives the same fields and values", func(t *testing.T) {
			if err := equal(c.values(), ways); err != nil {
				t.Error(err)
			}
		})
		t.Run(c.name+": no way leaves an address as it was", func(t *testing.T) {
			for _, w := range ways {
				outputs, err := w.outputs(c.values())
				if err != nil {
					t.Fatal(err)
				}
				for _, fields := range outputs {
					if client, _ := fields["client"].(string); !strings.HasSuffix(client, ".0") {
						t.Fatalf("%s gives %v", w.name, fields)
					}
				}
			}
		})
		if err := end(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestEqualSeesDifferences(t *testing.T) {
	gives := func(name string, texts ...string) way {
		return way{name, func(_ [][]byte, emit func([]byte)) error {
			for _, text := range texts {
				emit([]byte(text))
			}
			return nil
		}}
	}
	one := gives("one", `{"a":1,"b":"x"}`)
	if err := equal(nil, []way{one, gives("other", `{"b":"x","a":1.0}`)}); err != nil {
		t.Errorf("the order of fields is no difference: %v", err)
	}
	for name, other := range map[string]way{
		"another value":  gives("other", `{"a":1,"b":"y"}`),
		"another type":   gives("other", `{"a":"1","b":"x"}`),
		"a field more":   gives("other", `{"a":1,"b":"x","c":null}`),
		"no record":      gives("other"),
		"no JSON object": gives("other", `x`),
	} {
		t.Run(name+" is a difference", func(t *testing.T) {
			if equal(nil, []way{one, other}) == nil {
				t.Error("not seen")
			}
		})
	}
}
