package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// measured is a report of one job, in which ours is at 50 MiB/s, and the ways of the
// peer are at 10 and 20.
func measured() *report {
	one := func(mib int64) measure {
		return measure{bytes: mib << 20, records: 1000 * mib, spent: time.Second, allocations: uint64(2000 * mib)}
	}
	return &report{
		date: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), machine: "2 cores", load: "0.10", options: options{rounds: 3, spend: time.Second},
		results: []result{{
			comparison: comparison{name: "job", least: 40, times: 3}, ways: []string{ours, byProcessors, byStream},
			measures: map[string][]measure{
				ours:         {one(50), one(1), one(90)},
				byProcessors: {one(10)},
				byStream:     {one(20)},
			},
		}},
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	got := measured().table()
	for i, want := range []string{"job|transform|50.0|50,000|2.0|", "job|benthos processors|10.0|10,000|2.0|5.0x"} {
		if line := strings.Join(got[i+1], "|"); line != want {
			t.Errorf("got %s, want %s", line, want)
		}
	}
}

func TestBars(t *testing.T) {
	t.Parallel()
	var got []string
	for _, b := range measured().bars() {
		got = append(got, b.Wanted+": "+b.Measured+" "+b.Verdict())
	}
	want := []string{
		"job: at least 40 MiB/s a core: 50.0 MiB/s met",
		"job: at least 3x the fastest way of benthos: 2.5x of stream NOT MET",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "README.md")
	if err := os.WriteFile(path, readme, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := measured().write(path); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(got), "2026-01-02, 2 cores, on one of them, with a load of 0.10 before it began.") {
		t.Errorf("no results in\n%s", got)
	}
	for _, other := range []string{"## Results", "peak RSS of mirror"} {
		if strings.Count(string(got), other) != strings.Count(string(readme), other) {
			t.Errorf("what stands beside the results has changed: %s", other)
		}
	}
}
