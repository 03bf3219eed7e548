package fn_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/fn"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// cluster is a configuration that is used twice under different prefixes, as a Kafka cluster is.
type cluster struct {
	Brokers  []string      `env:"BROKERS,required" doc:"brokers, host:port"`
	User     string        `env:"USER" doc:"user name"`
	Password secret.String `env:"PASSWORD" doc:"password of the user"`
	Wait     time.Duration `env:"WAIT" envDefault:"5s" doc:"how long to wait"`
}

func (c cluster) Validate() error {
	if c.User != "" && c.Password.Empty() {
		return errors.New("USER is set without PASSWORD")
	}
	return nil
}

// config is what the function of these tests is configured with.
type config struct {
	Source cluster `envPrefix:"SOURCE_"`
	Target cluster `envPrefix:"TARGET_"`
	Mode   mode    `env:"MODE" envDefault:"fetch" doc:"how to read"`
	Size   int32   `env:"SIZE" envDefault:"10" doc:"records at once"`
}

func (c config) Validate() error {
	var faults []error
	if c.Size > 1000 {
		faults = append(faults, errors.New("SIZE must be at most 1000"))
	}
	if c.Mode == "event" && c.Source.User != "" {
		faults = append(faults, errors.New("MODE event needs no SOURCE_USER"))
	}
	return errors.Join(faults...)
}

type mode string

func (m *mode) UnmarshalText(text []byte) error {
	switch string(text) {
	case "fetch", "event":
		*m = mode(text)
		return nil
	default:
		return errors.New("want fetch or event")
	}
}

const password = "correct horse battery staple"

// complete is an environment without a fault.
func complete() map[string]string {
	return map[string]string{
		"SOURCE_BROKERS":  "source:9092",
		"TARGET_BROKERS":  "target-1:9092,target-2:9092",
		"TARGET_USER":     "etl",
		"TARGET_PASSWORD": password,
	}
}

// order is an event: it tells the handler what to do.
type order struct {
	Do string `json:"do"`
}

func (o order) LogAttrs() []slog.Attr { return []slog.Attr{slog.String("do", o.Do)} }

// report is a result: it tells the test what the handler saw.
type report struct {
	RequestID string `json:"request_id"`
	Brokers   string `json:"brokers"`
	Builds    int    `json:"builds"` // handlers built so far, this one included
	Token     string `json:"token"`  // of the credentials, revealed for the test to see
	Left      string `json:"left"`   // time until the context ends
	at        any    // not part of the answer
}

func (r report) LogAttrs() []slog.Attr { return []slog.Attr{slog.Int("builds", r.Builds)} }

// MarshalJSON fails where the test wants a result that cannot be sent.
func (r report) MarshalJSON() ([]byte, error) {
	if r.at != nil {
		return nil, errors.New("a result that cannot be sent")
	}
	type plain report
	return json.Marshal(plain(r))
}

// worker is a handler that does what the event says.
type worker struct {
	config config
	builds int
	events func(string)
}

// newWorker gives a constructor that counts what it builds, and tells events what happens.
func newWorker(events func(string)) fn.New[config, order, report] {
	builds := 0
	return func(ctx context.Context, config config) (fn.Handler[order, report], error) {
		builds++
		events("build")
		if config.Source.Brokers[0] == "nowhere:9092" {
			return nil, fmt.Errorf("connect to %s with password %s: no such host", config.Source.Brokers[0], config.Target.Password.Reveal())
		}
		return &worker{config: config, builds: builds, events: events}, nil
	}
}

func (w *worker) Handle(ctx context.Context, event order) (report, error) {
	w.events("begin " + event.Do)
	defer w.events("end " + event.Do)
	invocation, _ := fn.InvocationFrom(ctx)
	result := report{RequestID: invocation.RequestID, Brokers: strings.Join(w.config.Source.Brokers, ","), Builds: w.builds}
	if deadline, ok := ctx.Deadline(); ok {
		result.Left = time.Until(deadline).Round(time.Millisecond).String()
	}
	fn.LoggerFrom(ctx).Debug("at work", "configuration", fmt.Sprintf("%+v", w), "password", w.config.Target.Password)
	switch event.Do {
	case "fail":
		return result, fmt.Errorf("fetch t/0 at 7: %w", errors.New("connection reset"))
	case "leak":
		return result, fmt.Errorf("dial sasl://etl:%s@target-1: refused", w.config.Target.Password.Reveal())
	case "break":
		return result, fn.Broken(errors.New("write t/0: broken pipe"))
	case "panic":
		panic("cannot go on with " + w.config.Target.Password.Reveal())
	case "index":
		return result, fmt.Errorf("unreachable: %s", w.config.Source.Brokers[len(event.Do)])
	case "unsendable":
		result.at = event
	case "wait":
		<-ctx.Done()
		return result, fmt.Errorf("copy t/0: %w", ctx.Err())
	case "credentials":
		credentials, err := fn.CredentialsFrom(ctx)
		if err != nil {
			return result, err
		}
		fn.LoggerFrom(ctx).Info("signing", "credentials", credentials, "key", credentials.SecretKey.Reveal())
		result.Token = credentials.SessionToken.Reveal()
	}
	return result, nil
}

func (w *worker) Close() error {
	w.events("close")
	return nil
}

// quiet is for tests that do not ask what happened inside.
func quiet(string) {}

// do is the payload of an order.
func do(what string) []byte { return []byte(`{"do":"` + what + `"}`) }

// contains fails the test for every text that is not in got.
func contains(t *testing.T, got string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(got, text) {
			t.Errorf("got:\n%s\nwant it to contain %q", got, text)
		}
	}
}

// lacks fails the test for every text that is in got.
func lacks(t *testing.T, got string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(got, text) {
			t.Errorf("got:\n%s\nwant it not to contain %q", got, text)
		}
	}
}

// logLine is a line of the log that a test reads.
type logLine struct {
	Level      string
	Msg        string
	RequestID  string `json:"request_id"`
	Function   string
	DurationMS *float64 `json:"duration_ms"`
	ColdStart  *bool    `json:"cold_start"`
	BuildMS    *float64 `json:"build_ms"`
	Event      map[string]any
	Result     map[string]any
	Error      string
	ErrorType  string `json:"error_type"`
	Stack      string
}

// summaries gives the summary lines of a log.
func summaries(t *testing.T, log string) []logLine {
	t.Helper()
	var lines []logLine
	for text := range strings.Lines(log) {
		var line logLine
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("log line %q is not JSON: %v", text, err)
		}
		if strings.HasPrefix(line.Msg, "invocation ") {
			lines = append(lines, line)
		}
	}
	return lines
}

// diary keeps what a handler of these tests did.
type diary struct{ entries []string }

func (d *diary) add(entry string) { d.entries = append(d.entries, entry) }
