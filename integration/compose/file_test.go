package compose

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

const (
	root   = "../.."
	file   = "deploy/compose.yaml"
	loader = "github.com/compose-spec/compose-go/v2/cmd" // in tools/go.mod
)

func TestFile(t *testing.T) {
	t.Parallel()
	require(t)

	for _, command := range installed(t) {
		t.Run(strings.Join(command, " ")+" reads it without a complaint", func(t *testing.T) {
			t.Parallel()
			read(t, command[0], append(command[1:], "-f", file, "config")...)
		})
	}

	t.Run("Compose v2's own loader reads it, and every port is on loopback", func(t *testing.T) {
		t.Parallel()
		out := read(t, "go", "tool", "-modfile=tools/go.mod", loader, "-format=json", file)
		var model struct {
			Services map[string]struct {
				Ports []struct {
					HostIP string `json:"host_ip"`
				}
			}
		}
		if err := json.Unmarshal(out, &model); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		ports := 0
		for name, service := range model.Services {
			for _, port := range service.Ports {
				if ports++; port.HostIP != "127.0.0.1" {
					t.Errorf("%s publishes a port on %q", name, port.HostIP)
				}
			}
		}
		if len(model.Services) != 4 || ports != 2 {
			t.Errorf("%d services with %d ports, want 4 with 2", len(model.Services), ports)
		}
	})
}

// read runs a command in the project's folder and gives what it prints. Words on
// stderr are a fault.
func read(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	var out, words bytes.Buffer
	command := exec.CommandContext(t.Context(), name, args...)
	command.Dir, command.Stdout, command.Stderr = root, &out, &words
	if err := command.Run(); err != nil {
		t.Fatalf("%v: %v\n%s", command, err, words.Bytes())
	}
	for line := range strings.Lines(words.String()) {
		if !strings.HasPrefix(line, "go: downloading ") {
			t.Errorf("%v says: %s", command, line)
		}
	}
	return out.Bytes()
}
