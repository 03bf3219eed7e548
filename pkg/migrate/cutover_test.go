package migrate_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/migrate"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// verified is a migration of topic orders, with n records in partition 0, that
// is copied and verified. prepare is called before it is planned.
func verified(t *testing.T, partitions, n int, prepare func(*rig, *migrate.Plan)) *rig {
	t.Helper()
	r := newRig(t)
	if err := r.Source.CreateTopic(testContext(t), kafka.TopicSpec{Name: "orders", Partitions: partitions, Settings: sample.TopicSettings()}); err != nil {
		t.Fatal(err)
	}
	write(t, r.Source, n)
	plan := r.plan()
	if prepare != nil {
		prepare(r, &plan)
	}
	if _, err := r.Plan(testContext(t), plan); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Start(testContext(t), r.name); err != nil {
		t.Fatal(err)
	}
	r.run(t)
	r.awaitStep(t, migrate.DualWriting)
	r.awaitCopied(t)
	until(t, "verified", func() error {
		_, err := r.Verify(testContext(t), r.name)
		return err
	})
	return r
}

// awaitCopied waits until there is nothing to copy, whichever way.
func (r *rig) awaitCopied(t *testing.T) {
	t.Helper()
	await(t, "the copy", func() bool {
		status, err := migrate.Look(testContext(t), r.Clusters, r.name)
		if err != nil || len(status.Lags) == 0 {
			return false
		}
		for _, lag := range status.Lags {
			if lag.Records > 0 {
				return false
			}
		}
		return true
	})
}

func (r *rig) cutOver(t *testing.T) migrate.State {
	t.Helper()
	var state migrate.State
	until(t, "cut over", func() (err error) {
		state, err = r.CutOver(testContext(t), r.name)
		return err
	})
	return state
}

func (r *rig) rollBack(t *testing.T) {
	t.Helper()
	until(t, "rolled back", func() error {
		_, err := r.Rollback(testContext(t), r.name)
		return err
	})
}

// write appends n records to partition 0 of orders.
func write(t *testing.T, c *kafka.Client, n int) {
	t.Helper()
	if n == 0 {
		return
	}
	if _, err := c.Produce(testContext(t), "orders", 0, sample.Plain(n, 20, uint64(n))...); err != nil {
		t.Fatal(err)
	}
}

