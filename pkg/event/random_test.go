package event_test

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestKafkaDecodesRandomEventsAsEncodingJSON composes events from fragments that matter, which plain
// fuzzing of bytes takes long to find.
func TestKafkaDecodesRandomEventsAsEncodingJSON(t *testing.T) {
	t.Parallel()
	valid := 0
	for seed := range uint64(5000) {
		g := generator{rand.New(rand.NewPCG(seed, 1))}
		payload := []byte(g.event())
		if err := compare(payload); err != nil {
			t.Fatalf("seed %d: %v\n%q", seed, err, payload)
		}
		if _, ok := reference(payload); ok {
			valid++
		}
	}
	if valid < 500 {
		t.Errorf("only %d of the events were valid: the test has lost its edge", valid)
	}
}

// generator composes events, most of them valid.
type generator struct{ *rand.Rand }

func (g generator) pick(from ...string) string { return from[g.IntN(len(from))] }

// rare is odd once in a while, and usual otherwise.
func (g generator) rare(odd, usual string) string {
	if g.IntN(60) == 0 {
		return odd
	}
	return usual
}

func (g generator) list(n int, item func() string) string {
	items := make([]string, n)
	for i := range items {
		items[i] = item()
	}
	return strings.Join(items, g.pick(",", " ,", ",\n"))
}

func (g generator) event() string {
	lists := 1
	if g.IntN(3) == 0 {
		lists += g.IntN(3)
	}
	records := g.list(lists, func() string {
		return g.pick(`"Records"`, `"Records"`, `"records"`) + ":" +
			g.rare("null", "["+g.list(g.IntN(4), g.record)+g.rare(",", "")+"]")
	})
	return g.pick("", " ", "\n") + "{" + records + g.rare(`,"v":`+g.value(3), "") + "}" + g.rare("x", "")
}

func (g generator) record() string {
	message := func() string {
		return `"Ckafka":` + g.rare("null", "{"+g.list(3+g.IntN(6), g.field)+"}")
	}
	base := `"Ckafka":{"topic":"t","partition":0,"offset":1}`
	if g.IntN(4) == 0 {
		base = g.pick(message(), `"x":`+g.value(2))
	}
	return g.rare("null", "{"+base+","+g.list(1+g.IntN(2), message)+"}")
}

func (g generator) field() string {
	switch g.IntN(6) {
	case 0:
		return g.pick(`"topic":`, `"topic":`, `"Topic":`) + g.rare(g.value(1), g.text())
	case 1:
		return g.pick(`"partition":`, `"Partition":`) + g.rare(g.value(1), g.pick("0", "3", "2147483647", "null"))
	case 2:
		return g.pick(`"offset":`, `"OFFSET":`) + g.rare(g.value(1), g.pick("0", "12345", "9007199254740993", "null"))
	case 3:
		return `"msgKey":` + g.rare(g.value(1), g.pick("null", `""`, `"None"`, g.text()))
	case 4:
		return `"msgBody":` + g.rare(g.value(1), g.pick("null", g.text(), g.text()))
	}
	return g.text() + ":" + g.value(2)
}

func (g generator) value(depth int) string {
	if depth > 0 && g.IntN(3) == 0 {
		inner := func() string { return g.value(depth - 1) }
		if g.IntN(2) == 0 {
			return "[" + g.list(g.IntN(3), inner) + "]"
		}
		return "{" + g.list(g.IntN(3), func() string { return g.text() + ":" + inner() }) + "}"
	}
	return g.pick("null", "true", "false", "0", "-1", "-0.5e-3", "1E+9", g.text(), g.rare("01", "1"), g.rare("nul", "2"))
}

func (g generator) text() string {
	var s strings.Builder
	for range g.IntN(12) {
		s.WriteString(g.pick(
			"a", "0123456789abcdef", " ", "é", "中", "中文字符中文字符", "😀", "\u2028", "\ufffd",
			`\"`, `\\`, `\/`, `\n`, `\u0041`, `\u4e2d`, `\ud83d\ude00`, `\ud83d`, `\ude00`, `\u0000`,
			g.rare("\xff", "x"), g.rare("\xe4\xb8", "y"), g.rare("\xed\xa0\x80", "z"), g.rare(`\x`, ""), g.rare("\x01", ""),
		))
	}
	return `"` + s.String() + `"`
}
