package backup

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// FilesResult is what was written to files.
type FilesResult struct {
	Plan    *Plan    `json:"plan"`
	Records int64    `json:"records"`
	Files   []string `json:"files"`             // in the folder, with slashes
	Skipped []string `json:"skipped,omitempty"` // that were there already
}

// line is one record of a file. Of a key, a value or a header's value one of two members
// is there: the text, null for none, or where it is no UTF-8 its base64.
type line struct {
	Offset    int64        `json:"offset"`
	Timestamp int64        `json:"timestamp"` // milliseconds since 1970, -1 for none
	Key       any          `json:"key,omitempty"`
	KeyBytes  []byte       `json:"key_base64,omitempty"`
	Value     any          `json:"value,omitempty"`
	ValueByte []byte       `json:"value_base64,omitempty"`
	Headers   []headerLine `json:"headers,omitempty"`
}

type headerLine struct {
	Name      string `json:"name"`
	Value     any    `json:"value,omitempty"`
	ValueByte []byte `json:"value_base64,omitempty"`
}

// RestoreFiles writes what a backup has at a point to files of JSON lines, one a partition:
// folder/TOPIC/PARTITION.jsonl. A file is there once it is whole; one that is there already
// stays, so that a run after a kill goes on. Nothing is written outside of the folder,
// whatever a manifest says. The configuration needs no target.
func RestoreFiles(ctx context.Context, config RestoreConfig, folder string) (FilesResult, error) {
	config.Target = nil
	config, err := config.withDefaults()
	if err != nil {
		return FilesResult{}, err
	}
	r, err := prepare(ctx, config)
	if err != nil {
		return FilesResult{}, err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return FilesResult{}, err
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return FilesResult{}, err
	}
	defer root.Close()
	done := FilesResult{Plan: r.plan, Files: []string{}}
	var group errgroup.Group
	group.SetLimit(config.Parallel)
	for _, t := range r.plan.Topics {
		if err := root.Mkdir(t.Target, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return done, err
		}
		for _, p := range t.Partitions {
			name := path.Join(t.Target, fmt.Sprintf("%d.jsonl", p.Number))
			if _, err := root.Stat(name); err == nil {
				done.Skipped = append(done.Skipped, name)
				continue
			}
			done.Files = append(done.Files, name)
			group.Go(func() error {
				n, err := r.file(ctx, root, name, r.source.topics[t.Name].logs[p.Number])
				r.mu.Lock()
				defer r.mu.Unlock()
				done.Records += n
				if err != nil {
					return fmt.Errorf("write %s: %w", name, err)
				}
				return nil
			})
		}
	}
	return done, group.Wait()
}

// file writes one partition.
func (r *restore) file(ctx context.Context, root *os.Root, name string, part *partLog) (n int64, err error) {
	unfinished := name + ".unfinished"
	f, err := root.Create(unfinished)
	if err != nil {
		return 0, err
	}
	defer func() {
		err = errors.Join(err, f.Close())
		if err == nil {
			err = root.Rename(unfinished, name)
		} else {
			_ = root.Remove(unfinished) // the error is told already
		}
	}()
	buffered := bufio.NewWriterSize(f, 256<<10)
	encoder := json.NewEncoder(buffered)
	encoder.SetEscapeHTML(false)
	for record, err := range r.source.records(ctx, part, 0) {
		if err != nil {
			return n, err
		}
		if err := encoder.Encode(lineOf(record)); err != nil {
			return n, err
		}
		n++
	}
	return n, buffered.Flush()
}

func lineOf(r batch.Record) line {
	l := line{Offset: r.Offset, Timestamp: r.Timestamp}
	l.Key, l.KeyBytes = text(r.Key)
	l.Value, l.ValueByte = text(r.Value)
	for _, h := range r.Headers {
		header := headerLine{Name: h.Key}
		header.Value, header.ValueByte = text(h.Value)
		l.Headers = append(l.Headers, header)
	}
	return l
}

// text gives what of two members holds bytes. A null is written as one.
func text(p []byte) (asText any, asBytes []byte) {
	switch {
	case p == nil:
		return json.RawMessage("null"), nil
	case utf8.Valid(p):
		return string(p), nil
	}
	return nil, p
}
