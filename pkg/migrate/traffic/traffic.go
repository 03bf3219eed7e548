// Package traffic has services of the kind that a migration moves, for demos
// and tests: each writes numbered records to a topic and reads them in a
// consumer group, and counts what was lost or doubled on the way.
package traffic

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// Service writes numbered records to a topic, and reads them in a consumer
// group. Its methods are for one goroutine; Written and Tally are for any.
type Service struct {
	topic string
	group string

	mu      sync.Mutex
	written uint64         // records that brokers have acknowledged
	read    map[uint64]int // how often each was read

	stopWriting func()       // of the clients that run
	stop        func() error // likewise
}

// pace is the time between two records of a service.
const pace = 2 * time.Millisecond

// New is a service of a topic, whose group is named after it. It does nothing yet.
func New(topic string) *Service {
	return &Service{topic: topic, group: topic + "-readers", read: map[uint64]int{}}
}

// Rename has it go on with another topic and in another group from the next
// Start on: those that a migration has made of its own.
func (s *Service) Rename(topic, group string) { s.topic, s.group = topic, group }

// Group is the name of its consumer group.
func (s *Service) Group() string { return s.group }

// Start has it write to and read from a cluster, by a client of its own, until
// Halt or the end of ctx.
func (s *Service) Start(ctx context.Context, cluster kafka.Config) error {
	client, err := kafka.Open(ctx, cluster)
	if err != nil {
		return err
	}
	group, err := client.Group(kafka.GroupConfig{ID: s.group, Topics: []string{s.topic}, HeartbeatInterval: 200 * time.Millisecond})
	if err != nil {
		return errors.Join(err, client.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	writing, endWriting := context.WithCancel(ctx)
	var writer, reader sync.WaitGroup
	var writeErr, readErr error
	writer.Go(func() { writeErr = s.write(writing, client) })
	s.stopWriting = func() {
		endWriting()
		writer.Wait()
	}
	reader.Go(func() { readErr = s.consume(ctx, client, group) })
	s.stop = func() error {
		cancel()
		writer.Wait()
		reader.Wait()
		return errors.Join(writeErr, readErr, group.Close(), client.Close())
	}
	return nil
}

// Halt ends its clients, as an orderly restart does. The error is the first
// thing that went wrong since Start.
func (s *Service) Halt() error {
	if s.stop == nil {
		return nil
	}
	stop := s.stop
	s.stop = nil
	return stop()
}

// StopWriting ends the writing alone; the reading goes on until Halt.
func (s *Service) StopWriting() {
	if s.stopWriting != nil {
		s.stopWriting()
	}
}

func (s *Service) write(ctx context.Context, client *kafka.Client) error {
	topic, err := client.Topic(ctx, s.topic)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		number := s.Written()
		record := batch.Record{Timestamp: time.Now().UnixMilli(), Key: fmt.Append(nil, number%50), Value: binary.BigEndian.AppendUint64(nil, number)}
		partition := batch.Partition(record.Key, int32(len(topic.Partitions)))
		// what is under way is waited for: it would be there, and not be counted
		if _, err := client.Produce(context.WithoutCancel(ctx), s.topic, partition, record); err != nil {
			return fmt.Errorf("write record %d of %s: %w", number, s.topic, err)
		}
		s.mu.Lock()
		s.written++
		s.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(pace):
		}
	}
	return nil
}

// consume reads until ctx ends, and commits what it has read.
func (s *Service) consume(ctx context.Context, client *kafka.Client, group *kafka.Group) error {
	for {
		generation, err := group.Next(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		err = s.readAssigned(ctx, client, generation)
		generation.Release()
		if err != nil && ctx.Err() == nil && !errors.Is(err, kafka.ErrNotCoordinated) {
			return fmt.Errorf("read %s: %w", s.topic, err)
		}
	}
}

// readAssigned reads the partitions of one generation, turn by turn.
func (s *Service) readAssigned(ctx context.Context, client *kafka.Client, generation *kafka.Generation) error {
	partitions := generation.Assigned[s.topic]
	committed, err := client.Committed(ctx, s.group, s.topic, partitions...)
	if err != nil {
		return err
	}
	earliest, err := client.Offsets(ctx, s.topic, kafka.Earliest, partitions...)
	if err != nil {
		return err
	}
	next := map[int32]int64{}
	for _, p := range partitions {
		next[p] = max(committed[p].Offset, earliest[p])
	}
	for ctx.Err() == nil && generation.Context().Err() == nil {
		for _, p := range partitions {
			fetched, err := client.FetchRecords(ctx, kafka.FetchRequest{
				Topic: s.topic, Partition: p, Offset: next[p], MinBytes: 1, MaxWait: 10 * time.Millisecond, ReadCommitted: true,
			})
			if err != nil || fetched.Next == next[p] {
				if err != nil && !kafka.Retriable(err) {
					return err
				}
				continue
			}
			if err := generation.Commit(s.topic, p, fetched.Next); err != nil {
				return err
			}
			next[p] = fetched.Next
			s.count(fetched.Records)
		}
	}
	return nil
}

func (s *Service) count(records []batch.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range records {
		if len(r.Value) == 8 {
			s.read[binary.BigEndian.Uint64(r.Value)]++
		}
	}
}

// Written is how many records the brokers have acknowledged.
func (s *Service) Written() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.written
}

// Tally is how many of the written records were never read, and how often some
// were read again.
func (s *Service) Tally() (lost, doubled int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for number := range s.written {
		switch times := s.read[number]; {
		case times == 0:
			lost++
		case times > 1:
			doubled += times - 1
		}
	}
	return lost, doubled
}
