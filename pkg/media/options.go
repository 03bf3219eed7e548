package media

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// The options of encoders that a preset of a file may have. Each has one value, of a form
// without a name of a file: so what is not here, and an option that FFmpeg may get later, is
// refused.
var (
	word   = regexp.MustCompile(`^[a-z0-9_.-]{1,32}$`)
	amount = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,6})?[kM]?$`)
	whole  = regexp.MustCompile(`^[0-9]{1,6}$`)
	real   = regexp.MustCompile(`^[0-9]{1,4}(\.[0-9]{1,6})?(/[0-9]{1,5})?$`)
)

func videoOptions() map[string]*regexp.Regexp {
	return map[string]*regexp.Regexp{
		"-preset": word, "-tune": word, "-profile:v": word, "-level": word, "-pix_fmt": word, "-deadline": word,
		"-crf": real, "-b:v": amount, "-maxrate": amount, "-bufsize": amount, "-r": real, "-fpsmax": real,
		"-g": whole, "-bf": whole, "-q:v": whole, "-cpu-used": whole, "-row-mt": whole, "-refs": whole,
	}
}

func audioOptions() map[string]*regexp.Regexp {
	return map[string]*regexp.Regexp{"-b:a": amount, "-ac": whole, "-ar": whole, "-q:a": whole}
}

// checkOptions looks at the options of one kind of stream: pairs of a name and a value.
func checkOptions(kind Kind, list []string, allowed map[string]*regexp.Regexp, encoders []string) error {
	codec, graph, filters := "-c:v", "-vf", videoFilters()
	if kind == Audio {
		codec, graph, filters = "-c:a", "-af", audioFilters()
	}
	if len(list)%2 != 0 {
		return fmt.Errorf("%s: want pairs of an option and its value, and there are %d", kind, len(list))
	}
	var faults []error
	seen := map[string]bool{}
	for pair := range slices.Chunk(list, 2) {
		name, value := pair[0], pair[1]
		form, known := allowed[name]
		switch {
		case seen[name]:
			faults = append(faults, fmt.Errorf("%s: %q is there twice", kind, name))
		case name == codec:
			if !slices.Contains(encoders, value) {
				faults = append(faults, fmt.Errorf("%s: %s %q: the container takes %s", kind, name, value, strings.Join(encoders, ", ")))
			}
		case name == graph:
			if err := checkFilters(value, filters); err != nil {
				faults = append(faults, fmt.Errorf("%s: %s: %w", kind, name, err))
			}
		case !known:
			faults = append(faults, fmt.Errorf("%s: %q is none of the options that are allowed", kind, name))
		case !form.MatchString(value):
			faults = append(faults, fmt.Errorf("%s: %s %q is no value for it", kind, name, value))
		}
		seen[name] = true
	}
	if !seen[codec] {
		faults = append(faults, fmt.Errorf("%s: %s is missing", kind, codec))
	}
	return errors.Join(faults...)
}
