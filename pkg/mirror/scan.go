package mirror

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

const (
	// scanBytes is how much one fetch of a scan asks for. Two such buffers a
	// scan are in memory: one is decoded while the other is read.
	scanBytes = 2 << 20

	// scanPatience is how long a scan goes on asking without getting further.
	scanPatience = 15 * time.Second
)

// scan reads the committed records of one side in order. Its read-ahead runs
// from newScan to close.
type scan struct {
	side    Side
	seen    func(offsets, bytes int64) // called for each fetch that got further; may be nil
	fetches chan scanned
	stop    context.CancelFunc

	units   []kafka.Stored // of the fetch at hand, not yet decoded
	records []batch.Record // of the unit at hand, not yet given out
	memory  []batch.Record // what records is a part of
	decoder batch.Decoder
	ended   bool // all that the side has was fetched
	err     error
}

// scanned is one fetch, checked and split into batches.
type scanned struct {
	units []kafka.Stored
	last  bool
	err   error
}

func newScan(ctx context.Context, side Side, seen func(offsets, bytes int64)) *scan {
	ctx, stop := context.WithCancel(ctx)
	s := &scan{side: side, seen: seen, fetches: make(chan scanned), stop: stop, ended: side.First >= side.End}
	go s.read(ctx)
	return s
}

// close ends the read-ahead and waits for it.
func (s *scan) close() {
	s.stop()
	for range s.fetches {
	}
}

// next gives the next record, nil at the end. It is valid until the next call.
func (s *scan) next(ctx context.Context) (*batch.Record, error) {
	for len(s.records) == 0 {
		if more, err := s.unit(ctx); err != nil || !more {
			return nil, err
		}
		if s.err = s.decode(); s.err != nil {
			return nil, s.err
		}
	}
	r := &s.records[0]
	s.records = s.records[1:]
	return r, nil
}

// boundary gives the batch that comes next, where all of its records do; nil
// anywhere else.
func (s *scan) boundary(ctx context.Context) (batch.Batch, error) {
	if len(s.records) > 0 {
		return nil, nil
	}
	for {
		if more, err := s.unit(ctx); err != nil || !more {
			return nil, err
		}
		if !s.units[0].Skip {
			break
		}
		s.units = s.units[1:]
	}
	b := s.units[0].Batch
	if b == nil || b.BaseOffset() < s.side.First || b.LastOffset() >= s.side.End {
		return nil, nil
	}
	return b, nil
}

// unit makes sure that there is one to decode; false at the end.
func (s *scan) unit(ctx context.Context) (bool, error) {
	for len(s.units) == 0 && s.err == nil {
		if s.ended {
			return false, nil
		}
		fetched, ok := <-s.fetches
		if !ok {
			return false, context.Cause(ctx)
		}
		s.units, s.ended, s.err = fetched.units, fetched.last, fetched.err
	}
	return s.err == nil, s.err
}

// decode takes the records of the next unit that are inside the side's bounds.
func (s *scan) decode() error {
	unit := s.units[0]
	s.units = s.units[1:]
	s.memory = s.memory[:0]
	if !unit.Skip {
		for r, err := range unit.Records(&s.decoder) {
			if err != nil {
				return fmt.Errorf("read %s/%d: %w", s.side.Topic, s.side.Partition, err)
			}
			if r.Offset >= s.side.First && r.Offset < s.side.End {
				s.memory = append(s.memory, r)
			}
		}
	}
	s.records = s.memory
	return nil
}

// read fetches ahead. The channel is not buffered, so that a buffer is filled
// again only after the records in it have been given out.
func (s *scan) read(ctx context.Context) {
	defer close(s.fetches)
	var buffers [2]kafka.Buffer
	for i, at := 0, s.side.First; at < s.side.End; i++ {
		units, next, err := s.fetch(ctx, at, &buffers[i%2])
		select {
		case s.fetches <- scanned{units, next >= s.side.End, err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
		at = next
	}
}

// fetch gets units from an offset on, and where the next fetch begins. It
// waits out what passes: a leader that moves, a replica that is behind.
func (s *scan) fetch(ctx context.Context, at int64, buf *kafka.Buffer) ([]kafka.Stored, int64, error) {
	for since := time.Now(); ; {
		answer, err := s.side.Client.Fetch(ctx, kafka.FetchRequest{
			Topic: s.side.Topic, Partition: s.side.Partition, Offset: at,
			MinBytes: 1, MaxBytes: scanBytes, MaxWait: fetchWait, ReadCommitted: true,
		}, buf)
		if err == nil {
			units, next, err := s.split(answer, at)
			if err != nil || next > at {
				return units, next, err
			}
			err = s.stuck(answer, at)
			if errors.Is(err, ErrNotStable) || time.Since(since) > scanPatience {
				return nil, at, err
			}
			continue // the broker has waited already
		}
		switch {
		case ctx.Err() != nil:
			return nil, at, context.Cause(ctx)
		case errors.Is(err, kafka.ErrOffsetOutOfRange):
			return nil, at, fmt.Errorf("records were deleted while they were read: %w", err)
		case !kafka.Retriable(err) || time.Since(since) > scanPatience:
			return nil, at, err
		}
		if err := pause(ctx, fetchWait); err != nil {
			return nil, at, err
		}
	}
}

// split checks the units of an answer and drops those outside the bounds.
func (s *scan) split(answer kafka.FetchResponse, at int64) ([]kafka.Stored, int64, error) {
	var units []kafka.Stored
	next := at
	for unit, err := range answer.Visible(true) {
		if err != nil {
			return nil, at, fmt.Errorf("read %s/%d at offset %d: %w", s.side.Topic, s.side.Partition, next, err)
		}
		if last := unit.LastOffset(); last >= next {
			units = append(units, unit)
			next = last + 1
		}
		if next >= s.side.End {
			break
		}
	}
	if s.seen != nil && next > at {
		s.seen(min(next, s.side.End)-at, int64(len(answer.Batches)))
	}
	return units, next, nil
}

// stuck says why an answer got no further.
func (s *scan) stuck(answer kafka.FetchResponse, at int64) error {
	if answer.LastStable >= 0 && answer.LastStable <= at && answer.LastStable < answer.HighWatermark {
		return fmt.Errorf("read %s/%d: %w: offset %d", s.side.Topic, s.side.Partition, ErrNotStable, at)
	}
	return fmt.Errorf("read %s/%d: nothing at offset %d, the high watermark is %d and records before offset %d were asked for",
		s.side.Topic, s.side.Partition, at, answer.HighWatermark, s.side.End)
}

// pause waits, or less where ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
