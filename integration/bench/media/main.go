// Command media measures what pkg/media adds to FFmpeg: a job from a bucket into a bucket beside
// plain ffmpeg with the same arguments from a file into a file, in one run and in turns. README.md
// of integration/bench says what is measured.
//
//	go run ./integration/bench/media [-cases hls] [-rounds 3] [-scale 1]
package main

import (
	"context"
	"os"

	"github.com/scf-etl/scf-etl/integration/bench/internal/page"
)

func main() { page.Main("media", command) }

func command(ctx context.Context, args []string) error {
	o, err := page.ParseOptions("media", "length of the media: 1 is 30 seconds", args)
	if err != nil {
		return err
	}
	r, err := measure(ctx, o)
	if err != nil || len(r.results) == 0 {
		return err
	}
	if o.Write != "" {
		if err := r.write(o.Write); err != nil {
			return err
		}
	}
	_, err = os.Stdout.WriteString(r.render(false))
	return err
}
