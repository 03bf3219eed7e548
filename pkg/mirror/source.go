package mirror

import (
	"context"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// Source has the batches of partitions, as a [kafka.Client] gives them: what each
// call promises is said there. The ids of topics tell one that was created again.
type Source interface {
	// Fetch gives batches from an offset on, with the aborted transactions among
	// them. [kafka.ErrOffsetOutOfRange] where it does not have the offset.
	Fetch(ctx context.Context, q kafka.FetchRequest, buf *kafka.Buffer) (kafka.FetchResponse, error)
	// Topic describes a topic; [kafka.ErrUnknownTopic] where there is none.
	Topic(ctx context.Context, name string) (kafka.Topic, error)
	// Offsets gives where partitions begin ([kafka.Earliest]) and end ([kafka.Latest]).
	Offsets(ctx context.Context, topic string, at int64, partitions ...int32) (map[int32]int64, error)
	// TopicSettings gives the settings in force, and the topic's own of them.
	TopicSettings(ctx context.Context, name string) (all, own map[string]string, err error)
}

var _ Source = (*kafka.Client)(nil)
