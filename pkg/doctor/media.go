package doctor

import (
	"context"
	"path/filepath"

	"github.com/scf-etl/scf-etl/pkg/media"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// transcodeBinary is the name of the binary that runs FFmpeg.
const transcodeBinary = "transcode"

// ffmpeg says which FFmpeg a function that runs it has on this machine, where the service has
// such a function.
func (d *doctor) ffmpeg(ctx context.Context, s *Section) {
	if d.Service == nil {
		return
	}
	for _, f := range d.Service.Functions {
		if filepath.Base(f.Binary) != transcodeBinary {
			continue
		}
		check := "ffmpeg of " + f.Key
		const fix = "install Debian's ffmpeg, or set FFMPEG; for the cloud: make package FFMPEG=PATH, or a layer"
		places := media.DefaultPlaces()
		places.FFmpeg, places.FFprobe = f.Environment["FFMPEG"], f.Environment["FFPROBE"]
		tools, err := places.Find()
		if err != nil {
			if triggered(f) {
				s.fail(check, fix, "%v", err)
			} else {
				s.skip(check, "%v; its triggers are off", err)
			}
			continue
		}
		version, err := tools.Version(ctx)
		if err != nil {
			s.fail(check, fix, "%v", err)
			continue
		}
		s.ok(check, "%s, %s", version, tools.FFmpeg)
	}
}

// triggered says whether anything invokes a function by itself.
func triggered(f scf.Function) bool {
	for _, e := range f.Events {
		if e.Kafka != nil && e.Kafka.Enabled || e.COS != nil && e.COS.Enabled || e.Timer != nil && e.Timer.Enabled {
			return true
		}
	}
	return false
}
