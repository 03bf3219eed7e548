package mirror

import (
	"math/rand/v2"
	"reflect"
	"testing"
)

func TestOffsetMap(t *testing.T) {
	t.Parallel()
	var m OffsetMap
	for _, r := range []run{{10, 0, 5}, {15, 5, 5}, {20, 11, 10}, {40, 22, 1}} {
		m.add(r) // 10-19 at 0-9, a marker, 20-29 at 11-20, a marker, 40 at 22
	}

	t.Run("runs that lie back to back on both sides are one", func(t *testing.T) {
		t.Parallel()
		if len(m.runs) != 3 {
			t.Errorf("%v, want 3 runs", m.runs)
		}
	})

	t.Run("each record has its offset, and what was not copied has none", func(t *testing.T) {
		t.Parallel()
		for source, want := range map[int64]int64{10: 0, 19: 9, 20: 11, 29: 20, 40: 22, 9: -1, 30: -1, 39: -1, 41: -1} {
			got, ok := m.Record(source)
			if ok != (want >= 0) || ok && got != want {
				t.Errorf("record %d is at %d (%v), want %d", source, got, ok, want)
			}
		}
	})

	t.Run("a position is that of the next record to read", func(t *testing.T) {
		t.Parallel()
		for source, want := range map[int64]int64{0: 0, 10: 0, 15: 5, 20: 11, 29: 20, 30: 22, 35: 22, 40: 22, 41: 23, 99: 23} {
			if got, ok := m.Position(source); !ok || got != want {
				t.Errorf("position %d is %d (%v), want %d", source, got, ok, want)
			}
		}
		if _, ok := new(OffsetMap).Position(0); ok {
			t.Error("an empty map has a position")
		}
	})

	t.Run("what was copied is known on the other side", func(t *testing.T) {
		t.Parallel()
		for target, want := range map[int64]bool{0: true, 9: true, 10: false, 11: true, 20: true, 21: false, 22: true, 23: false} {
			if got := m.Copied(target); got != want {
				t.Errorf("copied %d is %v, want %v", target, got, want)
			}
		}
	})

	t.Run("records that are copied again are where they were copied last", func(t *testing.T) {
		t.Parallel()
		again := m.clone()
		again.add(run{15, 30, 8})
		if got, want := again.runs, []run{{10, 0, 5}, {15, 30, 8}}; !reflect.DeepEqual(got, want) {
			t.Errorf("runs are %v, want %v", got, want)
		}
	})

	t.Run("only what is behind the end extends it", func(t *testing.T) {
		t.Parallel()
		longer := m.clone()
		longer.extend(OffsetMap{[]run{{20, 11, 10}, {38, 20, 5}, {50, 40, 1}}})
		if got, want := longer.runs[2:], []run{{40, 22, 3}, {50, 40, 1}}; !reflect.DeepEqual(got, want) {
			t.Errorf("runs are %v, want %v", got, want)
		}
	})
}

// model is an offset map as plain pairs.
type model map[int64]int64

func TestOffsetMapIsWhatPlainPairsAre(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		var m OffsetMap
		pairs := model{}
		source, target := int64(0), int64(0)
		for range 40 {
			source += random.Int64N(3)
			target += random.Int64N(3)
			if random.IntN(20) == 0 { // a reset
				source = random.Int64N(source + 1)
				m.cut(source)
				for s := range pairs {
					if s >= source {
						delete(pairs, s)
					}
				}
			}
			n := 1 + random.Int64N(9)
			m.add(run{source, target, n})
			for i := range n {
				pairs[source+i] = target + i
			}
			source, target = source+n, target+n
		}
		text, err := m.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var read OffsetMap
		if err := read.UnmarshalText(text); err != nil || !reflect.DeepEqual(read, m) {
			t.Fatalf("seed %d: read %v (%v), want %v", seed, read, err, m)
		}
		for s := range source + 5 {
			want, there := pairs[s]
			if got, ok := m.Record(s); ok != there || got != want && there {
				t.Fatalf("seed %d: record %d is at %d (%v), want %d (%v)", seed, s, got, ok, want, there)
			}
		}
	}
}

func FuzzOffsetMapText(f *testing.F) {
	for _, text := range []string{"", "AQ", "AQABAg", "AgABAg", "AQD/////////////AQE", "AQAAAA", "?"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var m OffsetMap
		if m.UnmarshalText(text) != nil {
			return
		}
		again, err := m.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var second OffsetMap
		if err := second.UnmarshalText(again); err != nil {
			t.Fatalf("%v of what %q was read as", err, text)
		}
		m.Position(7)
		m.Record(7)
		m.Copied(7)
		for i, r := range m.runs {
			if r.count <= 0 || r.source < 0 || r.target < 0 || i > 0 && r.source < m.runs[i-1].sourceEnd() {
				t.Fatalf("run %d is %v after %v", i, r, m.runs)
			}
		}
	})
}
