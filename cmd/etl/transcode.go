package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/media"
)

func (a *app) transcodeCommand() *cobra.Command {
	var into, file string
	var names []string
	cmd := &cobra.Command{
		Use:   "transcode FILE",
		Short: "Transcode a media file here, as the function does it",
		Long: `Transcode a file of this machine with the presets of the function transcode, its
limits and its checks, into a folder: FILE/PRESET.EXT, as the function names the
objects that it makes. FFmpeg is found at FFMPEG, or on the PATH.`,
		Example: "  etl transcode clip.mov --preset h264-720p,thumbnail --out made\n" +
			"  etl transcode clip.mov --presets presets.yaml --preset small",
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringSliceVar(&names, "preset", []string{"h264-720p"}, "presets, comma separated: "+strings.Join(media.Names(media.Presets()), ", "))
	cmd.Flags().StringVar(&file, "presets", "", "file with presets of your own")
	cmd.Flags().StringVar(&into, "out", "transcoded", "folder of the outputs")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		presets := media.Presets()
		if file != "" {
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			if presets, err = media.ReadPresets(file, text); err != nil {
				return err
			}
		}
		for _, name := range names {
			if _, ok := presets[name]; !ok {
				return usagef("there is no preset %q: there are %s", name, strings.Join(media.Names(presets), ", "))
			}
		}
		made, err := a.transcode(cmd.Context(), args[0], into, names, presets)
		if err != nil {
			return err
		}
		return a.print(made, func(w io.Writer) {
			rows := [][]string{{"OUTPUT", "SIZE", "LENGTH", "FILES"}}
			for _, m := range made {
				rows = append(rows, []string{quotedIfOdd(m.Path), megabytes(m.Bytes), m.Duration.String(), fmt.Sprint(m.Files)})
			}
			table(w, rows)
		})
	}
	return cmd
}

// transcoded is an output of this machine.
type transcoded struct {
	Preset string `json:"preset"`
	Path   string `json:"path"`
	media.Output
}

func (a *app) transcode(ctx context.Context, path, into string, names []string, presets map[string]media.Preset) (made []transcoded, err error) {
	tools, err := media.Places{FFmpeg: a.environ["FFMPEG"], FFprobe: a.environ["FFPROBE"]}.Find()
	if err != nil {
		return nil, err
	}
	source, err := media.OpenLocal(path)
	if err != nil {
		return nil, err
	}
	folder, err := media.NewFolder("", 1<<40) // the disk is the user's
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	limits := media.DefaultLimits()
	limits.TempBytes = 1 << 40
	in, err := tools.Open(ctx, folder, source, limits)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for _, name := range names {
		preset := presets[name]
		to := outputPath(filepath.Join(into, filepath.Base(path)), preset)
		out, err := in.Transcode(ctx, media.Task{Preset: preset, Put: putBeside(to)})
		if err != nil {
			return nil, fmt.Errorf("%s of %s: %w", name, path, err)
		}
		made = append(made, transcoded{name, to, out})
	}
	return made, nil
}

func outputPath(folder string, p media.Preset) string {
	if p.Container == media.ContainerHLS {
		return filepath.Join(folder, p.Name, "index.m3u8")
	}
	return filepath.Join(folder, p.Name+p.Container.Extension())
}

// putBeside puts files into the folder of an output, each under its name only when it is whole.
func putBeside(path string) media.Put {
	return func(_ context.Context, f media.File, body io.Reader) error {
		to := path
		if f.Name != "" {
			to = filepath.Join(filepath.Dir(path), filepath.Base(f.Name))
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		file, err := os.CreateTemp(filepath.Dir(to), ".transcode-*")
		if err != nil {
			return err
		}
		defer os.Remove(file.Name()) // once it has its name, nothing is there
		_, err = io.Copy(file, body)
		if err := errors.Join(err, file.Chmod(0o644), file.Close()); err != nil {
			return err
		}
		return os.Rename(file.Name(), to)
	}
}
