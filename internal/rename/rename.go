package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// errDirty says that there are changes that are not committed.
var errDirty = errors.New("there are changes that are not committed: commit them first, or FORCE=1 renames with them")

// kept are the files that stay as they are, with the reason.
func kept() map[string]string {
	return map[string]string{"LICENSE": "says whose work this is"}
}

// rename gives the module of the repository at root another path, and lists the files
// that it has changed. Everything is looked at before the first of them is written.
func rename(ctx context.Context, root, module string, force bool) (changed []string, err error) {
	old, err := currentModule(ctx, root)
	if err != nil {
		return nil, err
	}
	if err := check(ctx, old, module); err != nil {
		return nil, err
	}
	status, err := output(ctx, root, "git", "status", "--porcelain")
	if err != nil {
		return nil, err
	}
	if len(status) > 0 && !force {
		return nil, errDirty
	}
	names, err := output(ctx, root, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
	if err != nil {
		return nil, err
	}
	texts := map[string][]byte{}
	for name := range strings.SplitSeq(strings.TrimRight(string(names), "\x00"), "\x00") {
		if _, stays := kept()[name]; stays {
			continue
		}
		text, err := renamed(filepath.Join(root, filepath.FromSlash(name)), old, module)
		if err != nil {
			return nil, err
		}
		if text != nil {
			texts[name] = text
			changed = append(changed, name)
		}
	}
	for _, name := range changed {
		// why: this keeps the mode of a file that is there.
		if err := os.WriteFile(filepath.Join(root, filepath.FromSlash(name)), texts[name], 0o644); err != nil {
			return nil, fmt.Errorf("%w: git checkout . takes back what was renamed before it", err)
		}
	}
	return changed, nil
}

// currentModule reads the module's path from go.mod.
func currentModule(ctx context.Context, root string) (string, error) {
	text, err := output(ctx, root, "go", "mod", "edit", "-json")
	if err != nil {
		return "", err
	}
	var mod struct{ Module struct{ Path string } }
	if err := json.Unmarshal(text, &mod); err != nil {
		return "", fmt.Errorf("read go.mod: %w", err)
	}
	return mod.Module.Path, nil
}

// check refuses what is not the path of a module, by Go's own rules, and what would be
// taken for a package of the standard library.
func check(ctx context.Context, old, module string) error {
	if module == old {
		return fmt.Errorf("the module is %s already", module)
	}
	host, _, _ := strings.Cut(module, "/")
	if !strings.Contains(host, ".") {
		return fmt.Errorf("%q is no path of a module: want one like example.com/team/etl, with a dot in its first part", module)
	}
	dir, err := os.MkdirTemp("", "rename-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module m\n"), 0o600); err != nil {
		return err
	}
	if _, err := output(ctx, dir, "go", "mod", "edit", "-module="+module); err != nil {
		return fmt.Errorf("%q is no path of a module: %w", module, err)
	}
	return nil
}

// renamed gives the text of a file with the module's path replaced; nil where there is
// nothing to replace, as in what is no text or no file any more.
func renamed(path, old, module string) ([]byte, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil || !info.Mode().IsRegular() {
		return nil, err
	}
	text, err := os.ReadFile(path)
	if err != nil || bytes.IndexByte(text, 0) >= 0 || !bytes.Contains(text, []byte(old)) {
		return nil, err
	}
	next := replace(text, old, module)
	if filepath.Ext(path) == ".go" {
		// why: imports are sorted by their paths.
		if formatted, err := format.Source(next); err == nil {
			next = formatted
		}
	}
	if bytes.Equal(next, text) {
		return nil, nil
	}
	return next, nil
}

// replace puts another path in the place of old, and of what is below it: not in that of
// a longer name, as example.com/etl-tools is for example.com/etl.
func replace(text []byte, old, module string) []byte {
	var out []byte
	for {
		before, after, found := bytes.Cut(text, []byte(old))
		out = append(out, before...)
		switch {
		case !found:
			return out
		case endsName(out) || beginsName(after):
			out = append(out, old...)
		default:
			out = append(out, module...)
		}
		text = after
	}
}

// endsName says whether a name that goes on behind text has begun in it, and beginsName
// whether the one before text goes on there. A dot at the end of a sentence is none of a name.
func endsName(text []byte) bool { return nameEnd.Match(text[max(0, len(text)-1):]) }

func beginsName(text []byte) bool { return nameBegin.Match(text[:min(2, len(text))]) }

var (
	nameEnd   = regexp.MustCompile(`[A-Za-z0-9_.~-]$`)
	nameBegin = regexp.MustCompile(`^([A-Za-z0-9_~-]|\.[A-Za-z0-9_])`)
)

func output(ctx context.Context, dir, name string, args ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, name, args...)
	command.Dir = dir
	out, err := command.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil, fmt.Errorf("%s %s: %s", name, args[0], bytes.TrimSpace(exit.Stderr))
	}
	return out, err
}
