package media

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The filters that a preset of a file may use: none of them reads or writes a file, opens
// an address, or takes commands. Those that do (movie, drawtext, subtitles, lut3d, ...)
// are not here, and so is what FFmpeg may get later.
func videoFilters() []string {
	return []string{
		"scale", "fps", "crop", "pad", "transpose", "hflip", "vflip", "format", "setsar", "setdar", "yadif", "bwdif", "tile",
		"thumbnail", "hqdn3d", "unsharp", "eq", "hue", "gblur", "boxblur", "null",
	}
}

func audioFilters() []string {
	return []string{"volume", "aresample", "aformat", "highpass", "lowpass", "dynaudnorm", "acompressor", "alimiter", "anull"}
}

// filterCharacters are all that a filter graph may have.
const filterCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_=:,.;@()+*/<>'\\ []-|"

// mostFilters bounds the text of a graph.
const mostFilters = 2000

// checkFilters reads a filter graph as FFmpeg does, and refuses a filter that is not allowed.
func checkFilters(graph string, allowed []string) error {
	switch {
	case strings.TrimSpace(graph) == "":
		return errors.New("there is no filter")
	case len(graph) > mostFilters:
		return fmt.Errorf("it has more than %d characters", mostFilters)
	case strings.Trim(graph, filterCharacters) != "":
		return fmt.Errorf("it has characters that no filter here needs: %.40q", strings.Trim(graph, filterCharacters))
	}
	for _, r := range graph {
		if !strings.ContainsRune(filterCharacters, r) {
			return fmt.Errorf("it has a character that no filter here needs: %q", r)
		}
	}
	filters, err := splitFilters(graph)
	if err != nil {
		return err
	}
	for _, filter := range filters {
		name, args, _ := strings.Cut(filter, "=")
		name, _, _ = strings.Cut(strings.TrimSpace(name), "@") // an instance may have a name of its own
		if !slices.Contains(allowed, name) {
			return fmt.Errorf("filter %q is none of those that are allowed: %s", name, strings.Join(allowed, ", "))
		}
		if err := checkFilterArgs(args); err != nil {
			return fmt.Errorf("filter %s: %w", name, err)
		}
	}
	return nil
}

// splitFilters takes a graph apart at its commas and semicolons, without labels. As in FFmpeg a
// backslash and quotes hide what they are around.
func splitFilters(graph string) ([]string, error) {
	var filters []string
	var now strings.Builder
	quoted, label := false, false
	for i := 0; i < len(graph); i++ {
		c := graph[i]
		switch {
		case label:
			label = c != ']'
		case quoted:
			quoted = c != '\''
			now.WriteByte(c)
		case c == '\\':
			if i++; i == len(graph) {
				return nil, errors.New("it ends with a backslash")
			}
			now.WriteByte(c)
			now.WriteByte(graph[i])
		case c == '\'':
			quoted = true
			now.WriteByte(c)
		case c == '[':
			label = true
		case c == ']':
			return nil, errors.New("it has a ] without a [")
		case c == ',' || c == ';':
			filters = append(filters, now.String())
			now.Reset()
		default:
			now.WriteByte(c)
		}
	}
	if quoted || label {
		return nil, errors.New("a quote or a label has no end")
	}
	return append(filters, now.String()), nil
}

// checkFilterArgs refuses what names a file. From FFmpeg 7 on, a / before the name of an
// option has its value read from a file, whatever the filter.
func checkFilterArgs(args string) error {
	plain := strings.NewReplacer(`\`, "", `'`, "", " ", "").Replace(args)
	for option := range strings.FieldsFuncSeq(plain, func(r rune) bool { return r == ':' || r == '|' }) {
		if strings.HasPrefix(option, "/") {
			return fmt.Errorf("%.40q would read a file", option)
		}
		key, _, named := strings.Cut(option, "=")
		for _, part := range []string{"file", "debug", "path", "url"} {
			if named && strings.Contains(strings.ToLower(key), part) {
				return fmt.Errorf("%.40q names a file", option)
			}
		}
	}
	return nil
}
