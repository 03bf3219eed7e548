package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/media"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// presets are the cases: of the same input, 1080p with sound in Matroska.
var presets = []string{"h264-720p", "hls-720p", "audio-mp3"}

const (
	bucketName = "media-1250000000"
	inputKey   = "in/input.mkv"
	seconds    = 30
)

// stage is what all cases share: the input as a file and as an object.
type stage struct {
	dir    string
	tools  media.Tools
	server *localcos.Server
	bucket *cos.Bucket
	object cos.Object
}

func newStage(ctx context.Context, scale float64) (s *stage, err error) {
	s = &stage{}
	if s.tools, err = media.DefaultPlaces().Find(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "bench-media-"); err != nil {
		return nil, err
	}
	if err := s.open(ctx, scale); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *stage) open(ctx context.Context, scale float64) (err error) {
	length := strconv.FormatFloat(seconds*scale, 'f', 1, 64)
	out, err := exec.CommandContext(ctx, s.tools.FFmpeg, "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=1920x1080:rate=25:duration="+length,
		"-f", "lavfi", "-i", "sine=duration="+length, "-c:v", "libx264", "-preset", "veryfast", "-b:v", "8M", "-pix_fmt", "yuv420p", "-c:a", "aac",
		s.input()).CombinedOutput()
	if err != nil {
		return fmt.Errorf("make the input: %w: %s", err, out)
	}
	key := secret.New("key")
	s.server, err = localcos.New(localcos.Config{
		Dir: filepath.Join(s.dir, "cos"), Buckets: []string{bucketName}, Keys: map[string]localcos.Key{"id": {Secret: key}},
	})
	if err != nil {
		return err
	}
	if err := s.server.Start("127.0.0.1:0"); err != nil {
		return err
	}
	s.bucket, err = cos.Open(cos.Config{
		Bucket: bucketName, Region: localcos.DefaultRegion, Endpoint: s.server.URL(), Credentials: cos.Static("id", key),
	})
	if err != nil {
		return err
	}
	file, err := os.Open(s.input())
	if err != nil {
		return err
	}
	defer file.Close()
	s.object, err = s.bucket.Put(ctx, inputKey, file, cos.PutOptions{})
	return err
}

func (s *stage) input() string { return filepath.Join(s.dir, "input.mkv") }

func (s *stage) close() error {
	var err error
	if s.server != nil {
		err = s.server.Close()
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}
