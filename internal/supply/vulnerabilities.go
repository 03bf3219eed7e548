package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// vulnerabilities looks with govulncheck for those that the code reaches, in its
// dependencies and in the standard library. The database is the Go project's,
// as the module that it is published in, so that the module proxy is enough. The
// name of a finding is "vulnerabilities GO-YEAR-NUMBER".
func vulnerabilities(ctx context.Context, c config) ([]finding, error) {
	database := c.database
	if database == "" {
		folder, err := download(ctx, c, "golang.org/x/vulndb@"+c.vulndb)
		if err != nil {
			return nil, fmt.Errorf("%w: set GOVULNDB to the URL of a database", err)
		}
		database = "file://" + filepath.ToSlash(filepath.Join(folder, "data", "osv"))
	}
	tool, err := goTool(ctx, c, "govulncheck", "-db="+database, "-format=json", "./...")
	if err != nil {
		return nil, err
	}
	if c.toolchain != "" {
		tool.Env = append(os.Environ(), "GOTOOLCHAIN="+c.toolchain)
	}
	out, err := tool.Output() // with -format=json, findings are no failure
	if err != nil {
		return nil, fmt.Errorf("govulncheck: %w", explain(err))
	}
	return parseVulnerabilities(out)
}

// download gives the folder of a module, which it downloads where it is not cached.
// No go.mod changes by that.
func download(ctx context.Context, c config, module string) (string, error) {
	out, err := command(ctx, c.root, "go", "mod", "download", "-json", module).Output()
	var got struct{ Dir, Error string }
	if jsonErr := json.Unmarshal(out, &got); jsonErr != nil || got.Error != "" {
		return "", fmt.Errorf("download %s: %w", module, cmp.Or(errorOf(got.Error), explain(err), jsonErr))
	}
	return got.Dir, nil
}

func errorOf(text string) error {
	if text == "" {
		return nil
	}
	return errors.New(text)
}

// message is one of the stream that govulncheck prints (golang.org/x/vuln/internal/govulncheck).
type message struct {
	OSV *struct {
		ID, Summary string
	}
	Finding *struct {
		OSV          string
		FixedVersion string `json:"fixed_version"`
		Trace        []struct{ Module, Version, Package, Function string }
	}
}

// parseVulnerabilities reads the stream: a finding whose trace begins with a
// function is one that the code calls, and those alone count.
func parseVulnerabilities(stream []byte) ([]finding, error) {
	decoder := json.NewDecoder(bytes.NewReader(stream))
	summaries := map[string]string{}
	reached := map[string]string{}
	for {
		var m message
		if err := decoder.Decode(&m); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("read what govulncheck prints: %w", err)
		}
		if m.OSV != nil {
			summaries[m.OSV.ID] = m.OSV.Summary
		}
		if f := m.Finding; f != nil && len(f.Trace) > 0 && f.Trace[0].Function != "" {
			at, from := f.Trace[0], f.Trace[len(f.Trace)-1]
			reached[f.OSV] = fmt.Sprintf("%s.%s of %s@%s, called by %s.%s; mended in %s", at.Package, at.Function, at.Module,
				at.Version, from.Package, from.Function, cmp.Or(f.FixedVersion, "no version yet"))
		}
	}
	var all []finding
	for id, where := range reached {
		all = append(all, finding{"vulnerabilities " + id, summaries[id] + "\n" + where})
	}
	slices.SortFunc(all, func(a, b finding) int { return strings.Compare(a.name, b.name) })
	return all, nil
}
