package event

import (
	"embed"
	"fmt"
	"strings"
)

// The kinds of event, as commands and errors call them.
const (
	KindKafka = "ckafka"
	KindCOS   = "cos"
	KindHTTP  = "http"
	KindTimer = "timer"
)

//go:embed testdata/*.json
var samples embed.FS

// Kinds lists the kinds of event that there is a sample of, in alphabetical order.
func Kinds() []string {
	return []string{KindKafka, KindCOS, KindHTTP, KindTimer}
}

// Sample is a complete event of the given kind, one of [Kinds], as the platform sends it. The caller owns
// the bytes. Another kind is an error that lists the kinds.
func Sample(kind string) ([]byte, error) {
	for _, k := range Kinds() {
		if k == kind {
			return samples.ReadFile("testdata/" + kind + ".json")
		}
	}
	return nil, fmt.Errorf("no event of kind %q: want one of %s", kind, strings.Join(Kinds(), ", "))
}
