package chaos_test

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"github.com/scf-etl/scf-etl/integration/chaos"
	"github.com/scf-etl/scf-etl/integration/kafkatest"
)

// strike does a fault to a run and heals it. It says what was hit.
func (r *run) strike(ctx context.Context, f chaos.Fault) (hit string, err error) {
	moment(f.After)
	switch f.Party {
	case chaos.Function:
		return r.strikeFunction(ctx, f)
	case chaos.Platform:
		return r.strikePlatform(f)
	case chaos.Source:
		return r.brokers.Source.Brokers[0], r.strikeBroker(ctx, f, r.brokers.Source)
	default:
		return r.brokers.Target.Brokers[0], r.strikeBroker(ctx, f, r.brokers.Target)
	}
}

// moment lets time pass: the length of a fault, or the random point that it
// comes at.
func moment(d time.Duration) { <-time.After(d) }

func (r *run) strikeFunction(ctx context.Context, f chaos.Fault) (hit string, err error) {
	err = every(ctx, 5*time.Millisecond, "a running function to hit", func() (bool, error) {
		if err := r.platform.check(); err != nil {
			return true, err
		}
		pids, err := r.platform.functions()
		if err != nil || len(pids) == 0 {
			return false, err
		}
		pid := pids[f.Pick%uint64(len(pids))]
		hit = fmt.Sprintf("process %d of %d", pid, len(pids))
		if f.Kind == chaos.Kill {
			return signal(pid, syscall.SIGKILL)
		}
		ok, err := signal(pid, syscall.SIGSTOP)
		if !ok {
			return false, err
		}
		moment(f.For)
		_, err = signal(pid, syscall.SIGCONT) // where it is gone by now it was hit all the same
		return true, err
	})
	return hit, err
}

func (r *run) strikePlatform(f chaos.Fault) (hit string, err error) {
	pid := r.platform.command.Process.Pid
	hit = fmt.Sprintf("process %d", pid)
	if f.Kind == chaos.Kill {
		r.platform.kill()
		return hit, r.platform.start()
	}
	if _, err := signal(pid, syscall.SIGSTOP); err != nil {
		return hit, err
	}
	moment(f.For)
	_, err = signal(pid, syscall.SIGCONT)
	return hit, err
}

func (r *run) strikeBroker(ctx context.Context, f chaos.Fault, cluster *kafkatest.Cluster) error {
	switch f.Kind {
	case chaos.Kill:
		if err := cluster.Kill(ctx); err != nil {
			return err
		}
		if cluster == r.producer.cluster {
			if err := r.producer.abandon(); err != nil {
				return err
			}
		}
		return cluster.Start(ctx)
	case chaos.Stop:
		if err := cluster.Stop(ctx); err != nil {
			return err
		}
		return cluster.Start(ctx)
	case chaos.Pause:
		if err := cluster.Pause(ctx); err != nil {
			return err
		}
		moment(f.For)
		return cluster.Unpause(ctx)
	case chaos.Slow:
		cluster.Proxy.Slow(f.Delay, f.Rate)
	case chaos.Cut:
		cluster.Proxy.Cut()
	case chaos.HalfOpen:
		cluster.Proxy.HalfOpen()
	}
	moment(f.For)
	cluster.Proxy.Heal()
	return nil
}
