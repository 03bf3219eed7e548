package event_test

import (
	"encoding/json"

	"github.com/scf-etl/scf-etl/pkg/event"
)

// wireEvent mirrors the documented event for encoding/json, which is the reference for the decoder.
type wireEvent struct {
	Records []struct {
		Ckafka struct {
			Topic     string          `json:"topic"`
			Partition optional[int32] `json:"partition"`
			Offset    optional[int64] `json:"offset"`
			MsgKey    *string         `json:"msgKey"`
			MsgBody   *string         `json:"msgBody"`
		}
	}
}

// optional is a number that knows whether it was there. Like a plain number, it ignores null.
type optional[T int32 | int64] struct {
	value T
	set   bool
}

func (o *optional[T]) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	o.set = true
	return json.Unmarshal(data, &o.value)
}

// reference decodes with encoding/json and applies the rules that come on top of it. The event is the
// zero value where ok is false.
func reference(payload []byte) (k event.Kafka, ok bool) {
	var w wireEvent
	if err := json.Unmarshal(payload, &w); err != nil || w.Records == nil {
		return event.Kafka{}, false
	}
	k.Records = make([]event.KafkaRecord, len(w.Records))
	for i := range w.Records {
		m := &w.Records[i].Ckafka
		if m.Topic == "" || !m.Partition.set || !m.Offset.set || m.Partition.value < 0 || m.Offset.value < 0 {
			return event.Kafka{}, false
		}
		k.Records[i] = event.KafkaRecord{
			Topic: m.Topic, Partition: m.Partition.value, Offset: m.Offset.value,
			Key: optionalBytes(m.MsgKey), Body: optionalBytes(m.MsgBody),
		}
	}
	return k, true
}

func optionalBytes(s *string) []byte {
	if s == nil {
		return nil
	}
	return []byte(*s)
}

// plainEvent is the event as a function would declare it for encoding/json.
type plainEvent struct {
	Records []plainRecord
}

type plainRecord struct {
	Ckafka struct {
		Topic     string `json:"topic"`
		Partition int32  `json:"partition"`
		Offset    int64  `json:"offset"`
		MsgKey    string `json:"msgKey"`
		MsgBody   string `json:"msgBody"`
	}
}

func toPlain(k event.Kafka) plainEvent {
	w := plainEvent{Records: make([]plainRecord, len(k.Records))}
	for i, r := range k.Records {
		m := &w.Records[i].Ckafka
		m.Topic, m.Partition, m.Offset, m.MsgKey, m.MsgBody = r.Topic, r.Partition, r.Offset, string(r.Key), string(r.Body)
	}
	return w
}
