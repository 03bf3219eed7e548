package transcode

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/media"
)

// Config is what an Engine needs. Bucket and Tools have to be set.
type Config struct {
	Bucket  *cos.Bucket
	Tools   media.Tools
	Presets map[string]media.Preset // nil: those that are built in
	Limits  media.Limits
	Temp    string // folder for the folders of jobs; "": the system's

	Output string // prefix of outputs, "transcoded/"
	Work   string // prefix of state, "transcode.work/"
	Failed string // prefix of the dead letter, "transcode.failed/"

	SplitOver   time.Duration // a longer video is split; 0: none is
	PieceLength time.Duration // of a piece, about; 2 minutes
	Attempts    int           // of a job that kills its process; 3

	// Publish sends the messages of the pieces of a job, durably. nil: nothing is split, and a
	// longer video is refused.
	Publish func(ctx context.Context, pieces []Piece) error
	// Log gives the logger of a job; nil: nothing is logged.
	Log func(context.Context) *slog.Logger
	// Now is the clock of dead letters, and of whether an attempt may be alive; nil is time.Now.
	Now func() time.Time
	// ID names a delivery among all: letters and digits, another one at each call; nil: random.
	ID func() string
}

// The prefixes, where none are set.
const (
	DefaultOutput = "transcoded/"
	DefaultWork   = "transcode.work/"
	DefaultFailed = "transcode.failed/"
)

// Engine does jobs. It is for one job at a time.
type Engine struct{ Config }

// New checks a configuration. It sends nothing.
func New(c Config) (*Engine, error) {
	if c.Bucket == nil {
		return nil, errors.New("transcode: a bucket is missing")
	}
	if c.Presets == nil {
		c.Presets = media.Presets()
	}
	for _, p := range []struct {
		prefix    *string
		otherwise string
	}{{&c.Output, DefaultOutput}, {&c.Work, DefaultWork}, {&c.Failed, DefaultFailed}} {
		if *p.prefix == "" {
			*p.prefix = p.otherwise
		}
		if err := CheckPrefix(*p.prefix); err != nil {
			return nil, err
		}
	}
	if c.PieceLength <= 0 {
		c.PieceLength = 2 * time.Minute
	}
	if c.Attempts <= 0 {
		c.Attempts = 3
	}
	if c.Log == nil {
		c.Log = func(context.Context) *slog.Logger { return slog.New(slog.DiscardHandler) }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.ID == nil {
		c.ID = rand.Text
	}
	return &Engine{c}, nil
}

// CheckPrefix refuses a prefix that is no folder of a bucket.
func CheckPrefix(prefix string) error {
	if !strings.HasSuffix(prefix, "/") || strings.HasPrefix(prefix, "/") || cos.CheckKey(prefix) != nil || len(prefix) > 200 {
		return fmt.Errorf("prefix %q: want the name of a folder in the bucket, with a / at its end", prefix)
	}
	return nil
}

// Own says whether a key is below one of the prefixes that are never an input.
func (e *Engine) Own(key string) bool {
	for _, prefix := range []string{e.Output, e.Work, e.Failed} {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}
