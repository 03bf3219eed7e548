package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// worker backs up one partition. While segments are digested and uploaded the next one is
// fetched.
type worker struct {
	*run
	topic     *Topic
	partition *Partition

	next    int64 // of the log that is being gathered: what is recorded is behind it
	epoch   int32
	log     []byte // being gathered, of whole units whose checksums were verified
	first   int64
	end     int64     // behind the last offset in log
	aborted []Aborted // that touch it
	skips   *aborts
	sealing []chan sealed // of the segments before, in order
	failed  bool          // a segment was not recorded: none behind it may be
}

// sealed is a segment that was uploaded, or why it was not.
type sealed struct {
	segment Segment
	epoch   int32
	err     error
}

const (
	fetchBytes = 2 << 20
	fetchWait  = 200 * time.Millisecond
	sealings   = 2 // segments of a partition that are digested and uploaded at a time
)

// work brings the partition to its end, or as far as there is time.
func (w *worker) work(ctx context.Context) error {
	buffer, ok := w.buffers.Get().(*kafka.Buffer)
	if !ok {
		buffer = new(kafka.Buffer)
	}
	defer w.buffers.Put(buffer)
	w.next, w.epoch, w.skips = w.partition.Next, w.partition.Epoch, newAborts(nil)
	w.open()
	defer func() { w.logs.give(w.log) }()
	err := w.gather(ctx, buffer)
	// What was fetched before an error is worth keeping, too.
	switch {
	case len(w.log) == 0 || w.failed:
	case ctx.Err() != nil: // what was fetched is in no segment
		err = errors.Join(err, context.Cause(ctx))
	default:
		err = errors.Join(err, w.cut(ctx))
	}
	if err = errors.Join(err, w.settle(ctx, 0)); err == nil {
		w.advance(w.partition, w.next)
	}
	return err
}

// gather fetches until the end, and cuts segments.
func (w *worker) gather(ctx context.Context, buffer *kafka.Buffer) error {
	for w.next < w.partition.End && w.inTime() {
		answer, err := w.fetch(ctx, buffer)
		if err != nil {
			return err
		}
		if w.next == w.partition.End {
			return nil
		}
		before := w.next
		if err := w.take(ctx, answer); err != nil {
			return err
		}
		if w.next == before {
			return fmt.Errorf(
				"at offset %d: the broker gave %d bytes without a whole batch below offset %d",
				w.next,
				len(answer.Batches),
				w.partition.End,
			)
		}
	}
	return nil
}

func (w *worker) inTime() bool { return w.until.IsZero() || time.Now().Before(w.until) }

// fetch gets what comes at next. A leader that moves, or is behind for a moment, is
// waited for.
func (w *worker) fetch(ctx context.Context, buffer *kafka.Buffer) (kafka.FetchResponse, error) {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = 10*time.Millisecond, time.Second
	for since := time.Now(); ; {
		answer, err := w.Source.Fetch(ctx, kafka.FetchRequest{
			Topic: w.topic.Name, Partition: w.partition.Number, Offset: w.next,
			MinBytes: 1, MaxBytes: fetchBytes, MaxWait: fetchWait, ReadCommitted: true,
		}, buffer)
		switch {
		case errors.Is(err, kafka.ErrOffsetOutOfRange):
			if moved, err := w.deleted(ctx); err != nil || moved {
				if err != nil {
					return answer, err
				}
				continue
			}
		case err == nil && len(answer.Batches) > 0:
			return answer, nil
		case err == nil:
			if answer.LastStable >= w.partition.End {
				if ended, err := w.compactedEnd(ctx); err != nil || ended {
					return answer, err
				}
			}
			err = fmt.Errorf("nothing at offset %d, and the last stable offset was %d", w.next, w.partition.End)
		case !kafka.Retriable(err):
			return answer, err
		}
		if time.Since(since) > w.RetryFor || !w.inTime() || pause(ctx, wait.NextBackOff()) != nil {
			return answer, err
		}
	}
}

// compactedEnd is called where nothing stable comes at next, though the end is behind it.
// It is true, and next is the end, where compaction has taken away what was between.
func (w *worker) compactedEnd(ctx context.Context) (bool, error) {
	var own kafka.Buffer // the answer is looked at once
	answer, err := w.Source.Fetch(
		ctx,
		kafka.FetchRequest{Topic: w.topic.Name, Partition: w.partition.Number, Offset: w.next, MaxBytes: 1},
		&own,
	)
	if err != nil || len(answer.Batches) == 0 {
		return false, nil // the loop says what is wrong
	}
	u, err := nextUnit(answer.Batches)
	if err != nil || u.first < w.partition.End {
		return false, nil
	}
	w.next = w.partition.End
	return true, nil
}

