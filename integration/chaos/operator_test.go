package chaos_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/integration/kafkatest"
	"github.com/scf-etl/scf-etl/pkg/migrate"
)

// operator takes the steps of a migration by `etl migrate`, one process each.
type operator struct {
	log     func(format string, values ...any)
	binary  string
	brokers kafkatest.Pair
	random  *rand.Rand
}

// command is one step that is not begun yet. The flags follow on the name of the
// migration.
func (o *operator) command(step string, flags ...string) *exec.Cmd {
	command := exec.Command(o.binary, append([]string{"migrate", step, migration}, flags...)...)
	command.Env = append(os.Environ(),
		"SOURCE_BROKERS="+strings.Join(o.brokers.Source.Brokers, ","), "TARGET_BROKERS="+strings.Join(o.brokers.Target.Brokers, ","))
	return command
}

// take takes a step as soon as its gates hold. Anything else that keeps it from
// being taken is a failure: no fault is under way any more.
func (o *operator) take(t *testing.T, step string, flags ...string) {
	t.Helper()
	begun := time.Now()
	var output []byte
	err := every(t.Context(), 100*time.Millisecond, "etl migrate "+step, func() (_ bool, err error) {
		if output, err = o.command(step, flags...).CombinedOutput(); err != nil {
			return !notYet(string(output)), fmt.Errorf("%w: %s", err, output)
		}
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	o.log("etl migrate %s, after %v:\n%s", step, time.Since(begun).Round(time.Millisecond), output)
}

// notYet says that a step was refused for now.
func notYet(output string) bool {
	return strings.Contains(output, "is not to be") || strings.Contains(output, migrate.ErrConflict.Error())
}

// kill begins a step, and kills it in the moments after it has written a word.
// One that was refused before is begun again.
func (o *operator) kill(t *testing.T, word string, step string, flags ...string) {
	t.Helper()
	err := every(t.Context(), 100*time.Millisecond, "etl migrate "+step+" to say "+word, func() (bool, error) {
		done, output := o.killOnce(t, word, step, flags...)
		if done {
			return true, nil
		}
		return !notYet(output), errors.New(output)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// killOnce says whether the word was heard, or the step is done already.
func (o *operator) killOnce(t *testing.T, word string, step string, flags ...string) (done bool, text string) {
	t.Helper()
	command := o.command(step, flags...)
	output := &said{word: word, heard: make(chan struct{})}
	command.Stdout, command.Stderr = output, output
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = command.Wait() // how it has ended is in its state
		close(ended)
	}()
	select {
	case <-output.heard:
		moment(time.Duration(o.random.IntN(150)) * time.Millisecond)
		_ = command.Process.Kill() // it may be gone
	case <-ended: // refused, or done already
	}
	<-ended
	o.log("etl migrate %s to be killed: %v, after\n%s", step, command.ProcessState, output.text.String())
	return output.done || command.ProcessState.Success(), output.text.String()
}

// said notices a word in what a process writes.
type said struct {
	word  string
	text  bytes.Buffer
	heard chan struct{}
	done  bool
}

// Write is called by one goroutine.
func (s *said) Write(p []byte) (int, error) {
	s.text.Write(p)
	if !s.done && strings.Contains(s.text.String(), s.word) {
		s.done = true
		close(s.heard)
	}
	return len(p), nil
}

func newOperator(r *run, seed uint64) *operator {
	return &operator{
		log: r.log, binary: filepath.Join(r.platform.dir, "bin", "etl"), brokers: r.brokers, random: rand.New(rand.NewPCG(seed, 4)),
	}
}
