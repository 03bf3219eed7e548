package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// secrets looks with gitleaks for keys and passwords, in every commit behind HEAD
// and in the files of the index. The name of a finding is
// "secrets FILE:RULE": lines move, and the commit of a line changes with them.
func secrets(ctx context.Context, c config) ([]finding, error) {
	work, err := os.MkdirTemp("", "supply-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	// why a copy: the folder also holds binaries and caches that are in no commit.
	tree := filepath.Join(work, "tree") + string(filepath.Separator)
	if out, err := command(ctx, c.root, "git", "checkout-index", "--all", "--prefix="+tree).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("copy the files of the index: %w: %s", err, out)
	}
	var all []finding
	// why HEAD: without it, what others have on branches of their own would fail this one.
	for _, mode := range [][]string{{"git", "--log-opts=HEAD", c.root}, {"dir", tree}} {
		found, err := gitleaks(ctx, c, filepath.Join(work, mode[0]+".json"), mode...)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return distinct(all), nil
}

// leak is a finding of gitleaks, without the secret itself.
type leak struct {
	RuleID, Description, File, Commit string
	StartLine                         int
}

// gitleaks runs it in a mode, whose last argument is the folder.
func gitleaks(ctx context.Context, c config, report string, mode ...string) ([]finding, error) {
	tool, err := goTool(ctx, c, "gitleaks", append([]string{"--redact", "--no-banner", "--log-level=error", "--exit-code=0",
		"--report-format=json", "--report-path=" + report}, mode...)...)
	if err != nil {
		return nil, err
	}
	if out, err := tool.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("gitleaks %s: %w: %s", mode[0], err, out)
	}
	text, err := os.ReadFile(report)
	if err != nil {
		return nil, err
	}
	return parseLeaks(text, mode[len(mode)-1])
}

// parseLeaks reads a report of gitleaks; names of files below folder are shortened.
func parseLeaks(report []byte, folder string) ([]finding, error) {
	var leaks []leak
	if err := json.Unmarshal(report, &leaks); err != nil {
		return nil, fmt.Errorf("read the report of gitleaks: %w", err)
	}
	var all []finding
	for _, l := range leaks {
		file := filepath.ToSlash(strings.TrimPrefix(l.File, folder))
		where := fmt.Sprintf("%s, line %d", file, l.StartLine)
		if l.Commit != "" {
			where += " of commit " + l.Commit[:min(len(l.Commit), 12)]
		}
		all = append(all, finding{"secrets " + file + ":" + l.RuleID, where + ": " + l.Description})
	}
	return all, nil
}

// distinct leaves one finding of a name, with the places of all.
func distinct(all []finding) []finding {
	var kept []finding
	at := map[string]int{}
	for _, f := range all {
		i, seen := at[f.name]
		if !seen {
			at[f.name] = len(kept)
			kept = append(kept, f)
		} else if !strings.Contains(kept[i].text, f.text) {
			kept[i].text += "\n" + f.text
		}
	}
	return kept
}

// goTool gives the command for a tool that is pinned in tools/go.mod. It is built
// with the Go that is here, and runs in the repository.
func goTool(ctx context.Context, c config, name string, arguments ...string) (*exec.Cmd, error) {
	tools, err := filepath.Abs(c.tools)
	if err != nil {
		return nil, err
	}
	// -n prints the path of the built tool, which spares the second environment of a go run.
	out, err := command(ctx, filepath.Dir(tools), "go", "tool", "-modfile="+tools, "-n", name).Output()
	if err != nil {
		return nil, fmt.Errorf("build %s: %w", name, explain(err))
	}
	return command(ctx, c.root, strings.TrimSpace(string(out)), arguments...), nil
}

func command(ctx context.Context, folder, name string, arguments ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, arguments...)
	cmd.Dir = folder
	return cmd
}

// explain adds to an error what a command has written to stderr.
func explain(err error) error {
	if exit, ok := err.(*exec.ExitError); ok && len(exit.Stderr) > 0 {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
	}
	return err
}
