// Package kafkatest starts clusters of real Apache Kafka in containers for
// tests. A cluster is one node, broker and controller in one, from the image
// that KAFKA_IMAGE names.
//
//	var clusters kafkatest.Shared
//
//	func TestMain(m *testing.M) { os.Exit(clusters.Run(m)) }
//
//	func TestCopy(t *testing.T) {
//		pair := clusters.Pair(t) // skips, with the reason, where there is no Docker
//		topic := kafkatest.Topic(t)
//		...
//	}
package kafkatest

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/exec"
	"github.com/testcontainers/testcontainers-go/log"
	"github.com/testcontainers/testcontainers-go/wait"
)

// DefaultImage is started where neither Config.Image nor KAFKA_IMAGE names
// another one.
const DefaultImage = "apache/kafka:4.2.0"

// Inside is the address of the broker for the tools in its own container: see
// Cluster.Exec.
const Inside = "localhost:19093"

const (
	listenerPort  = 19092
	publishedPort = "19092/tcp"
	startTimeout  = 5 * time.Minute
	stopTimeout   = 20 * time.Second
	pauseTries    = 20
)

// Config says what to start. Its zero value is what most tests want.
type Config struct {
	// Image is the image to start; "" is KAFKA_IMAGE, or DefaultImage.
	Image string
	// Version is the release of Kafka in the image, such as "1.1.1"; "" is one
	// from 3.3 on. Before 3.0 a broker is started with ZooKeeper, which the
	// images of deploy/kafka bring along.
	Version string
	// Settings are broker settings by their names in server.properties. They
	// are laid over what this package sets, HOST being the published listener:
	// "listener.security.protocol.map" and "listener.name.host.*" secure it.
	Settings map[string]string
	// Heap is the broker's memory in the words of Java; "" is
	// "-Xms256m -Xmx512m".
	Heap string
	// HostNetwork puts the broker on this machine's own network (Linux alone),
	// so that no proxy works between it and a client that is measured, and keeps
	// its records in memory, so that the disk is not what is measured: they do not
	// outlive a stop. Nothing is at [Inside] then.
	HostNetwork bool
	// Proxied has clients reach the broker through Cluster.Proxy alone: its
	// address is the one that the broker advertises.
	Proxied bool
}

// Cluster is a running cluster. Its address stays the same when it is stopped
// and started again, and so do its records.
type Cluster struct {
	// Brokers are the addresses to connect to from the test and from the
	// processes it starts, on loopback.
	Brokers []string
	// Proxy disturbs the network to the broker; nil without Config.Proxied.
	Proxy *Proxy

	published netip.AddrPort // the broker without the proxy
	container *testcontainers.DockerContainer
	docker    *testcontainers.DockerClient
}

// Start starts a cluster and returns once it takes requests. The caller
// closes it.
//
// An error says whether the engine, the image or the broker is at fault; that
// of a broker ends with the last lines of its log.
func Start(ctx context.Context, cfg Config) (*Cluster, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", cfg.image(), err)
	}
	return cfg.start(ctx, address)
}

// freeAddress is an address of loopback that nothing listens on.
func freeAddress() (netip.AddrPort, error) {
	port, err := freePort()
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port), err
}

// start starts a node that is reached at address.
func (cfg Config) start(ctx context.Context, address netip.AddrPort, more ...testcontainers.ContainerCustomizer) (*Cluster, error) {
	image := cfg.image()
	docker, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", image, err)
	}
	if cfg.HostNetwork {
		if cfg, err = cfg.onHost(address.String()); err != nil {
			return nil, fmt.Errorf("start %s: %w", image, err)
		}
	}
	c := &Cluster{Brokers: []string{address.String()}, published: address, docker: docker}
	if cfg.Proxied {
		if c.Proxy, err = NewProxy(address.String()); err != nil {
			return nil, fmt.Errorf("start %s: %w", image, err)
		}
		c.Brokers = []string{c.Proxy.Address()}
	}
	c.container, err = testcontainers.Run(ctx, image, append([]testcontainers.ContainerCustomizer{
		testcontainers.WithLogger(log.NewNoopLogger()), // an error has the end of the broker's log
		testcontainers.WithEnv(cfg.env(c.Brokers[0])),
		cfg.reach(address),
		testcontainers.WithWaitStrategyAndDeadline(startTimeout, wait.ForNop(c.ready)),
	}, more...)...)
	if err != nil {
		err = fmt.Errorf("start %s: %w%s", image, err, hint(err))
		if closeErr := c.Close(context.WithoutCancel(ctx)); closeErr != nil {
			err = fmt.Errorf("%w; and its container stays: %w", err, closeErr)
		}
		return nil, err
	}
	return c, nil
}

