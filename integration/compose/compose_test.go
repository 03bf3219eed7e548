package compose

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestCompose(t *testing.T) {
	t.Parallel()
	require(t)
	for _, command := range installed(t) {
		t.Run(strings.Join(command, " "), func(t *testing.T) { story(t, newProject(t, command)) })
	}
}

// story is one life of the project. Each part goes on where the one before has
// ended, so the first that fails is the last.
func story(t *testing.T, p *project) {
	p.run(t, "up", "--detach", "--build")
	p.awaitHealthy(t, "source", "target", "platform")
	requireOrder(t, p)
	requireClosed(t, p)

	source, target := open(t, p.ctx, p.source), open(t, p.ctx, p.target)
	p.allowSpecial(t)
	p.fill(t, source, 4000)
	stop := p.trickle(t, source)
	p.awaitCopied(t, source, target)
	for _, service := range []string{"target", "source", "platform"} {
		p.run(t, "restart", service)
		p.awaitNew(t, source)
		p.awaitCopied(t, source, target)
		t.Logf("%s was restarted, and the copy went on", service)
	}
	p.awaitHealthy(t, "source", "target", "platform")
	requireStopped(t, p)
	stop()
	p.run(t, "start", "platform")
	p.awaitCopied(t, source, target)
	before := requireEqual(t, p)
	p.run(t, "exec", "-T", "platform", "etl", "verify", topic)
	p.run(t, "exec", "-T", "platform", "etl", "status")

	p.run(t, "down")
	p.run(t, "up", "--detach")
	p.awaitHealthy(t, "source", "target", "platform")
	if after := requireEqual(t, p); after != before {
		t.Errorf("down and up again: the clusters hold\n%s\nand held\n%s", after, before)
	}
	source, target = open(t, p.ctx, p.source), open(t, p.ctx, p.target)
	p.fill(t, source, 500)
	p.awaitCopied(t, source, target)
	if after := requireEqual(t, p); after == before {
		t.Errorf("new records after down and up: the clusters hold\n%s", after)
	}

	p.run(t, "down", "--volumes")
	if left, err := p.left(p.ctx); len(left) > 0 || err != nil {
		t.Errorf("down --volumes leaves %q (%v)", left, err)
	}
}

// requireOrder checks that the topic was there before the platform began, and
// that the platform began once.
func requireOrder(t *testing.T, p *project) {
	t.Helper()
	created, platform := p.container(t, "topic"), p.container(t, "platform")
	if created.State.ExitCode != 0 || created.State.Running {
		t.Errorf("the container that creates the topic: %+v", created.State)
	}
	if ended, begun := at(t, created.State.FinishedAt), at(t, platform.State.StartedAt); begun.Before(ended) {
		t.Errorf("the platform began at %v, before the topic was there at %v", begun, ended)
	}
	if platform.RestartCount != 0 {
		t.Errorf("the platform was started %d times again", platform.RestartCount)
	}
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	when, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

// requireClosed checks what can be reached from outside and what the platform
// may do.
func requireClosed(t *testing.T, p *project) {
	t.Helper()
	for _, service := range []string{"source", "target", "platform"} {
		for port, bindings := range p.container(t, service).HostConfig.PortBindings {
			for _, b := range bindings {
				if service == "platform" || b.HostIP != netip.MustParseAddr("127.0.0.1") {
					t.Errorf("%s publishes port %v on %v", service, port, b.HostIP)
				}
			}
		}
	}
	platform := p.container(t, "platform")
	may := platform.HostConfig
	if !may.ReadonlyRootfs || may.Privileged || strings.Join(may.CapDrop, " ") != "ALL" {
		t.Errorf("the platform may do too much: %+v", may)
	}
	if platform.Config.User != "65532:65532" {
		t.Errorf("the platform runs as %q", platform.Config.User)
	}
}

// requireStopped stops the platform: it has to end by itself, and in order.
func requireStopped(t *testing.T, p *project) {
	t.Helper()
	p.run(t, "stop", "platform")
	if state := p.container(t, "platform").State; state.ExitCode != 0 {
		t.Errorf("a stop ends the platform with exit code %d", state.ExitCode)
	}
	out, err := p.command(p.ctx, "logs", "--no-color", "--tail=1", "platform").Output()
	if err != nil || !strings.Contains(string(out), "stopped: ") {
		t.Errorf("the last words of the platform are %q (%v)", out, err)
	}
}

// requireEqual compares both clusters with etl verify, and gives its table.
func requireEqual(t *testing.T, p *project) string {
	t.Helper()
	out, err := p.etl("verify", topic)
	if err != nil {
		t.Fatalf("etl verify: %v\n%s", err, out)
	}
	if !strings.HasSuffix(string(out), "equal\n") {
		t.Errorf("etl verify ends with exit code 0 and says\n%s", out)
	}
	return string(out)
}
