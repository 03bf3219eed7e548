package migrate

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// Topic is the compacted topic in the target cluster that holds the migrations
// into it: the name is the key, [State] as JSON the value.
const Topic = "etl.migrations"

const (
	transactionalID    = "etl.migrate"
	topicPartition     = 0
	transactionTimeout = 10 * time.Second

	// changeFor bounds how long a change is repeated that others have fenced.
	changeFor = 10 * time.Second
)

// Store holds migrations in the target cluster.
type Store struct {
	target *kafka.Client
	now    func() time.Time
}

// NewStore touches nothing yet.
func NewStore(target *kafka.Client) *Store { return &Store{target: target, now: time.Now} }

// Load reads one migration: [ErrUnknown] where there is none of that name.
func (s *Store) Load(ctx context.Context, name string) (State, error) {
	values, err := s.read(ctx)
	if err != nil {
		return State{}, err
	}
	return decode(name, values)
}

// List reads all migrations, by name. Those that cannot be read are in the error.
func (s *Store) List(ctx context.Context) ([]State, error) {
	values, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	return decodeAll(values)
}

// decodeAll gives the migrations that can be read, by name, and the others in
// the error.
func decodeAll(values map[string][]byte) ([]State, error) {
	var states []State
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if strings.Contains(name, "/") {
			continue // points
		}
		state, err := decode(name, values)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		states = append(states, state)
	}
	return states, errors.Join(faults...)
}

// Create stores a new migration: [ErrExists] where there is one of that name,
// unless it was dropped before it was started.
func (s *Store) Create(ctx context.Context, plan Plan) (State, error) {
	return s.create(ctx, plan, Claims{})
}

// create is Create with the names that the plan takes.
func (s *Store) create(ctx context.Context, plan Plan, claims Claims) (State, error) {
	if err := plan.Check(); err != nil {
		return State{}, err
	}
	if err := s.ensureTopic(ctx); err != nil {
		return State{}, err
	}
	return s.change(ctx, plan.Name, func(state *State, there bool, _ []State) error {
		if there && !state.Step.Over() {
			return fmt.Errorf("%w: %s is %s: see etl migrate status %s", ErrExists, plan.Name, state.Step, plan.Name)
		}
		if there && state.started() {
			// why: its checkpoints are those of records that were copied then
			return fmt.Errorf("%w: %s is %s: give the new one another name", ErrExists, plan.Name, state.Step)
		}
		*state = State{Format: format, Revision: state.Revision, Plan: plan, Claims: claims}
		state.enter(Planned, s.now(), nil)
		return nil
	})
}

// Change stores what change makes of a migration, unless that is an error. Of
// two changes at the same time one is [ErrConflict], and has stored nothing.
func (s *Store) Change(ctx context.Context, name string, change func(*State) error) (State, error) {
	return s.changeBeside(ctx, name, func(state *State, _ []State) error { return change(state) })
}

// changeBeside is Change that looks at the other migrations as well: of two
// that do so at the same time, the later one sees what the other has stored.
func (s *Store) changeBeside(ctx context.Context, name string, change func(state *State, others []State) error) (State, error) {
	return s.change(ctx, name, func(state *State, there bool, others []State) error {
		if !there {
			return unknown(name)
		}
		return change(state, others)
	})
}

// changer changes a migration, or the zero state where there is none; others
// are those that can be read.
type changer func(state *State, there bool, others []State) error

// change repeats a change that others have fenced, on top of theirs.
func (s *Store) change(ctx context.Context, name string, change changer) (State, error) {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = 5*time.Millisecond, 200*time.Millisecond
	id := rand.Text()
	for since := time.Now(); ; {
		state, err := s.changeOnce(ctx, name, id, change)
		fenced := errors.Is(err, kafka.ErrFenced)
		if !fenced && !kafka.Retriable(err) && !errors.Is(err, kafka.ErrUnexpected) {
			return state, err
		}
		if time.Since(since) > changeFor || !sleep(ctx, wait.NextBackOff()) {
			if fenced {
				err = fmt.Errorf("%w %s: look at its status and try again (%w)", ErrConflict, name, err)
			}
			return State{}, err
		}
	}
}

