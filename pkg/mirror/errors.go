package mirror

import (
	"errors"
	"fmt"
)

// Why a partition stopped before a wrong record, to be told apart with
// errors.Is; the errors themselves say what is missing and what to do.
var (
	// ErrGap: the source no longer has records that were not copied yet.
	ErrGap = errors.New("records are missing from the source")
	// ErrRecreated: a topic is not the one that the checkpoint was made with.
	ErrRecreated = errors.New("not the topic that was copied")
	// ErrTooLarge: a record is larger than the target topic takes.
	ErrTooLarge = errors.New("record too large for the target topic")
	// ErrNotStable: records cannot be read yet, because a transaction of the
	// source is still open.
	ErrNotStable = errors.New("records are behind an open transaction of the source")
	// ErrMissingTopic: the target topic does not exist and may not be created.
	ErrMissingTopic = errors.New("target topic does not exist")
	// ErrMissingPartition: the target topic has too few partitions
	// (Config.KeepPartitions).
	ErrMissingPartition = errors.New("the target topic has no partition of that number")
	// ErrLostCheckpoint: there are copied records and no checkpoint.
	ErrLostCheckpoint = errors.New("the checkpoint is gone")
	// ErrClosed: the copy of the partition was ended for good ([CloseCopy]).
	ErrClosed = errors.New("the copy was closed")
	// ErrSameTopic: source and target are one topic. Each copy would be a new
	// record to copy, without end.
	ErrSameTopic = errors.New("source and target are the same topic")
)

// GapError stops a partition whose next records are gone from the source:
// retention was faster than the copy, or records were deleted.
type GapError struct {
	Job       string
	Topic     string // of the source
	Partition int32
	Target    string // topic
	Next      int64  // first offset that is missing
	Available int64  // first offset after it that the source has
}

// Error names what is missing and the two commands that choose what happens next.
func (e *GapError) Error() string {
	return fmt.Sprintf("copy %s/%d: %v: offsets %d to %d (%d) are gone, the next that is there is %d; nothing after the gap was copied. "+
		"To go on without them: etl offsets reset %s --partition %d --to %d --execute. "+
		"To copy them from elsewhere first, look at what is done so far: etl offsets show %s",
		e.Topic, e.Partition, ErrGap, e.Next, e.Available-1, e.Available-e.Next, e.Available,
		jobFlags(e.Job, e.Topic, e.Target), e.Partition, e.Available, jobFlags(e.Job, e.Topic, e.Target))
}

// Unwrap gives [ErrGap].
func (e *GapError) Unwrap() error { return ErrGap }

// RecreatedError stops a partition whose source or target is not the topic of
// the checkpoint any more: its offsets would mean other records.
type RecreatedError struct {
	Job       string
	Topic     string // of the source
	Partition int32
	Target    string // topic
	Next      int64  // the checkpoint
	Which     string // the topic that was created again, in words
	Evidence  string // how it is known
}

// Error names the evidence and the two commands that choose what happens next.
func (e *RecreatedError) Error() string {
	return fmt.Sprintf("copy %s/%d from offset %d: %s is %v (%s); nothing was copied. "+
		"To copy the topic as it is now from its beginning: etl offsets reset %s --partition %d --to earliest --execute. "+
		"To copy only what comes from now on: etl offsets reset %s --partition %d --to latest --execute",
		e.Topic, e.Partition, e.Next, e.Which, ErrRecreated, e.Evidence,
		jobFlags(e.Job, e.Topic, e.Target), e.Partition, jobFlags(e.Job, e.Topic, e.Target), e.Partition)
}

// Unwrap gives [ErrRecreated].
func (e *RecreatedError) Unwrap() error { return ErrRecreated }

// jobFlags are the flags that name a copied topic in a command.
func jobFlags(job, topic, target string) string {
	flags := "--job " + job + " --topic " + topic
	if target != topic {
		flags += " --topics " + topic + ":" + target
	}
	return flags
}

// TooLargeError stops a partition at a record that the target refuses for its
// size. What is before it has been copied.
type TooLargeError struct {
	Topic     string // of the source
	Partition int32
	Offset    int64 // of the record
	Size      int   // bytes of the smallest batch that holds it
	Target    string
	Limit     int // max.message.bytes of the target topic; 0: not known
}

// Error names record, size and limit, and the setting to raise.
func (e *TooLargeError) Error() string {
	limit := "unknown"
	if e.Limit > 0 {
		limit = fmt.Sprint(e.Limit)
	}
	return fmt.Sprintf("copy %s/%d: %v: offset %d makes a batch of %d bytes, max.message.bytes of target topic %s is %s: raise it and the copy goes on at this record",
		e.Topic, e.Partition, ErrTooLarge, e.Offset, e.Size, e.Target, limit)
}

// Unwrap gives [ErrTooLarge].
func (e *TooLargeError) Unwrap() error { return ErrTooLarge }
