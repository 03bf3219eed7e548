package migrate_test

import (
	"errors"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/migrate"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

func TestFinish(t *testing.T) {
	t.Parallel()

	t.Run("retention of the source does not keep it from being done", func(t *testing.T) {
		t.Parallel()
		r := verified(t, 1, 10, nil)
		r.cutOver(t)
		write(t, r.Target, 20)
		await(t, "the way back", func() bool { return held(t, r.Source) == 30 })
		if err := r.brokers[0].Fake().DeleteRecords("orders", 0, 15); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Finish(testContext(t), r.name); err != nil {
			t.Error(err)
		}
	})

	t.Run("once it has returned nothing more is copied back, by an invocation that has not heard of it either", func(t *testing.T) {
		t.Parallel()
		r := verified(t, 1, 10, nil)
		r.cutOver(t)
		write(t, r.Target, 20)
		await(t, "the way back", func() bool { return held(t, r.Source) == 30 })
		if _, err := r.Finish(testContext(t), r.name); err != nil {
			t.Fatal(err)
		}
		write(t, r.Target, 5)
		plan := r.plan()
		late, err := mirror.New(mirror.Config{Job: plan.BackJob(), Source: r.Target, Target: r.Source})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := late.Copy(testContext(t), []mirror.Range{{Topic: "orders", Last: 34}}); !errors.Is(err, mirror.ErrClosed) {
			t.Errorf("a copy that has not heard of it: %v, want ErrClosed", err)
		}
		if n := held(t, r.Source); n != 30 {
			t.Errorf("%d records at the source, want 30", n)
		}
		if status, err := migrate.Look(testContext(t), r.Clusters, r.name); err != nil || len(status.Lags) != 0 {
			t.Errorf("the status of what is over has lags: %+v, %v", status.Lags, err)
		}
	})
}
