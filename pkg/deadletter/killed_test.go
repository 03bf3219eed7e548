package deadletter_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// kill runs a redrive up to its n-th point, from which on nothing more is done:
// no transaction is ended. It gives the point, "" where there are fewer.
func kill(t testing.TB, r *deadletter.Redriver, n int) (point string) {
	t.Helper()
	type killed struct{}
	r.SetFault(func(at string) {
		if n--; n < 0 {
			point = at
			panic(killed{})
		}
	})
	defer func() {
		if p := recover(); p != nil && p != (killed{}) {
			panic(p)
		}
	}()
	_, err := r.Run(deadline(t))
	must(t, err)
	return ""
}

func TestKilledRedrive(t *testing.T) {
	t.Parallel()
	kinds(t, func(t *testing.T, open func(*testing.T) yard) {
		t.Run("at any point, the next one leaves every record sent once and in order", func(t *testing.T) {
			t.Parallel()
			y := open(t)
			var letters []deadletter.Letter
			points := map[string]bool{}
			for n := 0; ; n++ {
				more := keyed(1, 3)
				for i := range more {
					more[i].Record.Offset += int64(len(letters))
				}
				letters = append(letters, more...)
				y.bury(t, 0, more...)
				point := kill(t, slow(y.redriver()), n)
				points[point] = true
				run(t, y.redriver())
				wantRecords(t, stored(t, y.source, "orders", 1), letters...)
				if t.Failed() {
					t.Fatalf("killed at %q, point %d", point, n)
				}
				if point == "" {
					break
				}
			}
			if got := y.statuses(t); got[deadletter.Redriven] != int64(len(letters)) || len(got) != 1 {
				t.Errorf("got %v, want %d redriven", got, len(letters))
			}
			if len(points) < 4 {
				t.Errorf("killed only at %v", points)
			}
		})
	})
}

func TestTwoRedrives(t *testing.T) {
	t.Parallel()
	kinds(t, func(t *testing.T, open func(*testing.T) yard) {
		t.Run("at once: one wins, the other is told, and every record is sent once", func(t *testing.T) {
			t.Parallel()
			y := open(t)
			var letters []deadletter.Letter
			for n := range 12 {
				more := keyed(1, 3)
				for i := range more {
					more[i].Record.Offset += int64(len(letters))
				}
				letters = append(letters, more...)
				y.bury(t, 0, more...)
				older, left := slow(y.redriver()), n
				older.SetFault(func(string) {
					if left--; left == -1 {
						run(t, y.redriver())
					}
				})
				_, err := older.Run(deadline(t))
				if left < 0 && err != nil && !errors.Is(err, deadletter.ErrTakenOver) {
					t.Fatalf("point %d: %v", n, err)
				}
				if err == nil && n < 5 {
					t.Fatalf("point %d: the older one was not told", n)
				}
				run(t, y.redriver())
				wantRecords(t, stored(t, y.source, "orders", 1), letters...)
				if t.Failed() {
					t.Fatalf("point %d: %v", n, err)
				}
			}
		})
	})

	t.Run("at once: the newer one goes on where the older one has fenced its source", func(t *testing.T) {
		t.Parallel()
		y := yard{source: cluster(t), topic: deadletter.Topic{Client: cluster(t), Name: "deadletter"}}
		create(t, y.source, "orders", 3)
		create(t, y.topic.Client, "deadletter", 3)
		letters := keyed(1, 3)
		y.bury(t, 0, letters...)
		description, err := y.topic.Client.Cluster(deadline(t))
		must(t, err)
		r, fenced := slow(y.redriver()), false
		r.SetFault(func(point string) {
			if point == "produced" && !fenced {
				fenced = true
				_, err := y.source.Transactional(deadline(t), "etl.redrive.deadletter."+description.ID, time.Minute)
				must(t, err)
			}
		})
		run(t, r)
		wantRecords(t, stored(t, y.source, "orders", 1), letters...)
	})
}

