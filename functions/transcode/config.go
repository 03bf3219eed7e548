package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/media"
	"github.com/scf-etl/scf-etl/pkg/media/transcode"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// Config is read from the function's environment.
type Config struct {
	Outputs []string `env:"OUTPUTS" envDefault:"h264-720p,thumbnail" doc:"presets that are made of an object that was created, comma separated; a message names its own"`
	Presets string   `env:"PRESETS" doc:"file with presets of your own, beside those that are built in"`
	FFmpeg  string   `env:"FFMPEG" doc:"path of ffmpeg; empty: beside the function, in a layer (/opt), on the PATH"`
	FFprobe string   `env:"FFPROBE" doc:"path of ffprobe; empty: beside ffmpeg, or as that"`

	OutputPrefix string `env:"OUTPUT_PREFIX" envDefault:"transcoded/" doc:"folder of outputs; no object below it is ever an input"`
	WorkPrefix   string `env:"WORK_PREFIX" envDefault:"transcode.work/" doc:"folder for the state of what is under way"`
	FailedPrefix string `env:"FAILED_PREFIX" envDefault:"transcode.failed/" doc:"folder of dead letters: what failed, why, and the last lines of FFmpeg"`

	SplitOver   time.Duration `env:"SPLIT_OVER" envDefault:"10m" doc:"a longer video is split, and its pieces are messages to JOBS_TOPIC; 0: none is"`
	PieceLength time.Duration `env:"PIECE_LENGTH" envDefault:"2m" doc:"about how long a piece is"`
	Attempts    int           `env:"ATTEMPTS" envDefault:"3" doc:"so often a job may kill its process, or run out of its time, before it goes to the dead letter"`

	MaxBytes     int64         `env:"MAX_BYTES" envDefault:"21474836480" doc:"largest input, and largest output"`
	MaxDuration  time.Duration `env:"MAX_DURATION" envDefault:"6h" doc:"longest input"`
	MaxPixels    int64         `env:"MAX_PIXELS" envDefault:"9437184" doc:"most pixels of a frame: 4096x2304"`
	MaxFrameRate float64       `env:"MAX_FRAME_RATE" envDefault:"240" doc:"most frames per second"`
	MaxStreams   int           `env:"MAX_STREAMS" envDefault:"64" doc:"most streams of an input"`
	TempBytes    int64         `env:"TEMP_BYTES" envDefault:"503316480" doc:"most that the temporary files of a job may have: /tmp has 512 MB"`
	Memory       int64         `env:"FFMPEG_MEMORY" envDefault:"0" doc:"bytes of memory that FFmpeg may have; 0: the function's without 256 MB, at least 768 MB"`
	Threads      int           `env:"THREADS" envDefault:"2" doc:"threads of FFmpeg"`

	COS Place `envPrefix:"COS_"`

	Source          kafka.Config `envPrefix:"SOURCE_"`
	JobsTopic       string       `env:"JOBS_TOPIC" doc:"topic of the trigger, in the cluster of SOURCE_BROKERS: pieces of long jobs are messages there; empty: no job is split"`
	DeadLetterTopic string       `env:"DEADLETTER_TOPIC" doc:"topic of that cluster for messages whose job failed, beside the object below FAILED_PREFIX; empty: the object alone"`
}

// Place is the bucket.
type Place struct {
	Bucket    string        `env:"BUCKET,required" doc:"bucket of inputs and outputs, with its APPID: media-1250000000. It must never have had versions"`
	Region    string        `env:"REGION" envDefault:"ap-guangzhou" doc:"region of the bucket"`
	Endpoint  string        `env:"ENDPOINT" doc:"address in place of the service, as of a local one: http://localhost:9436"`
	SecretID  string        `env:"SECRET_ID" doc:"SecretId of a key; without it the function's role is used"`
	SecretKey secret.String `env:"SECRET_KEY" doc:"SecretKey of that key"`
}

// Validate names every wrong field, without its prefix.
func (p Place) Validate() error {
	if (p.SecretID == "") != p.SecretKey.Empty() {
		return errors.New("SECRET_ID and SECRET_KEY belong together: set both or none")
	}
	return nil
}

