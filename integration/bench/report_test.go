package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/scf-etl/scf-etl/integration/bench/internal/page"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// measured is a report of one scenario in which the engine is twice as fast as
// franz, at a quarter of its processor time.
func measured() *report {
	s := scenarios()[0]
	one := func(seconds, cpu float64) measure {
		return measure{Records: 1_000_000, Seconds: seconds, CPUSeconds: cpu, RSSBytes: 50e6}
	}
	date := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	return &report{Date: date, Machine: "2 cores", Rounds: 3, Scenarios: []scenarioReport{{
		scenario: s, Name: s.name(), Measures: map[string][]measure{
			engine:      {one(2, 1), one(90, 50), one(1, 0.5)},
			franz:       {one(4, 4)},
			fetchOnly:   {one(1, 0.1)},
			produceOnly: {one(1.5, 0.1)},
		},
	}}}
}

func TestTable(t *testing.T) {
	t.Parallel()

	t.Run("a line shows the median of the rounds and what the engine is to it", func(t *testing.T) {
		t.Parallel()
		got := measured().table()
		want := []string{fourNone, franz, "250,000", "256", "4.00", "50", "2.00x", "0.250x"}
		if line := strings.Join(got[2], "|"); line != strings.Join(want, "|") {
			t.Errorf("got %s, want %v", line, want)
		}
		if got[1][2] != "500,000" {
			t.Errorf("the engine's median is %s", got[1][2])
		}
	})

	t.Run("all lines are equally long, in markdown with a rule below the head", func(t *testing.T) {
		t.Parallel()
		lines := strings.Split(strings.TrimSpace(measured().table().Render(true)), "\n")
		for _, line := range lines {
			if len(line) != len(lines[0]) {
				t.Errorf("%q is not as long as %q", line, lines[0])
			}
		}
		if !strings.HasPrefix(lines[1], "| -") || !strings.HasSuffix(lines[1], "-: |") {
			t.Errorf("rule is %q", lines[1])
		}
	})
}

func TestBars(t *testing.T) {
	t.Parallel()
	verdicts := map[string]string{}
	for _, b := range measured().bars() {
		verdicts[b.Wanted] = b.Measured + " " + b.Verdict()
	}
	want := map[string]string{
		fourNone + ": at least 1.2x the msg/s of franz":               "2.00x met",
		fourNone + ": at most 0.7x the CPU of franz":                  "0.250x met",
		fourNone + ": within 1.2x of the slower of fetch and produce": "1.33x of produce NOT MET",
		"peak RSS of mirror at most 100 MB":                           "50 MB (" + fourNone + ") met",
	}
	for wanted, verdict := range want {
		if verdicts[wanted] != verdict {
			t.Errorf("%s: got %q, want %q", wanted, verdicts[wanted], verdict)
		}
	}
	if len(verdicts) != len(want) {
		t.Errorf("bars of what was not measured are among %v", verdicts)
	}
}

func TestBarsKnowScenarios(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, s := range scenarios() {
		known[s.name()] = true
	}
	for _, name := range []string{fourNone, fourLZ4, fourZstd, oneNone} {
		if !known[name] {
			t.Errorf("a bar is about %q, which is no scenario", name)
		}
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "README.md")
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, readme, 0o644); err != nil {
		t.Fatal(err)
	}

	for _, machine := range []string{"first machine", "second machine"} {
		r := measured()
		r.Machine = machine
		if err := r.write(path); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got := string(text)
	if !strings.Contains(got, "2026-01-02, second machine.") || strings.Contains(got, "first machine") {
		t.Errorf("the last results are not alone in\n%s", got)
	}
	before, _, _ := strings.Cut(string(readme), page.Copiers)
	if !strings.HasPrefix(got, before) {
		t.Error("what stands before the results has changed")
	}
}

func TestPayload(t *testing.T) {
	t.Parallel()
	for _, size := range []int{100, 1024} {
		var text []byte
		seen := map[string]bool{}
		one, other := newPayload(size, 1, 0), newPayload(size, 1, 0)
		for range 800 {
			r, same := one.record(), other.record()
			if len(r.Key)+len(r.Value) != size {
				t.Fatalf("a record has %d bytes, want %d", len(r.Key)+len(r.Value), size)
			}
			if string(r.Value) != string(same.Value) {
				t.Fatal("the same seed gave other records")
			}
			seen[string(r.Value)] = true
			text = append(append(text, r.Key...), r.Value...)
		}
		encoder, err := zstd.NewWriter(nil)
		if err != nil {
			t.Fatal(err)
		}
		ratio := float64(len(text)) / float64(len(encoder.EncodeAll(text, nil)))
		if len(seen) != 800 || ratio < 2 || ratio > 6 {
			t.Errorf("%d bytes: %d different records of 800, compressed to 1/%.1f", size, len(seen), ratio)
		}
		t.Logf("%d bytes: 1/%.1f", size, ratio)
	}
}

func TestBatchFits(t *testing.T) {
	t.Parallel()
	const limit = 1_048_588 // max.message.bytes of a topic
	for _, s := range scenarios() {
		records := newPayload(s.Size, 1, 0)
		builder := batch.NewBuilder(batch.Options{MaxBytes: limit})
		for range s.Together {
			if !builder.Add(records.record()) {
				t.Errorf("%s: a batch of %d records is larger than a topic takes", s.name(), s.Together)
				break
			}
		}
	}
}
