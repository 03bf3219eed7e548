package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// lines is a topic of JSON lines of an access log, of one partition, that has the same batches over and over: so it
// takes no memory, and no broker.
type lines struct {
	rows    int64
	batches []batch.Batch
	sizes   []int64 // of the lines of each
	read    int64   // bytes of lines that were fetched
}

const perBatch = 1000

func newLines(rows int64) (*lines, error) {
	random := rand.New(rand.NewPCG(1, 2))
	l := &lines{rows: rows}
	for range 20 {
		var records []batch.Record
		var size int64
		for i := range perBatch {
			value := fmt.Sprintf(
				`{"time":"2026-11-27T09:%02d:%02d.%03dZ","client":"10.%d.%d.%d","method":%q,"path":"/v1/items/%d","status":%d,"size":%d,`+
					`"duration":%.6f,"agent":%q,"user":"user-%d","cached":%v}`,
				random.IntN(60),
				random.IntN(60),
				random.IntN(1000),
				random.IntN(4),
				random.IntN(256),
				random.IntN(256),
				[]string{"GET", "POST", "PUT"}[random.IntN(3)],
				random.IntN(5000),
				[]int{200, 200, 200, 304, 404, 500}[random.IntN(6)],
				random.IntN(100_000),
				random.Float64(),
				[]string{"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", "curl/8.5.0", "Go-http-client/2.0"}[random.IntN(3)],
				random.IntN(20_000),
				random.IntN(2) == 0,
			)
			records = append(records, batch.Record{Timestamp: 1_795_770_000_000 + int64(i), Value: []byte(value)})
			size += int64(len(value)) + 1
		}
		b, err := batch.Build(batch.Options{}, records)
		if err != nil {
			return nil, err
		}
		l.batches, l.sizes = append(l.batches, b), append(l.sizes, size)
	}
	return l, nil
}

// Fetch gives batches from the one with an offset on.
func (l *lines) Fetch(_ context.Context, q kafka.FetchRequest, buf *kafka.Buffer) (kafka.FetchResponse, error) {
	answer := kafka.FetchResponse{HighWatermark: l.rows, LastStable: l.rows}
	memory := buf.Bytes(int(q.MaxBytes))
	used := 0
	for n := q.Offset / perBatch; n*perBatch < l.rows; n++ {
		b := l.batches[n%int64(len(l.batches))]
		if used+len(b) > len(memory) {
			break
		}
		copy(memory[used:], b)
		binary.BigEndian.PutUint64(memory[used:], uint64(n*perBatch))
		used += len(b)
		l.read += l.sizes[n%int64(len(l.batches))]
	}
	answer.Batches = memory[:used]
	return answer, nil
}

// Topic describes the topic.
func (l *lines) Topic(_ context.Context, name string) (kafka.Topic, error) {
	return kafka.Topic{Name: name, ID: kafka.TopicID{1}, Partitions: []kafka.Partition{{}}}, nil
}

// Offsets gives its ends.
func (l *lines) Offsets(_ context.Context, _ string, at int64, _ ...int32) (map[int32]int64, error) {
	if at == kafka.Earliest {
		return map[int32]int64{0: 0}, nil
	}
	return map[int32]int64{0: l.rows}, nil
}

// TopicSettings gives none.
func (l *lines) TopicSettings(context.Context, string) (all, own map[string]string, err error) {
	return map[string]string{}, map[string]string{}, nil
}