// changeOnce fences, reads, changes and writes. Who has read the state before a
// later one has fenced cannot commit: so no change is lost.
func (s *Store) changeOnce(ctx context.Context, name, id string, change changer) (State, error) {
	// one id for all migrations: a transaction of another one that was left open
	// would hide the last change of this one
	producer, err := s.target.Transactional(ctx, transactionalID, transactionTimeout)
	if err != nil {
		return State{}, storeError(name, err)
	}
	values, err := s.read(ctx)
	if err != nil {
		return State{}, err
	}
	state, err := decode(name, values)
	if err != nil && !errors.Is(err, ErrUnknown) {
		return State{}, err
	}
	if state.ChangeID == id {
		return state, nil // the answer alone was lost
	}
	others, _ := decodeAll(values)
	others = slices.DeleteFunc(others, func(other State) bool { return other.Plan.Name == name })
	if err := change(&state, err == nil, others); err != nil {
		return State{}, err
	}
	state.Revision++
	state.ChangeID = id
	value, err := json.Marshal(state)
	if err != nil {
		return State{}, err
	}
	// packed: the topic takes a megabyte, which the names and offsets of some
	// thousand partitions would be
	b, err := batch.Build(batch.Options{Codec: batch.Gzip}, []batch.Record{{Timestamp: s.now().UnixMilli(), Key: []byte(name), Value: value}})
	if err != nil {
		return State{}, err
	}
	if _, err := producer.Produce(ctx, Topic, topicPartition, []batch.Batch{b}); err != nil {
		return State{}, storeError(name, err) // the next one to change it fences, or the time-out aborts
	}
	if err := producer.Commit(ctx); err != nil {
		return State{}, storeError(name, err)
	}
	// a broker answers before the transaction's marker is written: this returns
	// once the next reader sees the change
	if err := producer.Fence(ctx); err != nil && !errors.Is(err, kafka.ErrFenced) {
		return state, storeError(name, fmt.Errorf("it is stored, but may be read a moment late: %w", err))
	}
	return state, nil
}

func storeError(name string, err error) error { return fmt.Errorf("store migration %s: %w", name, err) }

func unknown(name string) error {
	return fmt.Errorf("%w: %s: etl migrate plan %s makes it", ErrUnknown, name, name)
}

func (s *Store) ensureTopic(ctx context.Context) error {
	_, err := s.target.Topic(ctx, Topic)
	if errors.Is(err, kafka.ErrUnknownTopic) {
		err = s.target.CreateTopic(ctx, kafka.TopicSpec{Name: Topic, Partitions: 1, Settings: map[string]string{"cleanup.policy": "compact"}})
		if errors.Is(err, kafka.ErrTopicExists) {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("topic of the migrations: %w", err)
	}
	return nil
}

// read gives the last committed value of each key.
func (s *Store) read(ctx context.Context) (map[string][]byte, error) {
	values := map[string][]byte{}
	ends, err := s.target.StableOffsets(ctx, Topic, topicPartition)
	if errors.Is(err, kafka.ErrUnknownTopic) {
		return values, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	earliest, err := s.target.Offsets(ctx, Topic, kafka.Earliest, topicPartition)
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	for next := earliest[topicPartition]; next < ends[topicPartition]; {
		fetched, err := s.target.FetchRecords(ctx, kafka.FetchRequest{
			Topic: Topic, Partition: topicPartition, Offset: next, MinBytes: 1, MaxBytes: 1 << 20, MaxWait: time.Second, ReadCommitted: true,
		})
		if err != nil {
			return nil, fmt.Errorf("read migrations: %w", err)
		}
		for _, r := range fetched.Records {
			values[string(r.Key)] = r.Value
		}
		next = fetched.Next
	}
	return values, nil
}

func decode(name string, values map[string][]byte) (State, error) {
	value := values[name]
	if value == nil {
		return State{}, unknown(name)
	}
	var head struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(value, &head); err != nil {
		return State{}, fmt.Errorf("migration %s in topic %s is damaged: %w", name, Topic, err)
	}
	if head.Format > format || head.Format < 1 {
		return State{}, fmt.Errorf("migration %s: %w: its format is %d, this one knows %d", name, ErrNewer, head.Format, format)
	}
	var state State
	if err := json.Unmarshal(value, &state); err != nil {
		return State{}, fmt.Errorf("migration %s in topic %s is damaged: %w", name, Topic, err)
	}
	switch state.Step {
	case Planned, Mirroring, DualWriting, Verified, CuttingOver, CutOver, Finished, RolledBack:
		return state, nil
	}
	return State{}, fmt.Errorf("migration %s: %w: step %q is not known", name, ErrNewer, state.Step)
}
