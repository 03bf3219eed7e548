package compose

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

const (
	storyTimeout  = 25 * time.Minute
	removeTimeout = 3 * time.Minute
	partitions    = 5 // one for each compression
	job           = "compose"
	topic         = "orders"
)

// project is deploy/compose.yaml under a name, ports and an image of its own.
type project struct {
	ctx            context.Context
	compose        []string // the command
	name, image    string
	source, target string // brokers
	environ        []string
	docker         *testcontainers.DockerClient
}

// newProject makes a project of which nothing is left when the test ends.
func newProject(t *testing.T, compose []string) *project {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), storyTimeout)
	t.Cleanup(cancel)
	// why: an interrupt fails the story, which then cleans up, instead of ending the process at once.
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	t.Cleanup(stop)
	docker, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	id := strings.ToLower(rand.Text()[:10])
	ports := freePorts(t, 2)
	p := &project{
		ctx: ctx, compose: compose, docker: docker, name: "etl-test-" + id, image: "scf-etl/platform:test-" + id,
		source: "127.0.0.1:" + ports[0], target: "127.0.0.1:" + ports[1],
	}
	p.environ = append(os.Environ(),
		"COMPOSE_PROJECT_NAME="+p.name, "COMPOSE_FILE="+file, "PLATFORM_IMAGE="+p.image,
		"SOURCE_PORT="+ports[0], "TARGET_PORT="+ports[1], "JOB="+job, "TOPIC="+topic, fmt.Sprint("PARTITIONS=", partitions))
	t.Cleanup(func() { p.remove(t) })
	return p
}

// freePorts gives ports of loopback that nothing listens on, from below the
// range of outgoing connections: there, while a broker is down, a connection
// could take its port.
func freePorts(t *testing.T, n int) []string {
	t.Helper()
	var ports []string
	for range 50 {
		port := fmt.Sprint(20_000 + mathrand.IntN(10_000))
		listener, err := net.Listen("tcp4", "127.0.0.1:"+port)
		if err != nil {
			continue
		}
		defer listener.Close() // held until all are found, so that none is found twice
		if ports = append(ports, port); len(ports) == n {
			return ports
		}
	}
	t.Fatalf("found %d of %d free ports", len(ports), n)
	return nil
}

// run runs a command of Compose to its end.
func (p *project) run(t *testing.T, args ...string) {
	t.Helper()
	if out, err := p.command(p.ctx, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", strings.Join(p.compose, " "), strings.Join(args, " "), err, out)
	}
}

func (p *project) command(ctx context.Context, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, p.compose[0], append(p.compose[1:len(p.compose):len(p.compose)], args...)...)
	command.Dir, command.Env = root, p.environ
	return command
}

// etl runs the built command line on both clusters, from this machine.
func (p *project) etl(args ...string) ([]byte, error) {
	command := exec.CommandContext(p.ctx, root+"/bin/etl", args...)
	command.Env = append(os.Environ(), "SOURCE_BROKERS="+p.source, "TARGET_BROKERS="+p.target, "JOB="+job)
	return command.CombinedOutput()
}

// await polls a condition until it holds.
func (p *project) await(t *testing.T, what string, holds func() (bool, error)) {
	t.Helper()
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	var last error
	for {
		ok, err := holds()
		if ok {
			return
		}
		if p.ctx.Err() == nil {
			last = err
		}
		select {
		case <-p.ctx.Done():
			t.Fatalf("%s: not in %v (%v)", what, storyTimeout, last)
		case <-ticker.C:
		}
	}
}

// container is the container of a service as the engine describes it.
func (p *project) container(t *testing.T, service string) container.InspectResponse {
	t.Helper()
	found, err := p.find(p.ctx, service)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func (p *project) find(ctx context.Context, service string) (container.InspectResponse, error) {
	filters := p.filters().Add("label", "com.docker.compose.service="+service)
	list, err := p.docker.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filters})
	if err != nil {
		return container.InspectResponse{}, err
	}
	if len(list.Items) != 1 {
		return container.InspectResponse{}, fmt.Errorf("service %s has %d containers", service, len(list.Items))
	}
	inspected, err := p.docker.ContainerInspect(ctx, list.Items[0].ID, client.ContainerInspectOptions{})
	return inspected.Container, err
}

// filters choose what belongs to the project.
func (p *project) filters() client.Filters {
	return client.Filters{}.Add("label", "com.docker.compose.project="+p.name)
}

// awaitHealthy waits until the services are healthy.
func (p *project) awaitHealthy(t *testing.T, services ...string) {
	t.Helper()
	for _, service := range services {
		p.await(t, service+" is healthy", func() (bool, error) {
			found, err := p.find(p.ctx, service)
			if err != nil || found.State.Health == nil {
				return false, errors.Join(err, errors.New("no health is known"))
			}
			if last := found.State.Health.Log; len(last) > 0 {
				err = errors.New(last[len(last)-1].Output)
			}
			return found.State.Health.Status == container.Healthy, err
		})
	}
}

// left lists what the engine still has of the project.
func (p *project) left(ctx context.Context) ([]string, error) {
	var names []string
	containers, err := p.docker.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: p.filters()})
	for _, c := range containers.Items {
		names = append(names, "container "+strings.Join(c.Names, " "))
	}
	volumes, volumesErr := p.docker.VolumeList(ctx, client.VolumeListOptions{Filters: p.filters()})
	for _, v := range volumes.Items {
		names = append(names, "volume "+v.Name)
	}
	networks, networksErr := p.docker.NetworkList(ctx, client.NetworkListOptions{Filters: p.filters()})
	for _, n := range networks.Items {
		names = append(names, "network "+n.Name)
	}
	return names, errors.Join(err, volumesErr, networksErr)
}

// remove takes away whatever there is, and shows the end of the logs first
// where the test has failed.
func (p *project) remove(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.ctx), removeTimeout)
	defer cancel()
	if t.Failed() {
		out, err := p.command(ctx, "logs", "--no-color", "--tail=40").CombinedOutput()
		t.Logf("the end of the logs (%v):\n%s", err, out)
	}
	if out, err := p.command(ctx, "down", "--volumes", "--remove-orphans", "--timeout=1").CombinedOutput(); err != nil {
		t.Errorf("down: %v\n%s", err, out)
	}
	if _, err := p.docker.ImageRemove(ctx, p.image, client.ImageRemoveOptions{PruneChildren: true}); err != nil {
		t.Logf("remove the image: %v", err) // of a test that ended before it was built
	}
	stages := client.Filters{}.Add("label", "scf-etl.stage=build").Add("dangling", "true")
	if _, err := p.docker.ImagePrune(ctx, client.ImagePruneOptions{Filters: stages}); err != nil {
		t.Errorf("remove what the image was built in: %v", err)
	}
	if left, err := p.left(ctx); len(left) > 0 || err != nil {
		t.Errorf("left behind: %q (%v)", left, err)
	}
}
