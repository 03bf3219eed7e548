package backup

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"sort"
	"sync"

	"filippo.io/age"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// Source gives the batches of a backup to package mirror, as a cluster would. Segments
// are checked as a whole, by their digest, before a batch of them is given.
type Source struct {
	chain      *Chain
	topics     map[string]*sourceTopic
	identities []age.Identity
	// damaged decides whether a segment that is damaged is left out, with nil.
	damaged func(error) error
	served  func(offsets int64, bytes int64) // may be nil
	ahead   *readAhead                       // nil: a segment is read once it is asked for

	mu    sync.Mutex
	slots []*slot // with the least recently used first
	most  int     // of slots
}

var _ mirror.Source = (*Source)(nil)

type sourceTopic struct {
	Topic
	logs map[int32]*partLog
}

// partLog is a partition's segments up to its end.
type partLog struct {
	at       place
	segments []Segment
	end      int64
}

// first is where the backup of the partition begins.
func (l *partLog) first() int64 {
	if len(l.segments) == 0 {
		return l.end
	}
	return l.segments[0].First
}

// slot is a segment in memory, and how far it has been read.
type slot struct {
	loader
	spare   loader // memory for what is read ahead
	busy    bool
	coming  *coming // what is read ahead of it; nil: nothing
	of      *partLog
	index   int // of the segment
	log     []byte
	skipped bool // the segment is damaged, and left out

	next  int64 // the units before it have been given
	at    int   // their bytes
	skips *aborts
}

func (s *Source) partition(topic string, number int32) (*partLog, error) {
	t := s.topics[topic]
	if t == nil || t.logs[number] == nil {
		return nil, fmt.Errorf("%s/%d in the backup: %w", topic, number, kafka.ErrUnknownTopic)
	}
	return t.logs[number], nil
}

// Fetch gives batches from an offset on. Where nothing is left before the end of the
// partition, it is a control batch, which has no records.
func (s *Source) Fetch(ctx context.Context, q kafka.FetchRequest, buf *kafka.Buffer) (kafka.FetchResponse, error) {
	part, err := s.partition(q.Topic, q.Partition)
	if err != nil {
		return kafka.FetchResponse{}, err
	}
	answer := kafka.FetchResponse{HighWatermark: part.end, LastStable: part.end, LogStart: part.first()}
	if q.Offset < 0 || q.Offset > part.end {
		return answer, fmt.Errorf(
			"fetch %s/%d at %d of the backup: %w",
			q.Topic,
			q.Partition,
			q.Offset,
			kafka.ErrOffsetOutOfRange,
		)
	}
	if q.Offset == part.end {
		return answer, nil
	}
	slot := s.take(part)
	defer s.give(slot)
	g := gathering{slot: slot, next: q.Offset, memory: buf.Bytes(max(int(q.MaxBytes), 64<<10)), buf: buf}
	for i := part.find(q.Offset); i < len(part.segments) && !g.full; i++ {
		if g.used > 0 && part.segments[i-1].Next < part.segments[i].First {
			break // the marker that ends an aborted transaction may be in the hole
		}
		if err := s.load(ctx, slot, part, i, g.next); err != nil {
			if len(g.memory) > 0 && g.used > 0 {
				break // it comes again, alone
			}
			return answer, err
		}
		if g.used > 0 && slot.skipped {
			break // or in a segment that is damaged
		}
		if straddles(slot, part.segments[i]) && g.next < part.segments[i].First {
			// What its first batch has before the segment does not count: the answer ends
			// there, so that the next one begins inside of the batch.
			if g.used == 0 {
				g.put(marker(part.segments[i].First - 1))
			}
			break
		}
		if err := g.gather(); err != nil {
			return answer, fmt.Errorf("read %s/%d of the backup: %w", q.Topic, q.Partition, err)
		}
	}
	if g.used == 0 {
		g.put(marker(part.end - 1))
	}
	answer.Batches = g.memory[:g.used]
	for _, a := range g.aborted {
		answer.Aborted = append(answer.Aborted, kafka.AbortedTransaction{ProducerID: a.Producer, FirstOffset: a.First})
	}
	if s.served != nil {
		s.served(g.next-q.Offset, int64(g.used))
	}
	return answer, nil
}

// find gives the index of the segment with an offset, or of the next one.
func (l *partLog) find(offset int64) int {
	return sort.Search(len(l.segments), func(i int) bool { return l.segments[i].Next > offset })
}

// take gives the slot that has read a partition, or the one that was idle longest.
func (s *Source) take(part *partLog) *slot {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := -1
	for i, slot := range s.slots {
		if !slot.busy && (slot.of == part || found < 0 && len(s.slots) >= s.most) {
			if found = i; slot.of == part {
				break
			}
		}
	}
	if found < 0 {
		s.slots = append(s.slots, &slot{loader: loader{chain: s.chain, identities: s.identities}})
		found = len(s.slots) - 1
	}
	chosen := s.slots[found]
	s.slots = append(append(s.slots[:found:found], s.slots[found+1:]...), chosen)
	chosen.busy = true
	return chosen
}

