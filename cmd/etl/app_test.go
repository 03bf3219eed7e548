package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

// etl runs a command line as a shell would.
func etl(t *testing.T, environ []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(t.Context(), args, environ, &out, &err)
	return code, out.String(), err.String()
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"an unknown command":             {"dmup"},
		"an unknown flag":                {"verify", "--sauce", "x"},
		"a missing argument":             {"verify"},
		"an argument too many":           {"version", "now"},
		"an unknown kind of event":       {"event", "kafka"},
		"an unknown format":              {"version", "-o", "xml"},
		"a cluster without brokers":      {"verify", "orders"},
		"a broker without a port":        {"verify", "orders", "--source-brokers", "host"},
		"records that are not there yet": {"demo", "--records", "-1"},
		"no event for invoke":            {"invoke", "dump"},
		"two events for invoke":          {"invoke", "dump", "--event", "-", "--from", "a:0:0-1"},
		"a timer that there is not":      {"invoke", "dump", "--timer"},
		"a timer of another name":        {"invoke", "backup", "--timer=nightly"},
		"a timer and records at once":    {"invoke", "backup", "--timer", "--from", "a:0:0-1"},
		"a range that goes backwards":    {"invoke", "dump", "--from", "a:0:5-1"},
		"a preview of nothing":           {"extract", "preview", "x.yaml", "--records", "0"},
		"a letter without a position":    {"deadletter", "show"},
		"a position that is none":        {"deadletter", "show", "0-12"},
		"no letters to redrive":          {"deadletter", "redrive"},
		"letters that are chosen twice":  {"deadletter", "redrive", "0:12", "--all"},
		"a value for many letters":       {"deadletter", "redrive", "--all", "--value", "-"},
		"a redrive to a function":        {"deadletter", "redrive", "--all", "--to", "function"},
		"a redrive to nowhere":           {"deadletter", "redrive", "--all", "--to", "topic="},
		"no redrives at all":             {"deadletter", "redrive", "--all", "--max-redrives", "0"},
		"a time that is none":            {"deadletter", "list", "--since", "yesterday"},
		"no key to verify with":          {"package", "verify"},
		"a cost of nothing":              {"cost"},
		"a load without a duration":      {"cost", "--records-per-second", "1"},
		"a memory size that is none":     {"cost", "--calls-per-hour", "1", "--duration-ms", "1", "--memory", "100"},
		"measured and described at once": {"cost", "--invocations", "x", "--calls-per-hour", "1"},
		"no bucket":                      {"backup", "list"},
		"nothing that is kept":           {"backup", "prune"},
		"a backup without a number":      {"backup", "show", "newest"},
		"two points of a restore":        {"restore", "--to-time", "1h", "--to-backup", "3"},
		"an offset of no partition":      {"restore", "--to-offset", "orders:3"},
	} {
		t.Run(name+" is exit code 2, says what is wrong and where help is", func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := etl(t, nil, args...)
			if code != exitUsage || stdout != "" || !strings.HasPrefix(stderr, "etl: ") || !strings.Contains(stderr, "--help") {
				t.Errorf("etl %v: exit code %d, stdout %q, stderr %q", args, code, stdout, stderr)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	a := &app{stdout: &bytes.Buffer{}, stderr: &bytes.Buffer{}}
	for _, cmd := range a.root().Commands() {
		if cmd.Name() == "completion" || cmd.Name() == "help" {
			continue
		}
		t.Run(cmd.Name()+" --help shows an example", func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := etl(t, nil, cmd.Name(), "--help")
			if code != exitDone || stderr != "" {
				t.Fatalf("exit code %d, stderr %q", code, stderr)
			}
			if cmd.Runnable() && len(cmd.Commands()) == 0 && !strings.Contains(stdout, "Examples:") {
				t.Errorf("no example in\n%s", stdout)
			}
		})
	}
}

func TestEvent(t *testing.T) {
	t.Parallel()
	for _, kind := range event.Kinds() {
		t.Run("event "+kind+" prints a complete event", func(t *testing.T) {
			t.Parallel()
			code, stdout, _ := etl(t, nil, "event", kind)
			if code != exitDone || !json.Valid([]byte(stdout)) {
				t.Errorf("exit code %d, stdout %q", code, stdout)
			}
		})
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	t.Run("version as JSON names the Go release", func(t *testing.T) {
		t.Parallel()
		code, stdout, _ := etl(t, nil, "version", "-o", "json")
		var info versionInfo
		if err := json.Unmarshal([]byte(stdout), &info); err != nil || code != exitDone || !strings.HasPrefix(info.Go, "go1.") {
			t.Errorf("exit code %d, %v, %q", code, err, stdout)
		}
	})
}

// twoClusters gives the environment that names an embedded source and target,
// and clients of them.
func twoClusters(t *testing.T) (environ []string, source, target *kafka.Client) {
	t.Helper()
	clients := map[string]*kafka.Client{}
	for _, prefix := range []string{"SOURCE_", "TARGET_"} {
		cluster, err := localkafka.Start(localkafka.Config{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cluster.Close() })
		client, err := kafka.Open(t.Context(), kafka.Config{Brokers: cluster.Brokers(), MetadataTTL: 100 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { client.Close() })
		clients[prefix] = client
		environ = append(environ, prefix+"BROKERS="+strings.Join(cluster.Brokers(), ","))
	}
	environ = append(environ, "PATH="+os.Getenv("PATH"), "HOME="+os.Getenv("HOME"))
	return environ, clients["SOURCE_"], clients["TARGET_"]
}

func fill(t *testing.T, c *kafka.Client, topic string, seed uint64, n int) {
	t.Helper()
	if err := c.CreateTopic(t.Context(), kafka.TopicSpec{Name: topic, Partitions: 1, Settings: sample.TopicSettings()}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Produce(t.Context(), topic, 0, sample.Plain(n, 100, seed)...); err != nil {
		t.Fatal(err)
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	environ, source, target := twoClusters(t)
	fill(t, source, "orders", 1, 100)
	fill(t, target, "orders", 1, 100)
	fill(t, target, "other", 2, 100)

	t.Run("equal topics are exit code 0", func(t *testing.T) {
		t.Parallel()
		code, stdout, stderr := etl(t, environ, "verify", "orders")
		if code != exitDone || !strings.Contains(stdout, "equal") {
			t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
		}
	})
	t.Run("a difference is exit code 1 and shown", func(t *testing.T) {
		t.Parallel()
		code, stdout, stderr := etl(t, environ, "verify", "orders", "other")
		if code != exitFailed || !strings.Contains(stdout, "NOT EQUAL") || !strings.Contains(stdout, "after 0 equal records") {
			t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
		}
	})
	t.Run("as JSON it is one document", func(t *testing.T) {
		t.Parallel()
		code, stdout, _ := etl(t, environ, "verify", "orders", "-o", "json")
		var outcome struct{ Equal bool }
		if err := json.Unmarshal([]byte(stdout), &outcome); err != nil || code != exitDone || !outcome.Equal {
			t.Errorf("exit code %d, %v\n%s", code, err, stdout)
		}
	})
	t.Run("a missing topic is exit code 1 and named", func(t *testing.T) {
		t.Parallel()
		code, _, stderr := etl(t, environ, "verify", "nowhere")
		if code != exitFailed || !strings.Contains(stderr, "nowhere") {
			t.Errorf("exit code %d, %q", code, stderr)
		}
	})
}

func TestOffsets(t *testing.T) {
	t.Parallel()
	environ, source, target := twoClusters(t)
	fill(t, source, "orders", 1, 100)
	fill(t, target, "orders", 1, 1)

	show := func(t *testing.T) string {
		t.Helper()
		code, stdout, stderr := etl(t, environ, "offsets", "show", "--topic", "orders")
		if code != exitDone {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		return stdout
	}
	t.Run("a reset changes nothing until it is executed", func(t *testing.T) {
		code, stdout, stderr := etl(t, environ, "offsets", "reset", "--topic", "orders", "--to", "40")
		if code != exitDone || !strings.Contains(stdout, "--execute") {
			t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
		}
		if got := show(t); !strings.Contains(got, "none") {
			t.Errorf("want no checkpoint:\n%s", got)
		}
		if code, _, stderr := etl(t, environ, "offsets", "reset", "--topic", "orders", "--to", "40", "--execute"); code != exitDone {
			t.Fatal(stderr)
		}
		if got := strings.Fields(show(t)); got[len(got)-2] != "40" || got[len(got)-1] != "60" {
			t.Errorf("got %v, want checkpoint 40 and lag 60", got)
		}
	})
	t.Run("a reset to where the source has nothing is refused", func(t *testing.T) {
		if code, _, stderr := etl(t, environ, "offsets", "reset", "--topic", "orders", "--to", "101"); code != exitUsage || !strings.Contains(stderr, "0 to 100") {
			t.Errorf("exit code %d, %q", code, stderr)
		}
	})
}

func TestLint(t *testing.T) {
	t.Parallel()
	t.Run("the project's own serverless.yml has no error", func(t *testing.T) {
		t.Parallel()
		code, stdout, stderr := etl(t, nil, "lint")
		if code != exitDone {
			t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
		}
	})
	t.Run("a wrong value is exit code 1, with file and line", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "serverless.yml")
		text := "service: etl\nprovider: {name: tencent}\nfunctions:\n  dump:\n    handler: main\n    memorySize: 100\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		code, stdout, stderr := etl(t, nil, "lint", "--config", file)
		if code != exitFailed || !strings.Contains(stdout, "serverless.yml:6") {
			t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
		}
	})
	t.Run("a file that cannot be read is a list of findings too", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "serverless.yml")
		if err := os.WriteFile(file, []byte("service: ${env:NOT_SET}\nprovider: {name: tencent}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		code, stdout, stderr := etl(t, nil, "lint", "--config", file, "-o", "json")
		var findings []struct{ Message string }
		if err := json.Unmarshal([]byte(stdout), &findings); err != nil || code != exitFailed || len(findings) == 0 {
			t.Errorf("exit code %d, %v\n%s%s", code, err, stdout, stderr)
		}
	})
}

func TestInvoke(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds a function, left out by -short")
	}
	environ, source, _ := twoClusters(t)
	fill(t, source, "orders", 1, 100)

	t.Run("records of the source are dumped by the built function", func(t *testing.T) {
		code, stdout, stderr := etl(t, environ, "invoke", "dump", "--from", "orders:0:0-99")
		if code != exitDone || !strings.Contains(stdout, `"records":100`) {
			t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
		}
		if code, stdout, _ := etl(t, environ, "verify", "orders"); code != exitDone {
			t.Error(stdout)
		}
	})
	t.Run("--timer sends the event of the function's timer, due now", func(t *testing.T) {
		code, stdout, stderr := etl(t, environ, "invoke", "migrate", "--timer")
		if code != exitDone || !strings.Contains(stderr, "continue") {
			t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
		}
	})
	t.Run("a failing function is exit code 1 with its error", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "event.json")
		if err := os.WriteFile(file, []byte(`{"Records":[{"Ckafka":{}}]}`), 0o600); err != nil {
			t.Fatal(err)
		}
		code, stdout, stderr := etl(t, environ, "invoke", "dump", "--event", file)
		if code != exitFailed || stdout != "" || !strings.Contains(stderr, "topic") {
			t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
		}
	})
}
