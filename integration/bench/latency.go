package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// latencies are those of the local platform, in milliseconds, with the built
// function stamp.
type latencies struct {
	Count            int     `json:"count"`
	DispatchMedian   float64 `json:"dispatchMedian"`
	DispatchP99      float64 `json:"dispatchP99"`
	ProduceToHandler float64 `json:"produceToHandlerMedian"`
	ProduceToP99     float64 `json:"produceToHandlerP99"`
}

// latency runs the command that measures them, on a topic of its own.
func (b *bencher) latency(ctx context.Context) (*latencies, error) {
	topic := fmt.Sprintf("latency-%d", time.Now().UnixNano())
	if err := b.source.CreateTopic(ctx, kafka.TopicSpec{Name: topic, Partitions: 1}); err != nil {
		return nil, err
	}
	count := max(int(1000*min(b.options.scale, 1)), 10)
	command := exec.CommandContext(ctx, filepath.Join(b.dir, "latency"), "-source", b.sourceBroker, "-topic", topic,
		"-code", filepath.Join(b.dir, "stamp"), "-n", strconv.Itoa(count))
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("latency: %w", err)
	}
	var found latencies
	if err := json.Unmarshal(out, &found); err != nil {
		return nil, fmt.Errorf("latency: %w", err)
	}
	return &found, b.source.DeleteTopic(ctx, topic)
}