// transact appends n records in a transaction, and ends it if it is told to.
func transact(t *testing.T, c *kafka.Client, n int, commit bool) {
	t.Helper()
	producer, err := c.Transactional(testContext(t), "service", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	b, err := batch.Build(batch.Options{}, sample.Plain(n, 20, 9))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := producer.Produce(testContext(t), "orders", 0, []batch.Batch{b}); err != nil {
		t.Fatal(err)
	}
	if !commit {
		return
	}
	if err := producer.Commit(testContext(t)); err != nil {
		t.Fatal(err)
	}
}

// held counts the committed records in partition 0 of orders.
func held(t *testing.T, c *kafka.Client) (n int) {
	t.Helper()
	for next := int64(0); ; {
		fetched, err := c.FetchRecords(testContext(t), kafka.FetchRequest{Topic: "orders", Offset: next, MaxBytes: 1 << 20, ReadCommitted: true})
		if err != nil {
			t.Fatal(err)
		}
		n += len(fetched.Records)
		if fetched.Next == next {
			return n
		}
		next = fetched.Next
	}
}

func commit(t *testing.T, c *kafka.Client, group string, offsets map[int32]int64) {
	t.Helper()
	committed := map[int32]kafka.Committed{}
	for p, offset := range offsets {
		committed[p] = kafka.Committed{Offset: offset}
	}
	if err := c.Commit(testContext(t), group, "orders", committed); err != nil {
		t.Fatal(err)
	}
}

func position(t *testing.T, c *kafka.Client, group string) int64 {
	t.Helper()
	committed, err := c.Committed(testContext(t), group, "orders", 0)
	if err != nil {
		t.Fatal(err)
	}
	return committed[0].Offset
}

// refused wants a step refused by a gate that says so.
func refused(t *testing.T, err error, words string) {
	t.Helper()
	var gates *migrate.GateError
	if !errors.As(err, &gates) || !strings.Contains(err.Error(), words) {
		t.Errorf("error is %v, want it refused with %q", err, words)
	}
}

func TestCutOver(t *testing.T) {
	t.Parallel()

	t.Run("records behind an open transaction are not left behind", func(t *testing.T) {
		t.Parallel()
		r := verified(t, 1, 10, nil)
		transact(t, r.Source, 3, false)
		write(t, r.Source, 100)
		_, err := r.CutOver(testContext(t), r.name)
		refused(t, err, "open transactions at the source")
	})

	t.Run("a record that is written while it is done is copied or named, and not doubled", func(t *testing.T) {
		t.Parallel()
		for _, during := range []string{"comparing", "closing"} {
			t.Run(during, func(t *testing.T) {
				t.Parallel()
				r := verified(t, 1, 10, nil)
				operator := *r.Operator
				written := false
				operator.Progress = func(text string) {
					if strings.HasPrefix(text, during) && !written {
						written = true
						write(t, r.Source, 1)
					}
				}
				until(t, "cut over", func() error {
					_, err := operator.CutOver(testContext(t), r.name)
					return err
				})
				write(t, r.Target, 5)
				r.awaitCopied(t)
				if n := held(t, r.Source); n != 16 {
					t.Errorf("%d records at the source, want 16", n)
				}
				_, err := r.Finish(testContext(t), r.name)
				if copied := held(t, r.Target) == 16; copied != (err == nil) {
					t.Errorf("the late record is at the target: %v; finish: %v", copied, err)
				}
				operator.AcceptLate = true
				if err != nil {
					refused(t, err, "a producer was left there")
					if _, err := operator.Finish(testContext(t), r.name); err != nil {
						t.Errorf("with late records accepted: %v", err)
					}
				}
			})
		}
	})

	t.Run("of two operators one is told, and nothing is doubled", func(t *testing.T) {
		t.Parallel()
		r := verified(t, 1, 10, nil)
		slow := *r.Operator
		closing, goOn := make(chan struct{}), make(chan struct{})
		slow.Progress = func(text string) {
			if strings.HasPrefix(text, "closing") {
				close(closing)
				<-goOn
			}
		}
		ended := make(chan error, 1)
		go func() {
			_, err := slow.CutOver(context.WithoutCancel(t.Context()), r.name)
			ended <- err
		}()
		<-closing
		r.cutOver(t)
		write(t, r.Target, 20)
		await(t, "the way back", func() bool { return held(t, r.Source) == 30 })
		close(goOn)
		if err := <-ended; !errors.Is(err, migrate.ErrConflict) {
			t.Errorf("the slow one: %v, want ErrConflict", err)
		}
		write(t, r.Target, 1)
		await(t, "the way back", func() bool { return held(t, r.Source) >= 31 })
		if n := held(t, r.Source); n != 31 {
			t.Errorf("%d records at the source, want 31", n)
		}
	})

	t.Run("one that was interrupted goes on, or is rolled back", func(t *testing.T) {
		t.Parallel()
		for _, then := range []string{"on", "back"} {
			t.Run(then, func(t *testing.T) {
				t.Parallel()
				r := verified(t, 1, 10, nil)
				operator := *r.Operator
				ctx, kill := context.WithCancel(testContext(t))
				operator.Progress = func(text string) {
					if strings.HasPrefix(text, "closing") {
						kill()
					}
				}
				if _, err := operator.CutOver(ctx, r.name); !errors.Is(err, context.Canceled) {
					t.Fatalf("the interrupted one: %v", err)
				}
				if state, err := migrate.NewStore(r.Target).Load(testContext(t), r.name); err != nil || state.Step != migrate.CuttingOver {
					t.Fatalf("it is %s (%v)", state.Step, err)
				}
				if then == "back" {
					r.rollBack(t)
					return
				}
				if state := r.cutOver(t); len(state.Cut) != 1 || state.Cut[0].Source != 10 {
					t.Errorf("cut is %+v", state.Cut)
				}
			})
		}
	})
}

func TestRollback(t *testing.T) {
	t.Parallel()

	t.Run("what a producer wrote to the target too early is copied back as well", func(t *testing.T) {
		t.Parallel()
		r := verified(t, 1, 10, nil)
		write(t, r.Target, 5)
		r.cutOver(t)
		r.rollBack(t)
		if n := held(t, r.Source); n != 15 {
			t.Errorf("%d records at the source, want 15", n)
		}
	})

	t.Run("positions in empty partitions do not keep it from being done", func(t *testing.T) {
		t.Parallel()
		r := verified(t, 2, 10, func(r *rig, _ *migrate.Plan) { commit(t, r.Source, "g", map[int32]int64{0: 10, 1: 0}) })
		r.cutOver(t)
		r.rollBack(t)
	})

	t.Run("nor do positions behind the marker of a transaction", func(t *testing.T) {
		t.Parallel()
		r := verified(t, 1, 0, func(r *rig, _ *migrate.Plan) {
			transact(t, r.Source, 10, true)
			commit(t, r.Source, "g", map[int32]int64{0: 11})
		})
		r.cutOver(t)
		r.rollBack(t)
		if at := position(t, r.Source, "g"); at != 11 {
			t.Errorf("the group is at %d, want 11", at)
		}
	})

	t.Run("groups with a prefix on the target, named by an anchored pattern, have their positions", func(t *testing.T) {
		t.Parallel()
		r := verified(t, 1, 10, func(r *rig, plan *migrate.Plan) {
			commit(t, r.Source, "g", map[int32]int64{0: 3})
			plan.Groups, plan.GroupPrefix = []string{"^g$"}, "east-"
		})
		r.cutOver(t)
		commit(t, r.Target, "east-g", map[int32]int64{0: 9})
		r.rollBack(t)
		if at := position(t, r.Source, "g"); at != 9 {
			t.Errorf("the group is at %d, want 9", at)
		}
	})
}

// expire deletes a group, as brokers do with one that has committed nothing for
// long.
func expire(t *testing.T, c *kafka.Client, group string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Brokers()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	request := kmsg.NewPtrDeleteGroupsRequest()
	request.Groups = []string{group}
	response, err := request.RequestWith(testContext(t), client)
	if err != nil || response.Groups[0].ErrorCode != 0 {
		t.Fatalf("%+v, %v", response, err)
	}
}

func TestLostCheckpoint(t *testing.T) {
	t.Parallel()

	t.Run("a checkpoint that has expired stops the partition, either way, and doubles nothing", func(t *testing.T) {
		t.Parallel()
		for _, back := range []bool{false, true} {
			r := verified(t, 1, 10, nil)
			there, other, job := r.Target, r.Source, r.name
			if back {
				r.cutOver(t)
				there, other, job = r.Source, r.Target, r.name+"-back"
				write(t, other, 1)
				await(t, "the way back", func() bool { return held(t, there) == 11 })
			}
			before := held(t, there)
			r.stop()
			expire(t, there, mirror.CheckpointGroup(job, "orders", 0))
			r.run(t)
			write(t, other, 1)
			await(t, "the fault", func() bool { return strings.Contains(r.log.String(), mirror.ErrLostCheckpoint.Error()) })
			if n := held(t, there); n != before {
				t.Errorf("back %v: %d records, want %d", back, n, before)
			}
		}
	})
}
