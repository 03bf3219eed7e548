package fntest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scf-etl/scf-etl/pkg/fn"
	"github.com/scf-etl/scf-etl/pkg/fn/fntest"
)

type config struct {
	Greeting string `env:"GREETING,required" doc:"how to greet"`
}

type visitor struct {
	Name string `json:"name"`
}

type welcome struct {
	Text      string
	RequestID string
	Left      time.Duration
	Token     string
}

type greeter struct {
	config config
	closed func() error
}

func (g greeter) Handle(ctx context.Context, event visitor) (welcome, error) {
	if event.Name == "" {
		panic("nobody to greet")
	}
	invocation, _ := fn.InvocationFrom(ctx)
	credentials, _ := fn.CredentialsFrom(ctx)
	deadline, _ := ctx.Deadline()
	return welcome{
		Text:      g.config.Greeting + ", " + event.Name,
		RequestID: invocation.RequestID,
		Left:      time.Until(deadline),
		Token:     credentials.SessionToken.Reveal(),
	}, nil
}

func (g greeter) Close() error { return g.closed() }

func open(_ context.Context, config config) (fn.Handler[visitor, welcome], error) {
	return greeter{config: config, closed: func() error { return nil }}, nil
}

func TestInvoke(t *testing.T) {
	t.Parallel()
	english := map[string]string{"GREETING": "good morning"}

	t.Run("gives the handler a decoded event, its configuration and what options say, and gives its result", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			got, err := fntest.Invoke(t, open, english, []byte(`{"name":"Ada"}`),
				fntest.WithRequestID("rid"), fntest.WithTimeLimit(10*time.Second), fntest.WithCredentials("id", "key", "token"))
			want := welcome{Text: "good morning, Ada", RequestID: "rid", Left: 9 * time.Second, Token: "token"}
			if err != nil || got != want {
				t.Errorf("got %+v, %v, want %+v", got, err, want)
			}
		})
	})

	t.Run("gives a panic as an error, and starts cold after it", func(t *testing.T) {
		t.Parallel()
		f := fntest.Deploy(t, open, english)
		_, err := f.Invoke([]byte(`{}`))
		var panicked *fn.PanicError
		if !errors.As(err, &panicked) {
			t.Errorf("got %T %v, want a PanicError", err, err)
		}
		if got, err := f.Invoke([]byte(`{"name":"Ada"}`)); err != nil || got.RequestID != "request-2" {
			t.Errorf("got %+v, %v, want the second request answered", got, err)
		}
	})

	t.Run("leaves the caller's map and payload as they are", func(t *testing.T) {
		t.Parallel()
		payload := []byte(`{"name":"Ada"}`)
		environment := map[string]string{"GREETING": "hello"}
		if _, err := fntest.Invoke(t, open, environment, payload, fntest.WithEnvironment(map[string]string{"GREETING": "bye"})); err != nil {
			t.Fatal(err)
		}
		if string(payload) != `{"name":"Ada"}` || environment["GREETING"] != "hello" {
			t.Errorf("got %s and %v", payload, environment)
		}
	})
}

// why not parallel: it sets a variable of the test's process
func TestInvokeTakesNothingFromTheEnvironmentOfTheProcess(t *testing.T) {
	t.Setenv("GREETING", "from the process")
	_, err := fntest.Invoke(t, open, nil, []byte(`{"name":"Ada"}`))
	var faulty *fn.ConfigError
	if !errors.As(err, &faulty) || faulty.Faults[0].Key != "GREETING" {
		t.Errorf("got %T %v, want a ConfigError that names GREETING", err, err)
	}
}

// spectator is a test that may fail without the test around it failing.
type spectator struct {
	testing.TB
	cleanups []func()
	errors   []string
}

func (s *spectator) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }
func (s *spectator) Errorf(format string, a ...any) {
	s.errors = append(s.errors, fmt.Sprintf(format, a...))
}

func TestAHandlerThatCannotBeClosedFailsTheTest(t *testing.T) {
	t.Parallel()
	s := &spectator{TB: t}
	tight := func(_ context.Context, config config) (fn.Handler[visitor, welcome], error) {
		return greeter{config: config, closed: func() error { return errors.New("still in use") }}, nil
	}
	if _, err := fntest.Invoke(s, tight, map[string]string{"GREETING": "hi"}, []byte(`{"name":"Ada"}`)); err != nil {
		t.Fatal(err)
	}
	for _, cleanup := range s.cleanups {
		cleanup()
	}
	if len(s.errors) != 1 || s.errors[0] != "stop function: close handler: still in use" {
		t.Errorf("got %q, want the error of Close", s.errors)
	}
}
