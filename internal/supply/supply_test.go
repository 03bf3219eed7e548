package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// repository makes a git repository with files.
func repository(t *testing.T, files map[string]string) config {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	git(t, root, "init", "--quiet")
	commit(t, root)
	return config{root: root, tools: "../../tools/go.mod", say: t.Output()}
}

func commit(t *testing.T, root string) {
	t.Helper()
	git(t, root, "add", "--all")
	git(t, root, "-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false", "commit", "--quiet", "--message", "all")
}

func git(t *testing.T, root string, arguments ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "git", arguments...)
	command.Dir = root
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", arguments, err, out)
	}
}

// found says whether run finds something in a repository, and what it prints.
func found(t *testing.T, c config, names ...string) (bool, string) {
	t.Helper()
	var said strings.Builder
	c.say = &said
	err := run(t.Context(), c, names)
	if err != nil && !errors.Is(err, errFindings) {
		t.Fatal(err)
	}
	return err != nil, said.String()
}

func needTools(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds gitleaks and govulncheck, left out by -short: make integration")
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	needTools(t)
	rules, err := os.ReadFile("../../.gitleaks.toml")
	if err != nil {
		t.Fatal(err)
	}
	// why in parts: in one piece it would be found here too.
	id := "AKID" + "z8krbsJ5yKBZQpn74WFkmLPx3Gnfhz3v"
	c := repository(t, map[string]string{".gitleaks.toml": string(rules), "config.yml": "id: " + id + "\n", "main.go": "package main\n"})

	if failed, said := found(t, c, "secrets"); !failed || !strings.Contains(said, "config.yml:tencent-cloud-secret-id") {
		t.Errorf("a key in the tree is not found:\n%s", said)
	} else if strings.Contains(said, id) {
		t.Errorf("the key itself is printed:\n%s", said)
	}
	if err := os.WriteFile(filepath.Join(c.root, "config.yml"), []byte("id: none\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	commit(t, c.root)
	if failed, said := found(t, c, "secrets"); !failed {
		t.Errorf("a key in the history is not found:\n%s", said)
	}
	if err := os.Mkdir(filepath.Join(c.root, ".ci"), 0o755); err != nil {
		t.Fatal(err)
	}
	reason := "secrets config.yml:tencent-cloud-secret-id revoked, and gone from the tree\n"
	if err := os.WriteFile(filepath.Join(c.root, ".ci", "allowed"), []byte(reason), 0o644); err != nil {
		t.Fatal(err)
	}
	if failed, said := found(t, c, "secrets"); failed {
		t.Errorf("what is allowed by name is a failure:\n%s", said)
	}
}

// seeded is a vulnerability in the standard library of every Go.
const seeded = `{"schema_version": "1.3.1", "id": "GO-2000-0001", "modified": "2000-01-01T00:00:00Z", "published": "2000-01-01T00:00:00Z",
"summary": "Printing is dangerous", "details": "", "affected": [{"package": {"name": "stdlib", "ecosystem": "Go"},
"ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}],
"ecosystem_specific": {"imports": [{"path": "os", "symbols": ["Getenv"]}]}}]}`

func TestVulnerabilities(t *testing.T) {
	t.Parallel()
	needTools(t)
	database := t.TempDir()
	if err := os.WriteFile(filepath.Join(database, "GO-2000-0001.json"), []byte(seeded), 0o644); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		main  string
		fails bool
	}{
		"code that reaches a vulnerability fails": {"package main\n\nimport \"os\"\n\nfunc main() { println(os.Getenv(\"X\")) }\n", true},
		"code that does not reach it passes":      {"package main\n\nimport \"os\"\n\nfunc main() { println(os.Args) }\n", false},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			config := repository(t, map[string]string{"go.mod": "module example.com/m\n\ngo 1.26.0\n", "main.go": c.main})
			config.database = "file://" + filepath.ToSlash(database)
			failed, said := found(t, config, "vulnerabilities")
			if failed != c.fails || c.fails && !strings.Contains(said, "vulnerabilities GO-2000-0001\n    Printing is dangerous\n    os.Getenv") {
				t.Errorf("failed is %v:\n%s", failed, said)
			}
		})
	}
}

func TestNpm(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		manifest string
		fails    bool
	}{
		"a plugin without dependencies passes": {`{"name": "p", "peerDependencies": {"serverless": "3"}}`, false},
		"a dependency that nothing pins fails": {`{"name": "p", "dependencies": {"left-pad": "*"}}`, true},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			failed, said := found(t, repository(t, map[string]string{plugin + "/package.json": c.manifest}), "npm")
			if failed != c.fails {
				t.Errorf("failed is %v:\n%s", failed, said)
			}
		})
	}
	t.Run("an advisory is a finding with its title", func(t *testing.T) {
		t.Parallel()
		all, err := parseAudit([]byte(`{"vulnerabilities": {"minimist": {"severity": "critical", "range": "<0.2.4",
			"via": [{"title": "Prototype Pollution", "url": "https://example.com/1"}, "other"]}}}`))
		if err != nil || len(all) != 1 || all[0] != (finding{"npm minimist", "critical <0.2.4: Prototype Pollution https://example.com/1"}) {
			t.Errorf("%+v, %v", all, err)
		}
	})
	t.Run("a registry that does not answer is no clean bill", func(t *testing.T) {
		t.Parallel()
		if all, err := parseAudit([]byte(`{"message": "405 Method Not Allowed"}`)); err == nil || !strings.Contains(err.Error(), "405") {
			t.Errorf("%+v, %v", all, err)
		}
	})
}

func TestAllowed(t *testing.T) {
	t.Parallel()
	for what, text := range map[string]string{
		"a line without a reason":       "secrets a.go:rule\n",
		"a check that there is none of": "licences MIT fine\n",
	} {
		t.Run(what+" is refused with its place", func(t *testing.T) {
			t.Parallel()
			c := repository(t, map[string]string{".ci/allowed": "# comment\n\n" + text})
			if err := run(t.Context(), c, []string{"npm"}); err == nil || !strings.Contains(err.Error(), "allowed:3: ") {
				t.Errorf("error is %v", err)
			}
		})
	}
	t.Run("a check that is not known is an error", func(t *testing.T) {
		t.Parallel()
		if err := run(t.Context(), repository(t, map[string]string{"a": ""}), []string{"secret"}); err == nil {
			t.Error("no error")
		}
	})
}
