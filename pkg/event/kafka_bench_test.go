package event_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/scf-etl/scf-etl/pkg/event"
)

// bodies are the kinds of body that the speed promise is about, each of about 1 KB in the event.
func bodies() map[string]string {
	logLine := `{"ts":"2026-03-01T12:00:00.123Z","level":"info","msg":"order accepted","order":{"id":918273,"sku":"A-77","qty":3},"tags":["web","cn-south"]}`
	return map[string]string{
		"plain":   strings.Repeat("the quick brown fox jumps over the lazy dog, 0123456789 times. ", 16),
		"escaped": strings.Repeat(logLine, 6),
		"cjk":     strings.Repeat("云函数把主题中的记录写到另一个集群，一条不少，一条不多。", 13),
	}
}

// batch is an event of records with one body.
func batch(body string, records int) event.Kafka {
	k := event.Kafka{Records: make([]event.KafkaRecord, records)}
	for i := range k.Records {
		k.Records[i] = event.KafkaRecord{Topic: "orders", Partition: 3, Offset: int64(i) + 1e9, Body: []byte(body)}
		if i%2 == 0 {
			k.Records[i].Key = fmt.Appendf(nil, "customer-%d", i)
		}
	}
	return k
}

func BenchmarkKafkaDecode(b *testing.B) {
	for _, name := range []string{"plain", "escaped", "cjk", "cjk-escaped"} {
		for _, records := range []int{500, 5000} {
			payload := batch(bodies()[strings.TrimSuffix(name, "-escaped")], records).AppendJSON(nil)
			if name == "cjk-escaped" { // as an encoder that writes only ASCII has it
				payload = escapeWide(payload)
			}
			b.Run(fmt.Sprintf("%s/%d/event", name, records), func(b *testing.B) {
				b.SetBytes(int64(len(payload)))
				b.ReportAllocs()
				for b.Loop() {
					var k event.Kafka
					if err := k.UnmarshalJSON(payload); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(fmt.Sprintf("%s/%d/encoding-json", name, records), func(b *testing.B) {
				b.SetBytes(int64(len(payload)))
				b.ReportAllocs()
				for b.Loop() {
					var w plainEvent
					if err := json.Unmarshal(payload, &w); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// escapeWide writes every character above U+007F as \\uXXXX.
func escapeWide(payload []byte) []byte {
	var out []byte
	for _, r := range string(payload) {
		if r < 0x80 {
			out = append(out, byte(r))
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			out = fmt.Appendf(out, `\u%04x`, unit)
		}
	}
	return out
}

func BenchmarkKafkaEncode(b *testing.B) {
	for _, name := range []string{"plain", "escaped", "cjk"} {
		k := batch(bodies()[name], 500)
		w := toPlain(k)
		size := int64(len(k.AppendJSON(nil)))
		b.Run(name+"/event", func(b *testing.B) {
			b.SetBytes(size)
			e := event.NewKafkaEncoder(event.NullKeyText)
			for b.Loop() {
				e.Reset()
				for _, r := range k.Records {
					e.Add(r)
				}
			}
		})
		b.Run(name+"/encoding-json", func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				if _, err := json.Marshal(w); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
