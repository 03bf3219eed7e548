package event_test

import (
	"encoding/json"
	"log/slog"
	"slices"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/event"
)

// Every event is decoded and logged by package fn through these methods.
type decodable interface {
	json.Unmarshaler
	LogAttrs() []slog.Attr
}

func TestEverySampleIsAnEventOfItsKind(t *testing.T) {
	t.Parallel()
	events := map[string]func() decodable{
		event.KindKafka: func() decodable { return new(event.Kafka) },
		event.KindTimer: func() decodable { return new(event.Timer) },
		event.KindCOS:   func() decodable { return new(event.COS) },
		event.KindHTTP:  func() decodable { return new(event.HTTP) },
	}
	if !slices.IsSorted(event.Kinds()) || len(event.Kinds()) != len(events) {
		t.Errorf("the kinds are %v", event.Kinds())
	}
	for _, kind := range event.Kinds() {
		for target, empty := range events {
			err := empty().UnmarshalJSON(must(event.Sample(kind)))
			if (err == nil) != (kind == target) {
				t.Errorf("a %s event decoded as %s: %v", kind, target, err)
			}
		}
	}
}

func TestSampleOfAnUnknownKindListsTheKinds(t *testing.T) {
	t.Parallel()
	_, err := event.Sample("../kafka")
	want := `no event of kind "../kafka": want one of ckafka, cos, http, timer`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestSamplesBelongToTheCaller(t *testing.T) {
	t.Parallel()
	first := must(event.Sample(event.KindTimer))
	first[0] = 'x'
	if second := must(event.Sample(event.KindTimer)); second[0] != '{' {
		t.Error("a change of one sample shows in the next")
	}
}
