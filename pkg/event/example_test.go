package event_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/scf-etl/scf-etl/pkg/event"
)

func ExampleKafka() {
	payload := []byte(`{"Records":[
		{"Ckafka":{"topic":"orders","partition":1,"offset":36,"msgKey":"None","msgBody":"{\"id\":1}"}},
		{"Ckafka":{"topic":"orders","partition":1,"offset":37,"msgKey":"k","msgBody":"深圳"}}]}`)
	var k event.Kafka
	if err := k.UnmarshalJSON(payload); err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range k.Records {
		fmt.Printf("%s/%d at %d: key %q (maybe null: %v), body %s\n", r.Topic, r.Partition, r.Offset, r.Key, r.NullKey(), r.Body)
	}
	fmt.Println(k.Ranges())
	// Output:
	// orders/1 at 36: key "None" (maybe null: true), body {"id":1}
	// orders/1 at 37: key "k" (maybe null: false), body 深圳
	// [orders/1:36-37]
}

func ExampleDecodeError() {
	var k event.Kafka
	err := k.UnmarshalJSON([]byte(`{"Records":[{"Ckafka":{"topic":"orders","partition":-1,"offset":36}}]}`))
	fmt.Println(err)
	if fault, ok := errors.AsType[*event.DecodeError](err); ok {
		fmt.Println(fault.Record, fault.Field)
	}
	// Output:
	// decode ckafka event: record 0: partition: it is negative (byte 12)
	// 0 partition
}

func ExampleKafkaEncoder() {
	const limit = 200 // the platform's is 6 MB
	records := []event.KafkaRecord{
		{Topic: "t", Offset: 0, Body: []byte("first")},
		{Topic: "t", Offset: 1, Body: []byte("second")},
		{Topic: "t", Offset: 2, Body: []byte("third")},
	}
	e := event.NewKafkaEncoder(event.NullKeyText)
	for _, r := range records {
		if !e.TryAdd(r, limit) {
			fmt.Println(e.Count(), "records,", e.Len(), "bytes")
			e.Reset()
			e.Add(r)
		}
	}
	fmt.Println(string(e.Bytes()))
	// Output:
	// 2 records, 182 bytes
	// {"Records":[{"Ckafka":{"topic":"t","partition":0,"offset":2,"msgKey":"None","msgBody":"third"}}]}
}

func ExampleTimer() {
	var t event.Timer
	err := t.UnmarshalJSON([]byte(`{"Type":"Timer","TriggerName":"EveryDay","Time":"2019-02-21T11:49:00Z","Message":"30d"}`))
	fmt.Println(t.TriggerName, t.Time.Format(time.DateTime), t.Message, err)
	// Output: EveryDay 2019-02-21 11:49:00 30d <nil>
}

func ExampleCOS() {
	payload, _ := event.Sample(event.KindCOS)
	var c event.COS
	if err := c.UnmarshalJSON(payload); err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range c.Records {
		fmt.Println(r.Event, r.FullBucket(), r.Key, r.Size)
	}
	// Output: cos:ObjectCreated:Put uploads-1250000000 video/in/clip.mp4 1029
}

func ExampleHTTP() {
	payload, _ := event.Sample(event.KindHTTP)
	var h event.HTTP
	if err := h.UnmarshalJSON(payload); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(h.Method, h.Path, h.Query.Get("a"), h.Header.Get("Content-Type"), string(h.Body))
	answer, _ := json.Marshal(event.HTTPResponse{StatusCode: 201, Body: []byte("stored")})
	fmt.Println(string(answer))
	// Output:
	// POST /orders 1 application/json {"test":"hello world"}
	// {"isBase64Encoded":false,"statusCode":201,"headers":{},"body":"stored"}
}
