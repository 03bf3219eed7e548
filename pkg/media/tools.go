package media

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Tools are the two programs of FFmpeg.
type Tools struct {
	FFmpeg, FFprobe string // paths
}

// Places says where FFmpeg is looked for, in this order: where the settings say, beside the
// binary of the function, in layers, on the PATH.
type Places struct {
	FFmpeg, FFprobe string // paths, as settings have them; "" for those below
	Beside          string // folder of the function's binary
	Layers          string // folder of layers: /opt on the platform (SCF manual, 583/40159)
}

// DefaultPlaces are those of a function on the platform, and of this machine.
func DefaultPlaces() Places {
	p := Places{Layers: "/opt"}
	if self, err := os.Executable(); err == nil {
		p.Beside = filepath.Dir(self)
	}
	return p
}

// Find looks for FFmpeg. ErrNoFFmpeg says where it was looked for.
func (p Places) Find() (Tools, error) {
	ffmpeg, err := p.find("ffmpeg", p.FFmpeg)
	if err != nil {
		return Tools{}, err
	}
	beside := p.FFprobe
	if near := filepath.Join(filepath.Dir(ffmpeg), "ffprobe"); beside == "" && program(near) {
		beside = near
	}
	ffprobe, err := p.find("ffprobe", beside)
	return Tools{FFmpeg: ffmpeg, FFprobe: ffprobe}, err
}

func (p Places) find(name, set string) (string, error) {
	if set != "" {
		if !program(set) {
			return "", fmt.Errorf("%w: %s is %q, which is no program that can be run", ErrNoFFmpeg, strings.ToUpper(name), set)
		}
		return filepath.Abs(set)
	}
	var places []string
	if p.Beside != "" {
		places = append(places, filepath.Join(p.Beside, name), filepath.Join(p.Beside, "bin", name))
	}
	if p.Layers != "" {
		places = append(places, filepath.Join(p.Layers, name), filepath.Join(p.Layers, "bin", name))
	}
	for _, place := range places {
		if program(place) {
			return place, nil
		}
	}
	found, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%w: no %s in %s or on the PATH: make package FFMPEG=... puts it beside the function, "+
			"a layer has it in /opt, and %s=PATH names another place", ErrNoFFmpeg, name, strings.Join(places, ", "), strings.ToUpper(name))
	}
	return filepath.Abs(found)
}

func program(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// askTime bounds a question about FFmpeg itself.
const askTime = 20 * time.Second

// Version is that of ffmpeg, like "5.1.9".
func (t Tools) Version(ctx context.Context) (string, error) {
	text, err := t.ask(ctx, "-version")
	if err != nil {
		return "", err
	}
	fields := strings.Fields(text)
	if len(fields) < 3 || fields[0] != "ffmpeg" || fields[1] != "version" {
		return "", fmt.Errorf("%s does not say its version: is it FFmpeg?", t.FFmpeg)
	}
	return fields[2], nil
}

// Encoders are the names of what this build of FFmpeg can encode with.
func (t Tools) Encoders(ctx context.Context) (map[string]bool, error) {
	text, err := t.ask(ctx, "-encoders")
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		if fields := strings.Fields(lines.Text()); len(fields) >= 2 && len(fields[0]) == 6 {
			names[fields[1]] = true
		}
	}
	return names, lines.Err()
}

func (t Tools) ask(ctx context.Context, what string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	var out bytes.Buffer
	err := collect(ctx, child{program: t.FFmpeg, args: []string{"-hide_banner", what}, bounds: bounds{files: openFiles}},
		func(text []byte) error { out.Write(text); return nil })
	if err != nil {
		return "", fmt.Errorf("ask %s: %w", t.FFmpeg, err)
	}
	return out.String(), nil
}

// collect runs a child and hands over what it writes, piece by piece. An error of take ends
// the child.
func collect(ctx context.Context, c child, take func([]byte) error) error {
	ours, theirs, err := os.Pipe()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c.stdout = theirs
	taken := make(chan struct{})
	go func() {
		defer close(taken)
		defer ours.Close()
		buffer := make([]byte, 32<<10)
		for {
			n, err := ours.Read(buffer)
			if n > 0 {
				if err := take(buffer[:n]); err != nil {
					cancel(err)
					return
				}
			}
			if err != nil {
				return
			}
		}
	}()
	err = c.run(ctx)
	<-taken
	if cause := context.Cause(ctx); cause != nil && err != nil {
		return cause
	}
	return err
}
