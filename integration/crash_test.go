package integration

import (
	"bufio"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/migrate"
)

// crashedEverywhere kills the function and the operator's command with kill -9
// in the middle of each step of a migration, and goes on each time.
func crashedEverywhere(t *testing.T, w *world) {
	m := newMigration(t, w, "m", liveTopics+2)
	m.more(t)

	m.crashAnywhere(t, "plan", m.name, "--include", m.plan.Include[0], "--groups", m.plan.Groups[0])
	m.require(t, migrate.Planned, "plan", func(ctx context.Context, _ string) (migrate.State, error) {
		_, err := m.operator.Plan(ctx, m.plan)
		if errors.Is(err, migrate.ErrExists) {
			err = nil // the one that was killed has stored it
		}
		return migrate.State{}, err
	})
	m.crashAnywhere(t, "start", m.name)
	m.step(t, "start", m.operator.Start)

	m.killInstances(t, 2)
	m.awaitStep(t, migrate.DualWriting)
	m.crashAt(t, "comparing", "verify", m.name)
	m.killInstances(t, 1)
	m.step(t, "verify", m.verify)

	m.killInstances(t, 1)
	m.crashAt(t, "watching the source", "cutover", m.name)
	m.halt(t)
	m.crashAt(t, "comparing", "cutover", m.name, "--quiet", "1s")
	m.requireStep(t, migrate.Verified)
	for range 3 {
		m.crashAt(t, "closing the copy", "cutover", m.name, "--quiet", "1s")
		m.requireStep(t, migrate.CuttingOver)
		m.killIdle(t)
	}
	m.step(t, "cutover", m.operator.CutOver)

	m.move(t, m.brokers[1])
	m.killInstances(t, 2)
	m.crashAt(t, "watching the target", "rollback", m.name)
	m.halt(t)
	m.crashAt(t, "looking at the consumer groups", "rollback", m.name)
	m.killIdle(t)
	m.step(t, "rollback", m.operator.Rollback)
	m.move(t, m.brokers[0])
	m.requireOnce(t)
}

// require takes a step, whose result must be there.
func (m *migration) require(t *testing.T, want migrate.Step, name string, take func(context.Context, string) (migrate.State, error)) {
	t.Helper()
	m.step(t, name, take)
	m.requireStep(t, want)
}

func (m *migration) requireStep(t *testing.T, want migrate.Step) {
	t.Helper()
	state, err := migrate.NewStore(m.target).Load(m.ctx, m.name)
	if err != nil || state.Step != want {
		t.Fatalf("the migration is %s (%v), want %s", state.Step, err, want)
	}
}

// killIdle kills the function while nobody writes.
func (m *migration) killIdle(t *testing.T) {
	t.Helper()
	for _, pid := range m.processes(t) {
		kill(t, pid)
	}
}

// command is etl migrate, between the clusters of the world.
func (m *migration) command(t *testing.T, arguments ...string) *exec.Cmd {
	t.Helper()
	command := exec.CommandContext(m.ctx, etlBinary(t), append([]string{"migrate"}, arguments...)...)
	command.Env = append(os.Environ(),
		"SOURCE_BROKERS="+strings.Join(m.brokers[0].Brokers, ","),
		"TARGET_BROKERS="+strings.Join(m.brokers[1].Brokers, ","))
	return command
}

// crashAnywhere has a command killed some times, at moments of chance.
func (m *migration) crashAnywhere(t *testing.T, arguments ...string) {
	t.Helper()
	const times, longest = 4, 400 * time.Millisecond
	for range times {
		command := m.command(t, arguments...)
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(rand.N(longest), func() { _ = command.Process.Kill() }) // it may be over
		_ = command.Wait()                                                              // likewise
		timer.Stop()
	}
}

// crashAt has a command killed as soon as it says that it does something. One
// that is refused before, because the copy is not so far, is tried again.
func (m *migration) crashAt(t *testing.T, doing string, arguments ...string) {
	t.Helper()
	m.await(t, "etl migrate "+arguments[0]+" to be killed while "+doing, func() (bool, error) {
		command := m.command(t, arguments...)
		said, err := command.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		var all strings.Builder
		lines := bufio.NewScanner(said)
		for lines.Scan() {
			all.WriteString(lines.Text() + "\n")
			if strings.Contains(lines.Text(), doing) {
				kill(t, command.Process.Pid)
				_ = command.Wait() // it was killed
				return true, nil
			}
		}
		if command.Wait() == nil {
			t.Fatalf("etl migrate %s is done before it said %q:\n%s", strings.Join(arguments, " "), doing, all.String())
		}
		return false, errors.New(all.String())
	})
}
