package media

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/scf-etl/scf-etl/pkg/yamlfile"
)

var presetName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,40}$`)

const (
	mostPresetFile = 64 << 10
	mostSeconds    = 24 * 60 * 60
)

// ReadPresets reads a file with presets, and adds those that are built in. Each option and
// each filter is one of a list: none that names a file or an address, or another input. All
// faults are named, each with its place.
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
	root, err := yamlfile.Parse(name, text)
	if err != nil {
		return nil, err
	}
	r := &yamlfile.Reader{}
	all := Presets()
	list := r.Table(root, "the file", "presets").Get("presets")
	if list == nil || list.Kind != yamlfile.Mapping || len(list.Keys) == 0 {
		r.Fault(root, "presets: {NAME: {container: mp4, ...}}", "there are no presets in it")
		return nil, r.Err()
	}
	for i, key := range list.Keys {
		made, err := readPreset(r, key.Text, list.Values[i])
		_, taken := all[key.Text]
		switch {
		case !presetName.MatchString(key.Text):
			r.Fault(key, "", "preset %q: want a name of small letters, digits and '-'", key.Text)
		case taken:
			r.Fault(key, "take another name", "preset %s is there already", key.Text)
		case err != nil:
			r.Fault(key, "", "preset %s: %v", key.Text, err)
		}
		all[key.Text] = made
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	return all, nil
}

// readPreset reads one preset. err is what is wrong with it beside its form.
func readPreset(r *yamlfile.Reader, name string, n *yamlfile.Node) (Preset, error) {
	t := r.Table(n, "a preset", "container", "video", "audio", "seconds")
	p := Preset{Name: name, Container: Container(t.Text("container", ""))}
	p.video, p.audio = texts(r, t.Get("video")), texts(r, t.Get("audio"))
	if p.Container == ContainerHLS || p.Container == ContainerTS {
		p.key = keySpan
	}
	length, err := strconv.ParseFloat(t.Text("seconds", "0"), 64)
	if err != nil || !(length >= 0 && length <= mostSeconds) {
		return p, fmt.Errorf("seconds is %q: want 0, for all, to %d", t.Text("seconds", "0"), mostSeconds)
	}
	p.Begin = time.Duration(length * float64(time.Second))
	return p, p.check()
}

// texts are the options of one kind of stream; nil where there is no list.
func texts(r *yamlfile.Reader, n *yamlfile.Node) []string {
	if n == nil {
		return nil
	}
	list := []string{}
	for _, one := range r.List(n) {
		list = append(list, r.Text(one, "an option"))
	}
	return list
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
