package fn

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/tencentyun/scf-go-lib/cloudfunction"
)

// stuck is a handler that cannot be closed.
type stuck struct{}

func (stuck) Handle(context.Context, string) (string, error) { return "done", nil }
func (stuck) Close() error                                   { return errors.New("flush t/0: broken pipe") }

func TestRun(t *testing.T) {
	t.Parallel()

	t.Run("exits 1 when the handler cannot be closed, and says why", func(t *testing.T) {
		t.Parallel()
		ctx, stop := context.WithCancel(t.Context())
		var stderr strings.Builder
		newStuck := func(context.Context, struct{}) (Handler[string, string], error) { return stuck{}, nil }
		code := run(ctx, "dump", newStuck, process{
			environ: map[string]string{portKey: "1"},
			stdout:  io.Discard,
			stderr:  &stderr,
			serve: func(handler cloudfunction.Handler) {
				invocation, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if answer, err := handler.Invoke(invocation, []byte(`"event"`)); err != nil || string(answer) != `"done"` {
					t.Errorf("got %s, %v, want the handler's answer", answer, err)
				}
				stop()
			},
		})
		if want := "stop: close handler: flush t/0: broken pipe\n"; code != exitFailed || stderr.String() != want {
			t.Errorf("got %d and %q, want %d and %q", code, stderr.String(), exitFailed, want)
		}
	})

	t.Run("exits 1 for a configuration that is no struct", func(t *testing.T) {
		t.Parallel()
		var stderr strings.Builder
		newOfInt := func(context.Context, int) (Handler[string, string], error) { return stuck{}, nil }
		code := run(t.Context(), "dump", newOfInt, process{stdout: io.Discard, stderr: &stderr})
		if want := "configuration of dump: int is not a struct\n"; code != exitFailed || stderr.String() != want {
			t.Errorf("got %d and %q, want %d and %q", code, stderr.String(), exitFailed, want)
		}
	})
}