// Validate checks what concerns more than one setting.
func (c Config) Validate() error {
	var faults []error
	prefixes := []string{c.OutputPrefix, c.WorkPrefix, c.FailedPrefix}
	for i, name := range []string{"OUTPUT_PREFIX", "WORK_PREFIX", "FAILED_PREFIX"} {
		if err := transcode.CheckPrefix(prefixes[i]); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
		}
		for j := range i {
			if strings.HasPrefix(prefixes[i], prefixes[j]) || strings.HasPrefix(prefixes[j], prefixes[i]) {
				faults = append(faults, fmt.Errorf("%s is %q: it and %q lie in each other", name, prefixes[i], prefixes[j]))
			}
		}
	}
	for name, value := range map[string]float64{
		"MAX_BYTES": float64(c.MaxBytes), "MAX_DURATION": float64(c.MaxDuration), "MAX_PIXELS": float64(c.MaxPixels),
		"MAX_FRAME_RATE": c.MaxFrameRate, "MAX_STREAMS": float64(c.MaxStreams), "TEMP_BYTES": float64(c.TempBytes),
		"THREADS": float64(c.Threads), "ATTEMPTS": float64(c.Attempts), "PIECE_LENGTH": float64(c.PieceLength),
	} {
		if !(value > 0) {
			faults = append(faults, fmt.Errorf("%s: want more than 0", name))
		}
	}
	if c.SplitOver < 0 || c.Memory < 0 {
		faults = append(faults, errors.New("SPLIT_OVER and FFMPEG_MEMORY: want 0 or more"))
	}
	if c.Threads > 64 || c.Attempts > 1000 {
		faults = append(faults, errors.New("THREADS is at most 64, ATTEMPTS at most 1000"))
	}
	if c.DeadLetterTopic != "" && len(c.Source.Brokers) == 0 {
		faults = append(faults, errors.New("DEADLETTER_TOPIC is set and SOURCE_BROKERS is not"))
	}
	if c.DeadLetterTopic != "" && c.DeadLetterTopic == c.JobsTopic {
		faults = append(faults, errors.New("DEADLETTER_TOPIC is JOBS_TOPIC: its letters would be jobs"))
	}
	presets, err := c.presets()
	if err != nil {
		faults = append(faults, fmt.Errorf("PRESETS: %w", err))
	}
	for _, name := range c.Outputs {
		if _, ok := presets[name]; !ok && err == nil {
			faults = append(faults, fmt.Errorf("OUTPUTS: there is no preset %q: there are %s", name, strings.Join(media.Names(presets), ", ")))
		}
	}
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(faults...)
}

// presets are those that are built in, and those of the file.
func (c Config) presets() (map[string]media.Preset, error) {
	if c.Presets == "" {
		return media.Presets(), nil
	}
	text, err := os.ReadFile(c.Presets)
	if err != nil {
		return nil, err
	}
	return media.ReadPresets(c.Presets, text)
}

// What the function itself needs of its memory, and what x264 needs at least for 1080p.
const (
	ownMemory   = 256 << 20
	leastMemory = 768 << 20
)

func (c Config) limits(memoryMB int) media.Limits {
	memory := c.Memory
	if memory == 0 {
		memory = max(int64(memoryMB)<<20-ownMemory, leastMemory)
	}
	return media.Limits{
		InputBytes: c.MaxBytes, OutputBytes: c.MaxBytes, TempBytes: c.TempBytes, Duration: c.MaxDuration, Pixels: c.MaxPixels,
		FrameRate: c.MaxFrameRate, Streams: c.MaxStreams, Memory: memory, Threads: c.Threads,
	}
}

func (c Config) open(role cos.CredentialsFunc) (*cos.Bucket, error) {
	credentials := role
	if c.COS.SecretID != "" {
		credentials = cos.Static(c.COS.SecretID, c.COS.SecretKey)
	}
	return cos.Open(cos.Config{
		Bucket: c.COS.Bucket, Region: c.COS.Region, Endpoint: c.COS.Endpoint, Credentials: credentials,
	})
}
