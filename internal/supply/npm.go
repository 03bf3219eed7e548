package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// plugin is the folder of the plugin for the Serverless Framework.
const plugin = "deploy/serverless-tencent"

// npm looks at what the plugin brings with it: nothing, or what a package-lock.json
// pins and npm audit knows nothing against. The name of a finding is "npm PACKAGE".
func npm(ctx context.Context, c config) ([]finding, error) {
	folder := filepath.Join(c.root, filepath.FromSlash(plugin))
	text, err := os.ReadFile(filepath.Join(folder, "package.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var manifest struct {
		Dependencies, OptionalDependencies map[string]string
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		return nil, fmt.Errorf("%s/package.json: %w", plugin, err)
	}
	if len(manifest.Dependencies)+len(manifest.OptionalDependencies) == 0 {
		return nil, nil
	}
	if _, err := os.Stat(filepath.Join(folder, "package-lock.json")); err != nil {
		var all []finding
		for _, dependencies := range []map[string]string{manifest.Dependencies, manifest.OptionalDependencies} {
			for name := range dependencies {
				all = append(all, finding{"npm " + name, "a dependency that no package-lock.json pins"})
			}
		}
		return sorted(all), nil
	}
	if _, err := exec.LookPath("npm"); err != nil {
		return nil, errors.New("npm is not here to audit the plugin's dependencies: install Node.js")
	}
	out, err := command(ctx, folder, "npm", "audit", "--omit=dev", "--json").Output()
	found, parseErr := parseAudit(out)
	if parseErr != nil {
		return nil, fmt.Errorf("npm audit: %w: %w", parseErr, explain(err))
	}
	return found, nil
}

// parseAudit reads what npm audit --json prints. A registry that does not answer is an error.
func parseAudit(out []byte) ([]finding, error) {
	var report struct {
		Message         string
		Vulnerabilities map[string]struct {
			Severity, Range string
			Via             []json.RawMessage
		}
	}
	if err := json.Unmarshal(out, &report); err != nil {
		return nil, err
	}
	if report.Vulnerabilities == nil {
		return nil, fmt.Errorf("the registry has not answered: %s", report.Message)
	}
	var all []finding
	for name, v := range report.Vulnerabilities {
		titles := make([]string, 0, len(v.Via))
		for _, via := range v.Via {
			var advisory struct{ Title, URL string }
			if json.Unmarshal(via, &advisory) == nil && advisory.Title != "" {
				titles = append(titles, advisory.Title+" "+advisory.URL)
			}
		}
		all = append(all, finding{"npm " + name, fmt.Sprintf("%s %s: %s", v.Severity, v.Range, strings.Join(titles, "; "))})
	}
	return sorted(all), nil
}

func sorted(all []finding) []finding {
	slices.SortFunc(all, func(a, b finding) int { return strings.Compare(a.name, b.name) })
	return all
}