func (s *Source) give(slot *slot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	slot.busy = false
}

// load brings a segment into a slot, at the first unit that reaches an offset.
func (s *Source) load(ctx context.Context, slot *slot, part *partLog, index int, offset int64) error {
	if slot.of == part && slot.index == index && slot.next <= offset {
		return nil
	}
	segment := part.segments[index]
	slot.of, slot.skipped = nil, false // nothing, where there is an error
	log, err := slot.read(ctx, part, index)
	if errors.Is(err, ErrDamaged) {
		if err = s.damaged(err); err == nil {
			log, slot.skipped = nil, true
		}
	}
	if err != nil {
		return err
	}
	slot.of, slot.index, slot.log = part, index, log
	slot.next, slot.at, slot.skips = segment.First, 0, newAborts(segment.Aborted)
	s.ahead.begin(slot)
	return nil
}

// gathering is one answer.
type gathering struct {
	*slot
	buf     *kafka.Buffer
	memory  []byte
	used    int
	next    int64 // of the answer
	full    bool
	aborted []Aborted
}

// put makes bytes the answer.
func (g *gathering) put(batches []byte) { g.memory, g.used = batches, len(batches) }

// straddles says that a segment at its beginning has a batch with offsets before it.
func straddles(s *slot, segment Segment) bool {
	if s.at > 0 || len(s.log) == 0 {
		return false
	}
	u, err := trustedUnit(s.log)
	return err == nil && u.first < segment.First
}

// gather adds the units of the slot from next on, as many as there is memory for; at
// least one.
func (g *gathering) gather() error {
	for g.at < len(g.log) {
		u, err := trustedUnit(g.log[g.at:])
		if err != nil {
			return err
		}
		wanted := u.LastOffset() >= g.next
		if wanted && g.used+len(u.bytes) > len(g.memory) {
			if g.used > 0 {
				g.full = true
				return nil
			}
			g.memory = g.buf.Bytes(len(u.bytes))
		}
		if wanted && g.used == 0 {
			g.aborted = g.skips.opened()
			g.skips.took()
		}
		g.skips.skip(u)
		if wanted {
			g.used += copy(g.memory[g.used:], u.bytes)
			g.aborted = append(g.aborted, g.skips.took()...)
			g.next = u.LastOffset() + 1
		}
		g.at += len(u.bytes)
		g.slot.next = u.LastOffset() + 1
	}
	return nil
}

// marker is a control batch at an offset.
func marker(offset int64) []byte {
	const (
		atChecksum, atAttributes = 17, 21
		control                  = 1 << 5
	)
	b, err := batch.Build(batch.Options{}, []batch.Record{{}})
	if err != nil {
		panic(err) // there is a record
	}
	binary.BigEndian.PutUint64(b, uint64(offset))
	b[atAttributes+1] |= control
	binary.BigEndian.PutUint32(b[atChecksum:], crc32.Checksum(b[atAttributes:], crc32.MakeTable(crc32.Castagnoli)))
	return b
}

// Topic describes a topic. Its id is one that only this lineage has.
func (s *Source) Topic(_ context.Context, name string) (kafka.Topic, error) {
	t := s.topics[name]
	if t == nil {
		return kafka.Topic{}, fmt.Errorf("topic %s in the backup: %w", name, kafka.ErrUnknownTopic)
	}
	described := kafka.Topic{Name: name, ID: lineageID(s.chain.cluster, t.Topic)}
	for _, p := range t.Partitions {
		described.Partitions = append(described.Partitions, kafka.Partition{ID: p.Number, LeaderEpoch: -1, Replicas: 1})
	}
	return described, nil
}

func lineageID(cluster string, t Topic) (id kafka.TopicID) {
	sum := sha256.Sum256([]byte(cluster + "/" + t.Name + "/" + t.Lineage))
	copy(id[:], sum[:])
	return id
}

// Offsets gives where partitions begin and end.
func (s *Source) Offsets(_ context.Context, topic string, at int64, partitions ...int32) (map[int32]int64, error) {
	offsets := map[int32]int64{}
	for _, number := range partitions {
		part, err := s.partition(topic, number)
		if err != nil {
			return nil, err
		}
		if offsets[number] = part.end; at == kafka.Earliest {
			offsets[number] = part.first()
		}
	}
	return offsets, nil
}

// TopicSettings gives those of the topic. To every one it says that it is compacted: the
// backup knows its holes, and has told of them.
func (s *Source) TopicSettings(_ context.Context, name string) (all, own map[string]string, err error) {
	t := s.topics[name]
	if t == nil {
		return nil, nil, fmt.Errorf("topic %s in the backup: %w", name, kafka.ErrUnknownTopic)
	}
	all = map[string]string{}
	for key, value := range t.InForce {
		all[key] = value
	}
	all["cleanup.policy"] = "compact"
	return all, t.Settings, nil
}
