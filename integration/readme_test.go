package integration

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// shellBlock is a block of commands in README.md.
var shellBlock = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")

// readmeCommands lists the commands of README.md, or its translation, without comments.
func readmeCommands(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile("../" + file)
	if err != nil {
		t.Fatal(err)
	}
	var commands []string
	for _, block := range shellBlock.FindAllSubmatch(text, -1) {
		for line := range strings.Lines(string(block[1])) {
			command, _, _ := strings.Cut(line, "#")
			if command = strings.TrimSpace(command); command != "" {
				commands = append(commands, command)
			}
		}
	}
	return commands
}

func TestReadme(t *testing.T) {
	t.Parallel()
	commands := readmeCommands(t, "README.md")

	t.Run("the Chinese one has the same commands, in the same order", func(t *testing.T) {
		t.Parallel()
		if diff := cmp.Diff(commands, readmeCommands(t, "README.zh-CN.md")); diff != "" {
			t.Errorf("README.md (-), README.zh-CN.md (+):\n%s", diff)
		}
	})

	t.Run("its make targets are those that CI runs", func(t *testing.T) {
		t.Parallel()
		ci, err := os.ReadFile("../.ci/run")
		if err != nil {
			t.Fatal(err)
		}
		for _, command := range commands {
			if target, ok := strings.CutPrefix(command, "make "); ok && !regexp.MustCompile(`\b`+target+`\b`).Match(ci) {
				t.Errorf("%q is not run by .ci/run", command)
			}
		}
	})

	t.Run("its commands for clusters of one's own do what it says", func(t *testing.T) {
		t.Parallel()
		w := embedded(t)
		w.topic = "orders"
		w.createTopic(t, 2, sample.TopicSettings())
		w.produce(t, 1, batch.Zstd, 10, sample.Plain(1000, 100, 1))
		if err := w.source.CreateTopic(w.ctx, kafka.TopicSpec{Name: "payments", Partitions: 1}); err != nil {
			t.Fatal(err)
		}
		if err := w.target.CreateTopic(w.ctx, kafka.TopicSpec{Name: "deadletter", Partitions: 1}); err != nil {
			t.Fatal(err)
		}
		run := newReadme(t, w)
		for _, command := range commands {
			switch name, _, _ := strings.Cut(command, " "); name {
			case "make": // see above
			case "npx": // the plugin has tests of its own, in deploy/serverless-tencent
			case "export":
				run.export(t, command)
			case "bin/etl":
				run.etl(t, command)
			default:
				t.Errorf("README.md has %q, which no test runs", command)
			}
		}
		run.interrupt(t)
	})
}

// readme runs the commands of README.md in their order.
type readme struct {
	w       *world
	bin     string
	environ []string
	up      *exec.Cmd
	output  bytes.Buffer
}

func newReadme(t *testing.T, w *world) *readme {
	t.Helper()
	// why: commands write there, as after make build
	if err := os.MkdirAll("../bin", 0o755); err != nil {
		t.Fatal(err)
	}
	return &readme{w: w, bin: etlBinary(t), environ: os.Environ()}
}

// export takes the variables over, with the brokers and the bucket that there are here.
func (r *readme) export(t *testing.T, command string) {
	t.Helper()
	if strings.Contains(command, "COS_BUCKET=") {
		r.bucket(t)
		return
	}
	brokers := map[string]string{
		"SOURCE_BROKERS": strings.Join(r.w.source.Brokers(), ","),
		"TARGET_BROKERS": strings.Join(r.w.target.Brokers(), ","),
	}
	for _, pair := range strings.Fields(command)[1:] {
		key, value, _ := strings.Cut(pair, "=")
		if here, ok := brokers[key]; ok {
			value = here
			delete(brokers, key)
		}
		r.environ = append(r.environ, key+"="+value)
	}
	if len(brokers) > 0 {
		t.Errorf("%q does not name both clusters", command)
	}
}

// bucket gives the commands a bucket on this machine.
func (r *readme) bucket(t *testing.T) {
	t.Helper()
	const name = "backup-1250000000"
	server, err := localcos.New(localcos.Config{Dir: t.TempDir(), Buckets: []string{name}, Keys: map[string]localcos.Key{"id": {Secret: secret.New("key")}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	if err := server.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	r.environ = append(r.environ, "COS_BUCKET="+name, "COS_SECRET_ID=id", "COS_SECRET_KEY=key", "COS_ENDPOINT="+server.URL())
}

func (r *readme) command(ctx context.Context, command string) *exec.Cmd {
	args := strings.Fields(strings.ReplaceAll(command, "'", "")) // no argument has a blank in it
	cmd := exec.CommandContext(ctx, r.bin, args[1:]...)
	cmd.Dir, cmd.Env = "..", r.environ
	return cmd
}

// etl runs a command to its end; up goes on beside the others, and verify is
// tried until what up does is done.
func (r *readme) etl(t *testing.T, command string) {
	t.Helper()
	if strings.HasPrefix(command, "bin/etl up") {
		r.up = r.command(r.w.ctx, command)
		r.up.Stdout, r.up.Stderr = &r.output, &r.output
		if err := r.up.Start(); err != nil {
			t.Fatal(err)
		}
		return
	}
	var out []byte
	r.w.await(t, command, func() (bool, error) {
		var err error
		out, err = r.command(r.w.ctx, command).CombinedOutput()
		if err != nil && !strings.HasPrefix(command, "bin/etl verify") {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
		return err == nil, err
	})
	t.Logf("%s\n%s", command, out)
}

// interrupt ends up as Ctrl-C does.
func (r *readme) interrupt(t *testing.T) {
	t.Helper()
	if r.up == nil {
		t.Fatal("README.md has no etl up")
	}
	if err := r.up.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- r.up.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("etl up after Ctrl-C: %v\n%s", err, r.output.String())
		}
	case <-time.After(30 * time.Second):
		t.Error("etl up does not end on Ctrl-C")
		if err := r.up.Process.Kill(); err != nil && !slices.Contains([]error{os.ErrProcessDone}, err) {
			t.Error(err)
		}
	}
	if !strings.Contains(r.output.String(), "topic orders") {
		t.Errorf("etl up has printed no trigger:\n%s", r.output.String())
	}
}
