package main

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/event"
)

func TestEvent(t *testing.T) {
	t.Parallel()
	t.Run("an event of a bucket, one of a topic and a message by hand are told apart", func(t *testing.T) {
		t.Parallel()
		bucket, err := os.ReadFile("testdata/event.json")
		if err != nil {
			t.Fatal(err)
		}
		topic, err := event.Sample(event.KindKafka)
		if err != nil {
			t.Fatal(err)
		}
		var e Event
		if err := json.Unmarshal(bucket, &e); err != nil || len(e.Objects.Records) != 1 || e.Objects.Records[0].Key != "media/clip.mp4" {
			t.Errorf("%+v, %v", e, err)
		}
		if err := json.Unmarshal(topic, &e); err != nil || len(e.Records.Records) == 0 || e.Objects.Records != nil {
			t.Errorf("%+v, %v", e, err)
		}
		if err := json.Unmarshal([]byte(`{"input":"a","outputs":["gif"]}`), &e); err != nil || e.Message == nil || e.Records.Records != nil {
			t.Errorf("%+v, %v", e, err)
		}
	})
	t.Run("what is none of them is refused", func(t *testing.T) {
		t.Parallel()
		for _, text := range []string{`{}`, `[]`, `null`, `{"Records":1}`, `{"Records":[{"cos":{}}]}`, `{"Records":[{"other":{}}]}`, `{"Records":[]}x`} {
			var e Event
			if err := json.Unmarshal([]byte(text), &e); err == nil {
				t.Errorf("%s is %+v", text, e)
			}
		}
	})
}

func FuzzEvent(f *testing.F) {
	for _, kind := range event.Kinds() {
		sample, err := event.Sample(kind)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(sample)
	}
	f.Add([]byte(`{"input":"a","outputs":["gif"]}`))
	f.Add([]byte(`{"piece":{"job":"0123456789abcdef0123456789abcdef","output":"transcoded/x","number":3}}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		var e Event
		if e.UnmarshalJSON(payload) == nil {
			_ = e.LogAttrs()
			if e.Message != nil && e.Message.Request == nil && e.Message.Piece == nil {
				t.Error("a message that says nothing is taken")
			}
		}
	})
}
