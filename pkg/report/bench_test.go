package report_test

import (
	"os"
	"testing"
)

func BenchmarkHTML(b *testing.B) {
	text, err := os.ReadFile("testdata/report.yaml")
	if err != nil {
		b.Fatal(err)
	}
	made := run(b, string(text), web())
	for b.Loop() {
		html(b, made)
	}
}
