package media

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/goccy/go-yaml"
)

// presetFile is the form of a file with presets.
type presetFile struct {
	Presets map[string]struct {
		Container Container `yaml:"container"`
		Video     []string  `yaml:"video"`
		Audio     []string  `yaml:"audio"`
		Seconds   float64   `yaml:"seconds"`
	} `yaml:"presets"`
}

var presetName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,40}$`)

const (
	mostPresetFile = 64 << 10
	mostSeconds    = 24 * 60 * 60
)

// ReadPresets reads a file with presets, and adds those that are built in. Each option and
// each filter is one of a list: none that names a file or an address, or another input. All
// faults are named.
//
//	presets:
//	  small:
//	    container: mp4
//	    video: [-c:v, libx264, -crf, "28", -vf, "scale=-2:360"]
//	    audio: [-c:a, aac, -b:a, 96k]
//	    seconds: 30 # only the begin
func ReadPresets(name string, text []byte) (map[string]Preset, error) {
	if len(text) > mostPresetFile {
		return nil, fmt.Errorf("%s: a file with presets has at most %d bytes", name, mostPresetFile)
	}
	var file presetFile
	if err := yaml.UnmarshalWithOptions(text, &file, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	all := Presets()
	var faults []error
	if len(file.Presets) == 0 {
		faults = append(faults, errors.New("there are no presets in it"))
	}
	for _, key := range slices.Sorted(maps.Keys(file.Presets)) {
		p := file.Presets[key]
		made := Preset{Name: key, Container: p.Container, video: p.Video, audio: p.Audio,
			Begin: time.Duration(p.Seconds * float64(time.Second))}
		if p.Container == ContainerHLS || p.Container == ContainerTS {
			made.key = keySpan
		}
		_, taken := Presets()[key]
		switch {
		case !presetName.MatchString(key):
			faults = append(faults, fmt.Errorf("preset %q: want a name of small letters, digits and '-'", key))
		case taken:
			faults = append(faults, fmt.Errorf("preset %s is built in: take another name", key))
		case !(p.Seconds >= 0 && p.Seconds <= mostSeconds):
			faults = append(faults, fmt.Errorf("preset %s: seconds is %v: want 0, for all, to %d", key, p.Seconds, mostSeconds))
		}
		if err := made.check(); err != nil {
			faults = append(faults, fmt.Errorf("preset %s: %w", key, err))
		}
		all[key] = made
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("%s: %w", name, errors.Join(faults...))
	}
	return all, nil
}

// check refuses what a preset of a file may not have.
func (p Preset) check() error {
	form, known := forms()[p.Container]
	if !known {
		return fmt.Errorf("container is %q: want one of %v", p.Container, slices.Sorted(maps.Keys(forms())))
	}
	var faults []error
	if !p.HasVideo() && !p.HasAudio() {
		faults = append(faults, errors.New("it has neither video nor audio"))
	}
	if p.HasAudio() && (p.Container.picture() || p.Container == ContainerGIF) || p.HasVideo() && (p.Container == ContainerM4A || p.Container == ContainerMP3) {
		faults = append(faults, fmt.Errorf("container %s does not take both video and audio", p.Container))
	}
	if p.HasVideo() {
		faults = append(faults, checkOptions(Video, p.video, videoOptions(), form.codecs))
	}
	if p.HasAudio() {
		faults = append(faults, checkOptions(Audio, p.audio, audioOptions(), form.codecs))
	}
	return errors.Join(faults...)
}

// Encoders are the names of what FFmpeg has to have for a preset.
func (p Preset) Encoders() []string {
	var names []string
	for _, list := range [][]string{p.video, p.audio} {
		for pair := range slices.Chunk(list, 2) {
			if pair[0] == "-c:v" || pair[0] == "-c:a" {
				names = append(names, pair[1])
			}
		}
	}
	return names
}