// deleted is called where next is out of range. Where the log begins behind it now, that
// is a gap, and true.
func (w *worker) deleted(ctx context.Context) (bool, error) {
	starts, err := w.Source.Offsets(ctx, w.topic.Name, kafka.Earliest, w.partition.Number)
	if err != nil {
		return false, err
	}
	start := starts[w.partition.Number]
	if start <= w.next {
		return false, nil
	}
	if len(w.log) > 0 {
		if err := w.cut(ctx); err != nil {
			return false, err
		}
	}
	if err := w.settle(ctx, 0); err != nil {
		return false, err
	}
	w.lose(ctx, w.topic.Name, w.partition, start)
	w.next, w.first, w.aborted, w.skips = start, start, nil, newAborts(nil)
	return true, nil
}

// take adds the batches of a fetch to the log.
func (w *worker) take(ctx context.Context, answer kafka.FetchResponse) error {
	var list []Aborted
	for _, a := range answer.Aborted {
		list = append(list, Aborted{a.ProducerID, a.FirstOffset})
	}
	w.skips.add(list)
	for rest := answer.Batches; len(rest) > 0; {
		u, err := nextUnit(rest)
		if errors.Is(err, errCut) {
			return nil // as a fetch may be
		}
		if err != nil {
			return fmt.Errorf("at offset %d: %w", w.next, err)
		}
		rest = rest[len(u.bytes):]
		if u.LastOffset() < w.next {
			continue
		}
		if u.LastOffset() >= w.partition.End {
			if w.next < w.partition.End && u.first >= w.partition.End {
				w.next = w.partition.End // compaction took away what was before it
			}
			return nil
		}
		w.skips.skip(u)
		w.aborted = append(w.aborted, w.skips.took()...)
		if u.Batch != nil {
			w.epoch = u.Batch.LeaderEpoch()
		}
		w.log = append(w.log, u.bytes...)
		w.next = u.LastOffset() + 1
		if w.end = w.next; len(w.log) >= w.SegmentBytes {
			if err := w.cut(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// open begins a segment at next.
func (w *worker) open() {
	w.log, w.first, w.aborted = w.logs.take(min(w.SegmentBytes+w.SegmentBytes/4, 64<<20)), w.next, w.skips.opened()
}

// cut ends the segment at hand, and digests and uploads it beside what goes on.
func (w *worker) cut(ctx context.Context) error {
	if err := w.settle(ctx, sealings-1); err != nil {
		return err
	}
	sortAborted(w.aborted)
	log, segment, epoch := w.log, Segment{First: w.first, Next: w.end, Aborted: w.aborted}, w.epoch
	w.open()
	done := make(chan sealed, 1)
	w.sealing = append(w.sealing, done)
	go func() {
		segment, err := w.seal(ctx, log, segment)
		w.logs.give(log)
		done <- sealed{segment, epoch, err}
	}()
	return nil
}

// settle waits for segments, the first ones first, until no more than left are under way, and
// records them. All are waited for behind one that was not recorded.
func (w *worker) settle(ctx context.Context, left int) error {
	var faults []error
	for len(w.sealing) > left || w.failed && len(w.sealing) > 0 {
		done := <-w.sealing[0]
		w.sealing = w.sealing[1:]
		if done.err == nil && !w.failed {
			done.err = w.add(ctx, w.partition, done.segment, done.epoch)
		}
		if done.err != nil {
			w.failed = true
			faults = append(faults, done.err)
		}
	}
	return errors.Join(faults...)
}

// seal makes an object of a log and uploads it, while its records are digested.
func (w *worker) seal(ctx context.Context, log []byte, s Segment) (Segment, error) {
	s.Log = sumOf(log)
	inspected := make(chan error, 1)
	var c content
	go func() {
		decoder, ok := w.decoders.Get().(*batch.Decoder)
		if !ok {
			decoder = &batch.Decoder{Limit: maxDecoded}
		}
		defer w.decoders.Put(decoder)
		var err error
		c, _, err = inspect(trusted(log), s, w.state.Time, decoder)
		inspected <- err
	}()
	uploaded, err := w.store(ctx, log, s)
	if wrong := <-inspected; wrong != nil {
		return s, fmt.Errorf("the segment of offsets %d to %d: %w", s.First, s.Next-1, wrong)
	}
	if err != nil {
		return s, err
	}
	if c.unreadable != nil {
		w.Log(ctx).
			Warn("records are kept as they are, and cannot be decoded", "topic", w.topic.Name, "partition", w.partition.Number, "reason", c.unreadable)
	}
	s = uploaded
	s.Records, s.Content, s.MinTime, s.MaxTime = c.records, c.digest, c.minTime, c.maxTime
	return s, w.same(ctx)
}

// store makes an object of a log and uploads it.
func (w *worker) store(ctx context.Context, log []byte, s Segment) (_ Segment, err error) {
	object := log
	if w.Compress && mostlyUncompressed(log) {
		small := w.zstd.EncodeAll(log, w.packed.take(len(log)/4))
		defer w.packed.give(small)
		if len(small) < len(log)-len(log)/16 {
			object, s.Encoding = small, Zstd
		}
	}
	if w.Recipients != nil {
		if recipients := w.Recipients(w.topic.Name); len(recipients) > 0 {
			if object, err = encrypt(object, recipients); err != nil {
				return s, err
			}
			if s.Encoding == Zstd {
				s.Encoding = ZstdAndEncrypted
			} else {
				s.Encoding = Encrypted
			}
		}
	}
	s.Object = s.Log
	if s.Encoding != Plain {
		s.Object = sumOf(object)
	}
	return s, w.upload(ctx, &s, object)
}

// The notes that a segment's object is created with.
const (
	noteObject = "sha256"
	noteLog    = "log-sha256"
)

// takeOver is how old an object may be that a killed run has left and another one takes over:
// less than what a prune removes for its age, by as much as clocks may differ.
const takeOver = leftoverAge / 2

// upload creates the object. Where a run that was killed, or another one, has created
// it, that one is taken, if its content is what it says of itself. One that is old a prune
// may be about to remove: another is created beside it.
func (w *worker) upload(ctx context.Context, s *Segment, object []byte) error {
	where := place{w.topic.Name, w.topic.Lineage, w.partition.Number}
	for ; s.Copy < maxCopies; s.Copy++ {
		key := w.chain.layout.segment(where, *s)
		err := w.Store.Create(ctx, key, object, map[string]string{noteObject: s.Object.SHA256, noteLog: s.Log.SHA256})
		if !errors.Is(err, ErrExists) {
			return err
		}
		there, err := w.Store.Stat(ctx, key)
		if err != nil {
			return err
		}
		if !there.Modified.IsZero() && w.Now().Sub(there.Modified) > takeOver {
			continue
		}
		if ours, err := w.ours(ctx, s, there, int64(len(object))); err != nil || ours {
			return err
		}
		return w.Store.Write(ctx, key, object) // somebody has put something else there
	}
	return fmt.Errorf("killed runs have left %d objects of the offsets %d to %d: prune the backup", maxCopies, s.First, s.Next-1)
}

// ours says that an object that is there is the segment's, and makes it so.
func (w *worker) ours(ctx context.Context, s *Segment, there Object, size int64) (bool, error) {
	likely := there.Size > 0 && there.Size <= 2*size+64<<10 // as others compress and encrypt
	if !likely || there.Note[noteLog] != s.Log.SHA256 || !hexDigest.MatchString(there.Note[noteObject]) {
		return false, nil
	}
	content, err := read(ctx, w.Store, there.Key, nil, there.Size)
	if err != nil && !errors.Is(err, ErrDamaged) {
		return false, err
	}
	sum := Sum{Bytes: there.Size, SHA256: there.Note[noteObject]}
	if err != nil || sumOf(content) != sum {
		return false, nil
	}
	s.Object = sum
	return true, nil
}

// same makes sure that what was fetched is of the topic that the state speaks of: ids
// never come back.
func (w *worker) same(ctx context.Context) error {
	if w.topic.ID == "" {
		return nil
	}
	now, err := w.Source.Topic(ctx, w.topic.Name)
	if err != nil {
		return err
	}
	if now.ID.String() != w.topic.ID {
		return fmt.Errorf("it was deleted and created again meanwhile: the next run begins a new lineage")
	}
	return nil
}

func sumOf(p []byte) Sum {
	sum := sha256.Sum256(p)
	return Sum{Bytes: int64(len(p)), SHA256: hex.EncodeToString(sum[:])}
}

// mostlyUncompressed says that at least half of a log's bytes are not compressed.
func mostlyUncompressed(log []byte) bool {
	plain := 0
	for u, err := range trusted(log) {
		if err != nil {
			break
		}
		if u.Batch != nil && u.Batch.Codec() == batch.None || u.Message != nil && u.Message.Codec() == batch.None {
			plain += len(u.bytes)
		}
	}
	return 2*plain >= len(log)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
