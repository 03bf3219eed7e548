package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go/wait"
)

// ready waits until the broker says that it has started and its published port
// takes a connection. It holds whatever the listener asks of a client, and for
// a second start, because only the log since that start is read.
func (c *Cluster) ready(ctx context.Context, target wait.StrategyTarget) error {
	inspect, err := target.Inspect(ctx)
	if err != nil {
		return fmt.Errorf("wait for the broker: %w", err)
	}
	stream, err := c.docker.ContainerLogs(ctx, inspect.ID, client.ContainerLogsOptions{
		ShowStdout: true, ShowStderr: true, Follow: true, Since: inspect.State.StartedAt,
	})
	if err != nil {
		return fmt.Errorf("read the broker's log: %w", err)
	}
	defer stream.Close()

	log := &startLog{}
	_, err = stdcopy.StdCopy(log, log, stream)
	switch {
	case errors.Is(err, errStarted):
		return c.reachable(ctx)
	case ctx.Err() != nil:
		return fmt.Errorf("wait for the broker: %w%s", ctx.Err(), log)
	case err != nil && !errors.Is(err, io.EOF):
		return fmt.Errorf("read the broker's log: %w%s", err, log)
	default: // the log ends with the process
		return fmt.Errorf("the broker ended instead of starting%s", log)
	}
}

// reachable waits until the published port takes a connection: where the engine
// runs in a virtual machine the port follows the broker later.
func (c *Cluster) reachable(ctx context.Context) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", c.published.String())
		if err == nil {
			return connection.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the broker runs and its published port does not answer: %w", err)
		case <-tick.C:
		}
	}
}

var errStarted = errors.New("the broker has started")

// startedLine is what a broker says once it takes requests: "Kafka Server
// started" in KRaft, before that "[KafkaServer id=1] started", and before 1.0
// "[Kafka Server 1], started".
var startedLine = regexp.MustCompile(`Kafka Server started|\[Kafka ?Server [^\]]*\],? started`)

// startLog reads a broker's log up to the line that says that it has started,
// where Write returns errStarted, and keeps the last lines for an error message.
type startLog struct {
	last []string
	line strings.Builder
}

func (l *startLog) Write(p []byte) (int, error) {
	for part := range strings.Lines(string(p)) {
		l.line.WriteString(part)
		if !strings.HasSuffix(part, "\n") {
			continue
		}
		line := strings.TrimSpace(l.line.String())
		l.line.Reset()
		if startedLine.MatchString(line) {
			return 0, errStarted
		}
		if l.last = append(l.last, line); len(l.last) > 20 {
			l.last = l.last[1:]
		}
	}
	return len(p), nil
}

// String is the end of the log as the end of an error message.
func (l *startLog) String() string {
	if len(l.last) == 0 {
		return ""
	}
	return "; the end of its log:\n\t" + strings.Join(l.last, "\n\t")
}
