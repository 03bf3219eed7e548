package fn_test

import (
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/tencentyun/scf-go-lib/cloudfunction/messages"

	"github.com/scf-etl/scf-etl/pkg/fn"
)

// inFunction in the environment makes the test binary the function's binary.
const inFunction = "FN_TEST_FUNCTION"

func TestMain(m *testing.M) {
	if os.Getenv(inFunction) != "" {
		fn.Start("dump", newWorker(func(what string) { fmt.Fprintln(os.Stderr, what) }))
	}
	os.Exit(m.Run())
}

func TestAProcessOnThePlatform(t *testing.T) {
	t.Parallel()

	t.Run("answers with the result, and logs one line to stdout and nothing to stderr", func(t *testing.T) {
		t.Parallel()
		f := launch(t, complete())
		got := call(t, f.connect(), request("work", nil))
		if got.failure != nil || got.RequestID != "rid-1" || got.Brokers != "source:9092" || got.Builds != 1 {
			t.Errorf("got %+v, want a report of the first handler", got)
		}
		f.kill()
		lines := summaries(t, f.stdout.String())
		if len(lines) != 1 || lines[0].RequestID != "rid-1" || lines[0].Function != "etl-dev-dump" || !*lines[0].ColdStart {
			t.Errorf("got stdout:\n%s\nwant one summary line of a cold start", f.stdout.String())
		}
		if got, want := f.stderr.String(), "build\nbegin work\nend work\n"; got != want {
			t.Errorf("got stderr %q, want only what the handler wrote: %q", got, want)
		}
	})

	t.Run("reports an error by a stable type and its whole chain, and goes on", func(t *testing.T) {
		t.Parallel()
		client := launch(t, complete()).connect()
		call(t, client, request("fail", nil)).failed(t, "HandlerError", false, "fetch t/0 at 7: connection reset")
		call(t, client, request("leak", nil)).failed(t, "HandlerError", false, "etl:[redacted]@target-1")
		call(t, client, request("unsendable", nil)).failed(t, "ResultError", false, "encode result")
		garbage := request("", nil)
		garbage.Payload = []byte(`{"do":`)
		call(t, client, garbage).failed(t, "EventError", false, "decode event of 6 bytes", "unexpected end of JSON input")
		if got := call(t, client, request("work", nil)); got.failure != nil || got.Builds != 1 {
			t.Errorf("got %+v, want the first handler still at work", got)
		}
	})

	t.Run("reports a panic with its stack, as one to end the process for", func(t *testing.T) {
		t.Parallel()
		f := launch(t, complete())
		got := call(t, f.connect(), request("panic", nil))
		got.failed(t, "PanicError", true, "panic: cannot go on with [redacted]")
		var labels []string
		for _, frame := range got.failure.StackTrace {
			labels = append(labels, frame.Label)
		}
		contains(t, strings.Join(labels, "\n"), "(*worker).Handle")
		f.kill()
		contains(t, summaries(t, f.stdout.String())[0].Stack, "(*worker).Handle")
	})

	t.Run("takes its configuration from the first invocation if it was started with none of it", func(t *testing.T) {
		t.Parallel()
		client := launch(t, map[string]string{"UNRELATED": "x", "ETL_LOG_LEVEL": "info"}).connect()
		if got := call(t, client, request("work", complete())); got.failure != nil || got.Brokers != "source:9092" {
			t.Errorf("got %+v, want the settings of the invocation", got)
		}
		// the library keeps what came once
		if got := call(t, client, request("work", nil)); got.failure != nil || got.Builds != 1 {
			t.Errorf("got %+v, want the same handler", got)
		}
	})

	t.Run("answers the first invocation with every fault of a configuration that came with it, as one to end the process for", func(t *testing.T) {
		t.Parallel()
		f := launch(t, nil)
		got := call(t, f.connect(), request("work", map[string]string{"SIZE": "many", "TARGET_USER": "etl"}))
		got.failed(t, "ConfigError", true,
			"configuration of dump: SOURCE_BROKERS is not set", "TARGET_BROKERS is not set", `SIZE is "many"`, "TARGET_USER is set without TARGET_PASSWORD")
		f.kill()
		lines := summaries(t, f.stdout.String())
		if len(lines) != 1 || lines[0].ErrorType != "ConfigError" || lines[0].Error != got.failure.Message {
			t.Errorf("got stdout:\n%s\nwant one line with the faults", f.stdout.String())
		}
		lacks(t, f.stderr.String(), "build")
	})

	t.Run("answers an invocation without a deadline with that, and does not hang", func(t *testing.T) {
		t.Parallel()
		f := launch(t, complete())
		client := f.connect()
		zero := request("wait", nil)
		zero.Deadline = messages.InvokeRequest_Timestamp{}
		call(t, client, zero).failed(t, "DeadlineError", false, "carries no deadline")
		past := request("wait", nil)
		past.Deadline.Seconds -= 3600
		call(t, client, past).failed(t, "DeadlineError", false, "the deadline passed")
		f.kill()
		lacks(t, f.stderr.String(), "begin")
	})

	t.Run("gives the handler the credentials of each invocation", func(t *testing.T) {
		t.Parallel()
		f := launch(t, complete())
		client := f.connect()
		for _, token := range []string{"first-session-token", "second-session-token"} {
			if got := call(t, client, request("credentials", keys(token))); got.Token != token {
				t.Errorf("got %+v, want %s", got, token)
			}
		}
		call(t, client, request("credentials", nil)).failed(t, "HandlerError", false, "attach an execution role")
		f.kill()
		contains(t, f.stdout.String(), "signing")
		lacks(t, f.stdout.String(), "session-token", "the-secret-key", "the-secret-id")
	})

	t.Run("builds a broken handler anew, and no other", func(t *testing.T) {
		t.Parallel()
		f := launch(t, complete())
		client := f.connect()
		call(t, client, request("break", nil)).failed(t, "HandlerError", false, "write t/0: broken pipe")
		for range 2 {
			if got := call(t, client, request("work", nil)); got.Builds != 2 {
				t.Errorf("got %+v, want the second handler", got)
			}
		}
		f.kill()
		contains(t, f.stderr.String(), "end break\nclose\nbuild\n")
	})

	t.Run("takes invocations at once, one after the other, each with what is its own", func(t *testing.T) {
		t.Parallel()
		f := launch(t, complete())
		client := f.connect()
		var calls sync.WaitGroup
		for i := range 8 {
			calls.Go(func() {
				token := fmt.Sprintf("session-token-%d", i)
				got, err := tryCall(client, request("credentials", keys(token)))
				if err != nil || got.failure != nil || got.Token != token {
					t.Errorf("got %+v, %v, want %s", got, err, token)
				}
			})
		}
		calls.Wait()
		f.kill()
		want := "build\n" + strings.Repeat("begin credentials\nend credentials\n", 8)
		if got := f.stderr.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestAProcessThatIsToldToStop(t *testing.T) {
	t.Parallel()

	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(fmt.Sprintf("by %v ends the running invocation, closes the handler and exits 0", signal), func(t *testing.T) {
			t.Parallel()
			f := launch(t, complete())
			client := f.connect()
			answers := make(chan answer, 1)
			go func() {
				got, err := tryCall(client, request("wait", nil))
				if err != nil {
					got.failure = &messages.InvokeResponse_Error{Message: err.Error()}
				}
				answers <- got
			}()
			f.stderr.await(t, "begin wait")
			if err := f.cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			(<-answers).failed(t, "StoppedError", false, "the instance is stopping: invoke again: copy t/0: context canceled")
			if code := f.exitCode(); code != 0 {
				t.Errorf("got exit code %d, want 0", code)
			}
			contains(t, f.stderr.String(), "end wait\nclose\n")
			if lines := summaries(t, f.stdout.String()); len(lines) != 1 || lines[0].ErrorType != "StoppedError" {
				t.Errorf("got stdout:\n%s\nwant one line of the stopped invocation", f.stdout.String())
			}
		})
	}

	t.Run("before its first invocation exits 0", func(t *testing.T) {
		t.Parallel()
		f := launch(t, complete())
		f.connect()
		if err := f.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if code := f.exitCode(); code != 0 {
			t.Errorf("got exit code %d, want 0", code)
		}
	})
}

func TestAProcessThatCannotServe(t *testing.T) {
	t.Parallel()

	t.Run("exits 1 with all faults on stderr before it listens, if it was started with a part of its configuration", func(t *testing.T) {
		t.Parallel()
		f := launch(t, map[string]string{"SOURCE_BROKERS": "source:9092", "SOURCE_WAIT": "soon", "MODE": "fech", "TARGET_PASSWORD": password})
		if code := f.exitCode(); code != 1 {
			t.Errorf("got exit code %d, want 1", code)
		}
		want := `configuration of dump: 3 faults
  SOURCE_WAIT is "soon": want a duration such as 500ms, 30s or 1h30m
  TARGET_BROKERS is not set, and required: brokers, host:port
  MODE is "fech": want fetch or event
`
		if got := f.stderr.String(); got != want || f.stdout.String() != "" {
			t.Errorf("got stderr:\n%s\nand stdout:\n%s\nwant only:\n%s", got, f.stdout.String(), want)
		}
		if connection, err := net.Dial("tcp", "localhost:"+f.port); err == nil {
			connection.Close()
			t.Error("the port is listened on")
		}
	})

	t.Run("exits 1 for a wrong setting that every function has", func(t *testing.T) {
		t.Parallel()
		f := launch(t, map[string]string{"ETL_DEADLINE_MARGIN": "-1s"})
		if code := f.exitCode(); code != 1 {
			t.Errorf("got exit code %d, want 1", code)
		}
		contains(t, f.stderr.String(), "ETL_DEADLINE_MARGIN must not be negative")
	})
}

func TestAProcessRunByHand(t *testing.T) {
	t.Parallel()

	t.Run("says what it is, that its configuration is complete, and how to run it, and exits 2", func(t *testing.T) {
		t.Parallel()
		f := launch(t, complete(), "now")
		if code := f.exitCode(); code != 2 {
			t.Errorf("got exit code %d, want 2", code)
		}
		contains(t, f.stderr.String(), "dump is a function for Tencent SCF", "Its configuration is complete.", "etl invoke dump", "dump --help")
	})

	t.Run("lists the faults of its configuration", func(t *testing.T) {
		t.Parallel()
		f := launch(t, map[string]string{"TARGET_BROKERS": "target:9092"}, "now")
		if code := f.exitCode(); code != 2 {
			t.Errorf("got exit code %d, want 2", code)
		}
		contains(t, f.stderr.String(), "configuration of dump: 1 fault\n  SOURCE_BROKERS is not set", "etl invoke dump")
		lacks(t, f.stderr.String(), "complete")
	})

	for _, flag := range []string{"-h", "-help", "--help"} {
		t.Run("lists its settings with "+flag+" and exits 0", func(t *testing.T) {
			t.Parallel()
			f := launch(t, nil, flag)
			if code := f.exitCode(); code != 0 {
				t.Errorf("got exit code %d, want 0", code)
			}
			contains(t, f.stdout.String(), "SOURCE_BROKERS       required       brokers, host:port", "ETL_DEADLINE_MARGIN  default 1s", "etl invoke dump")
			if got := f.stderr.String(); got != "" {
				t.Errorf("got %q on stderr, want nothing", got)
			}
		})
	}
}
