package mirror

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// witnessTopic is in every Apache Kafka cluster that has consumer groups. A
// broker deletes a checkpoint together with the target topic that it is
// committed for; the topic ids, committed once more for a topic that nobody
// deletes, tell a cold copier that its target is another one. Where the user
// may not see the topic, or the cluster has none, only a warm copier knows.
const witnessTopic = "__consumer_offsets"

// witnessEvery is how often the witness is told: what it knows expires like any
// committed offset, after a day at the earliest by a broker's defaults
// (offsets.retention.minutes, 0.11 to 1.1).
const witnessEvery = time.Hour

// askWitness gives the topics of a checkpoint that is gone; none where there
// never was one.
func (p *partition) askWitness(ctx context.Context) (identity, error) {
	checkpoint, err := committed(ctx, p.Target, p.group(), witnessTopic)
	switch {
	case noWitness(err), err == nil && checkpoint.Offset < 0:
		return identity{}, nil
	case err != nil:
		return identity{}, err
	}
	return decodeNote(checkpoint.Metadata).identity, nil
}

// tellWitness commits a checkpoint for the witness, in the open transaction.
func (p *partition) tellWitness(ctx context.Context, checkpoint kafka.Committed) error {
	if p.noWitness.Load() {
		return nil
	}
	if !p.hasWitness.Load() { // to find out in the transaction would cost it
		_, err := p.Target.Topic(ctx, witnessTopic)
		if noWitness(err) {
			p.doWithout(ctx, err)
			return nil
		}
		if err != nil {
			return fmt.Errorf("target: %w", err)
		}
		p.hasWitness.Store(true)
	}
	err := p.producer.CommitOffsets(ctx, p.group(), witnessTopic, map[int32]kafka.Committed{checkpointPartition: checkpoint})
	if noWitness(err) { // the transaction is lost
		p.doWithout(ctx, err)
		return fmt.Errorf("%w: %w", errReopen, err)
	}
	return err
}

func noWitness(err error) bool {
	return errors.Is(err, kafka.ErrUnknownTopic) || errors.Is(err, kafka.ErrAuthorization)
}

// doWithout keeps the job from asking again.
func (j *job) doWithout(ctx context.Context, reason error) {
	j.noWitness.Store(true)
	j.Log(ctx).Debug("no witness: only a warm instance will notice that a target topic was created again", "reason", reason)
}
