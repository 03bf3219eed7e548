package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/media"
)

// cost is what one run has taken.
type cost struct {
	wall, cpu time.Duration
	// early is the part of the input that was read when the first byte of the output was put.
	early float64
}

// timed measures a run by the clock and by the processor, of this process and its children.
func timed(run func() error) (cost, error) {
	before, begun := processor(), time.Now()
	err := run()
	return cost{wall: time.Since(begun), cpu: processor() - before}, err
}

func processor() time.Duration {
	total := time.Duration(0)
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if syscall.Getrusage(who, &u) == nil {
			total += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
	}
	return total
}

// object counts what is read of the input.
type object struct {
	stage *stage
	read  atomic.Int64
}

func (o *object) Size() int64 { return o.stage.object.Size }

func (o *object) Open(ctx context.Context, offset, length int64) (io.ReadCloser, error) {
	body, _, err := o.stage.bucket.GetRange(ctx, inputKey, offset, length)
	if err != nil {
		return nil, err
	}
	o.read.Store(0)
	return struct {
		io.Reader
		io.Closer
	}{io.TeeReader(body, counter{&o.read}), body}, nil
}

type counter struct{ n *atomic.Int64 }

func (c counter) Write(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return len(p), nil
}

// fromBucket does the whole job: look, transcode, check, from the bucket into the bucket.
func (s *stage) fromBucket(ctx context.Context, preset media.Preset) (cost, error) {
	source := &object{stage: s}
	first := int64(-1)
	c, err := timed(func() error {
		folder, err := media.NewFolder(s.dir, media.DefaultLimits().TempBytes)
		if err != nil {
			return err
		}
		defer folder.Close()
		in, err := s.tools.Open(ctx, folder, source, media.Limits{})
		if err != nil {
			return err
		}
		_, err = in.Transcode(ctx, media.Task{Preset: preset, Segments: "s-", Put: func(ctx context.Context, f media.File, body io.Reader) error {
			noted := readerFunc(func(p []byte) (int, error) {
				n, err := body.Read(p)
				if n > 0 && first < 0 {
					first = source.read.Load()
				}
				return n, err
			})
			_, err := s.bucket.Put(ctx, "out/"+preset.Name+"/"+f.Name+"x", noted, cos.PutOptions{Size: f.Size})
			return err
		}})
		return err
	})
	c.early = float64(first) / float64(source.Size())
	return c, err
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// plain runs ffmpeg alone, with the same arguments, from a file into files.
func (s *stage) plain(ctx context.Context, preset media.Preset) (cost, error) {
	folder, err := media.NewFolder(s.dir, 1<<40)
	if err != nil {
		return cost{}, err
	}
	defer folder.Close()
	in, err := s.tools.Open(ctx, folder, &object{stage: s}, media.Limits{})
	if err != nil {
		return cost{}, err
	}
	args, err := in.Arguments(preset)
	if err != nil {
		return cost{}, err
	}
	to := filepath.Join(s.dir, "plain")
	if err := os.MkdirAll(to, 0o755); err != nil {
		return cost{}, err
	}
	for i, argument := range args {
		switch {
		case argument == "pipe:0":
			args[i] = "file:" + s.input()
		case argument == "pipe:1":
			args[i] = "file:" + filepath.Join(to, "output")
		case argument == "pipe:3":
			args[i] = "file:/dev/null"
		case argument == "pipe" && args[i-1] == "-protocol_whitelist":
			args[i] = "file"
		}
	}
	return timed(func() error {
		ffmpeg := exec.CommandContext(ctx, s.tools.FFmpeg, args...)
		ffmpeg.Dir = to
		if out, err := ffmpeg.CombinedOutput(); err != nil {
			return fmt.Errorf("ffmpeg: %w: %s", err, out)
		}
		return nil
	})
}