// hint says what to do about an image that cannot be had. testcontainers has no
// error of its own for either, so its words decide.
func hint(err error) string {
	switch text := err.Error(); {
	case strings.Contains(text, "reaper:"):
		return " (without a registry, TESTCONTAINERS_RYUK_DISABLED=true does without the reaper's image)"
	case strings.Contains(text, "create container:"):
		return " (without a registry, deploy/kafka/build.sh builds an image, and KAFKA_IMAGE names it)"
	}
	return ""
}

func (cfg Config) image() string {
	for _, image := range []string{cfg.Image, os.Getenv("KAFKA_IMAGE")} {
		if image != "" {
			return image
		}
	}
	return DefaultImage
}

// Exec runs a command in the container and returns what it printed. The tools
// are in /opt/kafka/bin and reach the broker at [Inside]. A command that exits
// with another code than 0 is an error that holds the output.
func (c *Cluster) Exec(ctx context.Context, command ...string) (string, error) {
	code, output, err := c.container.Exec(ctx, command, exec.Multiplexed())
	if err != nil {
		return "", fmt.Errorf("exec %s: %w", strings.Join(command, " "), err)
	}
	text, err := io.ReadAll(output)
	if err != nil {
		return "", fmt.Errorf("exec %s: %w", strings.Join(command, " "), err)
	}
	if code != 0 {
		return string(text), fmt.Errorf("exec %s: exit code %d: %s", strings.Join(command, " "), code, text)
	}
	return string(text), nil
}

// CopyIn copies a folder of this machine into the container, to be found at
// parent/NAME.
func (c *Cluster) CopyIn(ctx context.Context, folder, parent string) error {
	// testcontainers takes the folder's own name, and of this path the folder above
	if err := c.container.CopyDirToContainer(ctx, folder, path.Join(parent, filepath.Base(folder)), 0o755); err != nil {
		return fmt.Errorf("copy %s into the container: %w", folder, err)
	}
	return nil
}

// Stop has the broker shut down in order.
func (c *Cluster) Stop(ctx context.Context) error {
	timeout := stopTimeout
	return c.container.Stop(ctx, &timeout)
}

// Kill ends the broker as kill -9 does: nothing is flushed and no client is
// told.
func (c *Cluster) Kill(ctx context.Context) error {
	_, err := c.docker.ContainerKill(ctx, c.container.ID, client.ContainerKillOptions{Signal: "SIGKILL"})
	return err
}

// Pause freezes the broker: its connections stay open and nothing answers.
//
// The kernel's first freezer (cgroup v1) can miss a process whose threads are
// busy, and the engine then thaws it and says so: Pause tries again.
func (c *Cluster) Pause(ctx context.Context) error {
	for tries := 1; ; tries++ {
		_, err := c.docker.ContainerPause(ctx, c.container.ID, client.ContainerPauseOptions{})
		if err == nil || tries == pauseTries || !strings.Contains(err.Error(), "unable to freeze") {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// Unpause lets a paused broker go on.
func (c *Cluster) Unpause(ctx context.Context) error {
	_, err := c.docker.ContainerUnpause(ctx, c.container.ID, client.ContainerUnpauseOptions{})
	return err
}

// Start starts a stopped or killed cluster again and returns once it takes
// requests.
func (c *Cluster) Start(ctx context.Context) error {
	return c.container.Start(ctx)
}

// Logs returns what the broker has printed since its container was made.
func (c *Cluster) Logs(ctx context.Context) (string, error) {
	stream, err := c.container.Logs(ctx)
	if err != nil {
		return "", fmt.Errorf("read the broker's log: %w", err)
	}
	defer stream.Close()
	text, err := io.ReadAll(stream)
	if err != nil {
		return "", fmt.Errorf("read the broker's log: %w", err)
	}
	return string(text), nil
}

// Close removes the container and its records. It does not wait for the broker
// to shut down, and may be called on a cluster that is stopped.
func (c *Cluster) Close(ctx context.Context) error {
	if c.Proxy != nil {
		c.Proxy.Close()
	}
	if c.container == nil {
		return nil
	}
	return c.container.Terminate(ctx, testcontainers.StopContext(ctx), testcontainers.StopTimeout(0))
}
