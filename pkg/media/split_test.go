package media_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/media"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, preset, speed string }{{"long.mkv", "h264-720p", "ultrafast"}, {"long.mp4", "hls-720p", "fast"}} {
		t.Run("pieces of "+c.name+", joined to "+c.preset+", have every frame at its time", func(t *testing.T) {
			t.Parallel()
			codecs := []string{"-c:v", "libx264", "-preset", c.speed, "-bf", "3", "-g", "25", "-pix_fmt", "yuv420p", "-c:a", "aac"}
			testJoin(t, sample(t, c.name, clip("320x240", 4, codecs...)...), media.Presets()[c.preset])
		})
	}
}

func testJoin(t *testing.T, path string, preset media.Preset) {
	j := newJob(t)
	defer j.close(t)
	ctx := t.Context()
	source, err := media.OpenLocal(path)
	if err != nil {
		t.Fatal(err)
	}
	in, err := tools(t).Open(ctx, j.folder, source, media.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	kept := t.TempDir()
	keep := func(name string) media.Put {
		return func(_ context.Context, _ media.File, body io.Reader) error {
			content, err := io.ReadAll(body)
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(kept, name), content, 0o600)
		}
	}
	chunks, err := in.Split(ctx, 2*time.Second, func(ctx context.Context, c media.Chunk, _ int64, body io.Reader) error {
		return keep(fmt.Sprintf("chunk-%d", c.Number))(ctx, media.File{}, body)
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(chunks) < 3 {
		t.Fatalf("chunks %v: want 3 or more", chunks)
	}
	local := func(name string) media.Source {
		s, err := media.OpenLocal(filepath.Join(kept, name))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	var pieces []media.Source
	for _, c := range chunks {
		part := newJob(t)
		chunk, err := tools(t).Open(ctx, part.folder, local(fmt.Sprintf("chunk-%d", c.Number)), media.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("piece-%d", c.Number)
		if _, err := chunk.Piece(ctx, c, media.Task{Preset: preset, Put: keep(name)}); err != nil {
			t.Fatal(err)
		}
		part.close(t)
		pieces = append(pieces, local(name))
	}
	if _, err := in.AudioPiece(ctx, media.Task{Preset: preset, Put: keep("audio")}); err != nil {
		t.Fatal(err)
	}
	out, err := tools(t).Join(ctx, j.folder, pieces, local("audio"), in.Info, media.Task{Preset: preset, Put: j.put}, media.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", out)
	whole := j.files[""]
	if preset.Container == media.ContainerHLS {
		whole = j.files["00000.ts"]
	}
	frames := map[string]bool{}
	for line := range strings.Lines(describe(t, whole, "packet=codec_type,pts_time")) {
		if at, video := strings.CutPrefix(strings.TrimSpace(line), "video,"); video {
			frames[strings.Trim(at, ",")] = true
		}
	}
	if len(frames) != 100 {
		t.Errorf("%d frames at different times, want 100", len(frames))
	}
}
