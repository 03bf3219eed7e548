package integration

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// console is a block of one command and what it prints.
var console = regexp.MustCompile("(?ms)^```console\n\\$ (.*?)\n(.*?)^```$")

func TestDeployReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../deploy/README.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("what it says of costs is what etl cost prints", func(t *testing.T) {
		t.Parallel()
		blocks := console.FindAllStringSubmatch(string(text), -1)
		if len(blocks) == 0 {
			t.Fatal("no cost is in deploy/README.md")
		}
		for _, block := range blocks {
			words := strings.Fields(block[1])
			command := exec.CommandContext(t.Context(), etlBinary(t), words[1:]...)
			command.Dir = ".."
			out, err := command.Output()
			if err != nil {
				t.Fatalf("%s: %v", block[1], err)
			}
			if diff := cmp.Diff(string(out), block[2]); diff != "" {
				t.Errorf("%s prints (-), deploy/README.md has (+):\n%s", block[1], diff)
			}
		}
	})
	t.Run("its framework is the same release everywhere", func(t *testing.T) {
		t.Parallel()
		for _, name := range []string{"README.md", "README.zh-CN.md", "deploy/README.md"} {
			page, err := os.ReadFile(filepath.Join("..", name))
			if err != nil {
				t.Fatal(err)
			}
			for _, release := range regexp.MustCompile(`serverless@\S+`).FindAllString(string(page), -1) {
				if release != "serverless@3.40.0" {
					t.Errorf("%s has %s", name, release)
				}
			}
		}
	})
}

// policy is what is read of a policy of CAM.
type policy struct {
	Version   string
	Statement []struct {
		Effect           string
		Action, Resource []string
	}
}

func readPolicy(t *testing.T, name string) policy {
	t.Helper()
	text, err := os.ReadFile("../deploy/policy/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var p policy
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return p
}

// pluginCall is a call of the SCF API in the plugin.
var pluginCall = regexp.MustCompile(`(?:read|write|list)\w*\((?:\w+, )*'([A-Z][A-Za-z]+)'`)

func TestPolicies(t *testing.T) {
	t.Parallel()
	t.Run("no statement allows all of a service, and what changes something is bound to a resource", func(t *testing.T) {
		t.Parallel()
		// why: CAM knows no resource for these (598/57149).
		unbound := []string{"scf:CreateAlias", "scf:UpdateAlias", "scf:DeleteAlias"}
		reading := regexp.MustCompile(`^\w+:(List|Describe|Get|get)`)
		for _, name := range []string{"deployer.json", "function.json"} {
			p := readPolicy(t, name)
			if p.Version != "2.0" || len(p.Statement) == 0 {
				t.Errorf("%s is no policy: %+v", name, p)
			}
			for _, s := range p.Statement {
				for _, action := range s.Action {
					if strings.HasSuffix(action, ":*") || action == "*" {
						t.Errorf("%s allows %s", name, action)
					}
					if slices.Contains(s.Resource, "*") && !reading.MatchString(action) && !slices.Contains(unbound, action) {
						t.Errorf("%s allows %s on everything", name, action)
					}
				}
			}
		}
	})
	t.Run("who deploys may do what the plugin does", func(t *testing.T) {
		t.Parallel()
		var allowed []string
		for _, s := range readPolicy(t, "deployer.json").Statement {
			allowed = append(allowed, s.Action...)
		}
		var missing []string
		err := filepath.WalkDir("../deploy/serverless-tencent/lib", func(path string, _ os.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".js" {
				return err
			}
			text, err := os.ReadFile(path)
			for _, call := range pluginCall.FindAllStringSubmatch(string(text), -1) {
				action := "scf:" + call[1]
				if call[1] == "Invoke" {
					action = "scf:InvokeFunction" // CAM's name of it
				}
				if !slices.Contains(allowed, action) {
					missing = append(missing, action+" of "+path)
				}
			}
			return err
		})
		if err != nil || len(missing) > 0 {
			t.Errorf("deploy/policy/deployer.json does not allow %q, %v", missing, err)
		}
	})
}
