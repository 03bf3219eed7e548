package pack

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Extra lists the files of a folder that the patterns of package.patterns in
// serverless.yml choose, in the order of their names. They lie in the package
// under the same path.
//
// In a pattern * and ? stand for a part of one name, [abc] for one of some
// letters, {a,b} for one of several, and ** for any number of folders: models/**,
// rules/*.yaml. With ! before it a pattern takes files out again; the last one
// that fits a file decides. Folders as such and links are never chosen, and .git,
// .serverless and node_modules are looked into only where a pattern names them. A
// pattern that chooses nothing is an error, and so is one that leaves the folder.
func Extra(folder fs.FS, patterns []string) ([]string, error) {
	chosen := map[string]bool{}
	for _, pattern := range patterns {
		pattern, without := strings.CutPrefix(pattern, "!")
		clean, whole := strings.CutSuffix(strings.TrimPrefix(pattern, "./"), "/")
		if whole {
			clean += "/**"
		}
		if !fs.ValidPath(clean) || clean == "." {
			return nil, fmt.Errorf("package.patterns: %q is no path below the folder of serverless.yml", pattern)
		}
		fits, err := expression(clean)
		if err != nil {
			return nil, fmt.Errorf("package.patterns: %q is no pattern: %w", pattern, err)
		}
		if without {
			for name := range chosen {
				if fits.MatchString(name) {
					delete(chosen, name)
				}
			}
			continue
		}
		found, err := find(folder, clean, fits)
		if err != nil {
			return nil, fmt.Errorf("package.patterns: %q: %w", pattern, err)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("package.patterns: %q chooses no file: of a whole folder it is FOLDER/**", pattern)
		}
		for _, name := range found {
			chosen[name] = true
		}
	}
	names := make([]string, 0, len(chosen))
	for name := range chosen {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

// find lists the regular files that a pattern chooses.
func find(folder fs.FS, pattern string, fits *regexp.Regexp) (found []string, err error) {
	named := strings.Split(pattern, "/")
	// why: most patterns name the folder that they mean, and others are large.
	from := "."
	for _, part := range named[:len(named)-1] {
		if strings.ContainsAny(part, "*?[{") {
			break
		}
		from = path.Join(from, part)
	}
	if _, err := fs.Stat(folder, from); err != nil {
		return nil, nil
	}
	err = fs.WalkDir(folder, from, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{".git", ".serverless", "node_modules"}, entry.Name()):
			if !slices.Contains(named, entry.Name()) {
				return fs.SkipDir
			}
		case entry.Type().IsRegular() && fits.MatchString(name):
			found = append(found, name)
		}
		return nil
	})
	return found, err
}

// expression turns a pattern into a regular expression.
func expression(pattern string) (*regexp.Regexp, error) {
	var b strings.Builder
	braces := 0
	for i := 0; i < len(pattern); i++ {
		switch rest := pattern[i:]; {
		case strings.HasPrefix(rest, "**/"):
			b.WriteString(`(?:[^/]+/)*`)
			i += 2
		case strings.HasPrefix(rest, "**"):
			b.WriteString(`.*`)
			i++
		case rest[0] == '*':
			b.WriteString(`[^/]*`)
		case rest[0] == '?':
			b.WriteString(`[^/]`)
		case rest[0] == '[' && strings.IndexByte(rest, ']') > 1:
			end := strings.IndexByte(rest, ']')
			set := strings.ReplaceAll(rest[1:end], `\`, `\\`)
			if inside, not := strings.CutPrefix(set, "!"); not {
				set = "^/" + inside
			}
			b.WriteString("[" + set + "]")
			i += end
		case rest[0] == '{' && strings.IndexByte(rest, '}') > 0:
			b.WriteString(`(?:`)
			braces++
		case rest[0] == '}' && braces > 0:
			b.WriteString(`)`)
			braces--
		case rest[0] == ',' && braces > 0:
			b.WriteString(`|`)
		default:
			b.WriteString(regexp.QuoteMeta(rest[:1]))
		}
	}
	return regexp.Compile(`^` + b.String() + `$`)
}