func TestInterrupted(t *testing.T) {
	t.Parallel()

	// interrupted leaves a letter of which nobody has recorded that it was sent.
	interrupted := func(t *testing.T) (y yard, letter deadletter.Letter) {
		t.Helper()
		y = yard{source: cluster(t), topic: deadletter.Topic{Client: cluster(t), Name: "deadletter"}}
		create(t, y.source, "orders", 3)
		create(t, y.topic.Client, "deadletter", 3)
		letter = keyed(1, 1)[0]
		y.bury(t, 0, letter)
		if point := killAt(t, y.redriver(), "sent"); point != "sent" {
			t.Fatalf("killed at %q", point)
		}
		return y, letter
	}

	t.Run("is what a plan says of it, and changes nothing", func(t *testing.T) {
		t.Parallel()
		y, _ := interrupted(t)
		plan, err := y.redriver().Plan(deadline(t))
		must(t, err)
		if plan.Chosen != 0 || len(plan.Skipped) != 1 || !strings.Contains(plan.Skipped[0].Reason, "was interrupted") {
			t.Errorf("got %+v", plan)
		}
		if got := y.statuses(t); got[deadletter.Interrupted] != 1 {
			t.Errorf("got %v", got)
		}
	})

	t.Run("stays so where the source has removed what would say more, and --again sends it", func(t *testing.T) {
		t.Parallel()
		y, letter := interrupted(t)
		produce(t, y.source, "orders", 1, batch.Record{Value: []byte("behind")})
		deleteRecords(t, y.source.Brokers(), "orders", 1, 2) // ours, and its marker
		if plan := run(t, y.redriver()); plan.Sent != 0 {
			t.Fatalf("got %+v", plan)
		}
		if got := y.statuses(t); got[deadletter.Interrupted] != 1 {
			t.Fatalf("got %v", got)
		}
		r := y.redriver()
		r.Again = true
		run(t, r)
		if got := y.statuses(t); got[deadletter.Redriven] != 1 {
			t.Errorf("got %v", got)
		}
		wantRecords(t, stored(t, y.source, "orders", 1)[1:], letter)
	})

	t.Run("stays so where another source is named", func(t *testing.T) {
		t.Parallel()
		y, _ := interrupted(t)
		y.source = cluster(t)
		create(t, y.source, "orders", 3)
		run(t, y.redriver())
		if got := y.statuses(t); got[deadletter.Interrupted] != 1 {
			t.Errorf("got %v", got)
		}
	})

	t.Run("is found behind another producer's open transaction, once that has ended", func(t *testing.T) {
		t.Parallel()
		y := yard{source: cluster(t), topic: deadletter.Topic{Client: cluster(t), Name: "deadletter"}}
		create(t, y.source, "orders", 3)
		create(t, y.topic.Client, "deadletter", 3)
		letter := keyed(1, 1)[0]
		y.bury(t, 0, letter)
		other, err := y.source.Transactional(deadline(t), "other", time.Minute)
		must(t, err)
		b, err := batch.Build(batch.Options{}, []batch.Record{{Value: []byte("other")}})
		must(t, err)
		// behind the intent's offset, before our record
		r := y.redriver()
		begun := false
		func() {
			defer func() { _ = recover() }()
			r.SetFault(func(point string) {
				if point == "intended" && !begun {
					begun = true
					_, err := other.Produce(deadline(t), "orders", 1, []batch.Batch{b})
					must(t, err)
				}
				if point == "sent" {
					panic(point)
				}
			})
			_, _ = r.Run(deadline(t))
		}()
		next := y.redriver()
		ended := make(chan error, 1)
		go func() { ended <- other.Commit(deadline(t)) }()
		_, err = next.Run(deadline(t))
		must(t, err, <-ended)
		records := stored(t, y.source, "orders", 1)
		if len(records) != 2 {
			t.Fatalf("%d records, want the other one and ours", len(records))
		}
		wantRecords(t, records[1:], letter)
	})
}

// killAt kills a redrive at the first point of a name.
func killAt(t testing.TB, r *deadletter.Redriver, name string) (point string) {
	t.Helper()
	defer func() {
		if p := recover(); p != nil && p != any(name) {
			panic(p)
		}
	}()
	r.SetFault(func(at string) {
		if at == name {
			point = at
			panic(name)
		}
	})
	_, err := r.Run(deadline(t))
	must(t, err)
	return ""
}

// deleteRecords makes a partition begin at an offset.
func deleteRecords(t testing.TB, brokers []string, topic string, partition int32, first int64) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	must(t, err)
	defer client.Close()
	request := kmsg.NewPtrDeleteRecordsRequest()
	request.TimeoutMillis = 10_000
	request.Topics = []kmsg.DeleteRecordsRequestTopic{{Topic: topic, Partitions: []kmsg.DeleteRecordsRequestTopicPartition{{Partition: partition, Offset: first}}}}
	response, err := request.RequestWith(deadline(t), client)
	must(t, err)
	if code := response.Topics[0].Partitions[0].ErrorCode; code != 0 {
		t.Fatalf("error code %d", code)
	}
}
